/** Pauses: by an operator, or because nobody gets any further. */

import type { Rollout } from '@swell/shared/domain/rollout.ts';
import { formatDuration } from '@swell/shared/kernel/units.ts';
import type { NodeFacts } from '../nodes/census.ts';
import { activeRegions } from '../stage/regions.ts';
import { type ActiveRegion, awaitsTime, missingNodes } from '../stage/verdict.ts';
import { policyOf, type ServiceState, withRollout } from '../state.ts';
import { tell } from '../tell.ts';

const NAMED_MAX = 3;

/** K4. Nobody waits for the silent; but where nobody at all gets further, a person must look. */
export function watchProgress(
  state: ServiceState,
  rollout: Rollout,
  regions: readonly ActiveRegion[],
  steps: number,
  nowMs: number,
): ServiceState {
  if (steps > state.progress.steps) return { ...state, progress: { steps, sinceMs: nowMs } };
  if (awaitsTime(rollout, regions)) return standAt(state, nowMs);
  const { progressDeadlineMs } = policyOf(state);
  if (nowMs - state.progress.sinceMs < progressDeadlineMs) return state;
  const what = rollout.phase.name === 'staging' ? 'has the image' : 'is healthy';
  const missing = describeMissing(state, rollout, regions);
  return pause(
    state,
    rollout,
    `no further node ${what} for ${formatDuration(progressDeadlineMs)}: ${missing}`,
    nowMs,
  );
}

/** What has not been asked of anybody is not missing. */
function standAt(state: ServiceState, nowMs: number): ServiceState {
  const { progress } = state;
  return progress.sinceMs === nowMs ? state : { ...state, progress: { ...progress, sinceMs: nowMs } };
}

function describeMissing(state: ServiceState, rollout: Rollout, regions: readonly ActiveRegion[]): string {
  if (regions.every(({ line }) => line.nodes.length === 0)) {
    const where = activeRegions(state, rollout).join(', ') || 'any region';
    return `no node of ${where} is there`;
  }
  return `it waits for ${nameNodes(missingNodes(rollout, regions))}`;
}

/** A few of them by name, and how many more there are. */
export function nameNodes(nodes: readonly Pick<NodeFacts, 'region' | 'node'>[]): string {
  const names = nodes.slice(0, NAMED_MAX).map(({ region, node }) => `${node} (${region})`);
  const more = nodes.length > NAMED_MAX ? [`${nodes.length - NAMED_MAX} more`] : [];
  return [...names, ...more].join(', ');
}

export function pause(
  state: ServiceState,
  rollout: Rollout,
  reason: string,
  nowMs: number,
  until: Pick<NonNullable<Rollout['paused']>, 'byDependency'> = {},
): ServiceState {
  // One that was paused already, for another reason, has been since then.
  const { sinceMs = nowMs } = rollout.paused ?? {};
  return tell(withRollout(state, { ...rollout, paused: { sinceMs, reason, ...until } }), {
    name: 'rollout-paused',
    rollout: rollout.release.rollout,
    line: `rollout ${rollout.release.rollout} of ${state.service} is paused: ${reason}`,
  });
}

/** Time that was paused does not count: neither as soaking nor as standing still. */
export function resume(
  state: ServiceState,
  { paused, ...rollout }: Rollout & Required<Pick<Rollout, 'paused'>>,
  nowMs: number,
): ServiceState {
  const { phase } = rollout;
  const watched =
    phase.name === 'soaking' ? { ...phase, sinceMs: phase.sinceMs + (nowMs - paused.sinceMs) } : phase;
  return tell(
    { ...withRollout(state, { ...rollout, phase: watched }), progress: { steps: -1, sinceMs: nowMs } },
    {
      name: 'rollout-resumed',
      rollout: rollout.release.rollout,
      line: `rollout ${rollout.release.rollout} of ${state.service} goes on`,
    },
  );
}
