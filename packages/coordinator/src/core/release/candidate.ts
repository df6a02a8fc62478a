/** A release that waits for its digest (of a unit, for all of them at once): asked for, asked for again, given up for a newer one. */

import type { Candidate } from '@swell/shared/domain/rollout.ts';
import type { Resolved } from '@swell/shared/domain/unit.ts';
import { isCensusComplete } from '../nodes/look-out.ts';
import type { Step } from '../outcome.ts';
import { type ServiceState, withRecord } from '../state.ts';
import { tell } from '../tell.ts';

const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 60_000;

/** The question that is due. What comes after it draws the first stage, so the whole fleet must have had its say. */
export function resolveCandidate(state: ServiceState, nowMs: number): Step {
  const { candidate } = state.record;
  if (candidate === undefined || candidate.digest !== undefined || !isCensusComplete(state, nowMs))
    return { state, effects: [] };
  const { rollout, image } = candidate;
  const known = state.resolving?.rollout === rollout ? state.resolving : undefined;
  const isDue = known === undefined || (known.againAtMs !== undefined && nowMs >= known.againAtMs);
  if (!isDue) return { state, effects: [] };
  const resolving = { rollout, tries: (known?.tries ?? 0) + 1 };
  return { state: { ...state, resolving }, effects: [{ kind: 'resolve-image', rollout, image }] };
}

/** The registry did not answer. That is told once, however often it is asked. */
export function delayCandidate(
  state: ServiceState,
  rollout: number,
  { reason, retryAfterMs = 0 }: { readonly reason: string; readonly retryAfterMs?: number },
  nowMs: number,
): ServiceState {
  const { resolving } = state;
  if (state.record.candidate?.rollout !== rollout || resolving?.rollout !== rollout) return state;
  const waitMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (resolving.tries - 1));
  const againAtMs = nowMs + Math.max(waitMs, retryAfterMs);
  const delayed: ServiceState = { ...state, resolving: { ...resolving, againAtMs } };
  if (resolving.tries > 1) return delayed;
  const line = `release ${rollout} of ${state.service} waits for its registry: ${reason}`;
  return tell(delayed, { name: 'release-delayed', rollout, line });
}

/** The registry's answer. From now on the release is this image, however long it waits. */
export function pinCandidate(
  state: ServiceState,
  rollout: number,
  { digest, parts }: Resolved,
): ServiceState {
  const { candidate } = state.record;
  if (candidate?.rollout !== rollout) return state;
  return withRecord(state, {
    candidate: { ...candidate, digest, ...(parts !== undefined && { parts }) },
  });
}

export function withoutCandidate(state: ServiceState): ServiceState {
  const { candidate: _, ...record } = state.record;
  const { resolving: __, ...rest } = state;
  return { ...rest, record };
}

/** Given up before it began: superseded by a newer one, aborted, or expired. */
export function dropCandidate(
  state: ServiceState,
  { rollout }: Candidate,
  name: 'rollout-superseded' | 'rollout-aborted',
  why: string,
): ServiceState {
  const line = `release ${rollout} of ${state.service} is ${why} before it began`;
  return tell(withoutCandidate(state), { name, rollout, line });
}
