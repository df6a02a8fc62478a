/** What became of every rollout: kept with the record, so that it is known for longer than the log is. */

import type { PastRollout, Rollout, RolloutPhase } from '@swell/shared/domain/rollout.ts';
import { unreachable } from '@swell/shared/kernel/unreachable.ts';
import { countAttempts } from '../nodes/tally.ts';
import { type ServiceState, withRecord } from '../state.ts';

const PAST_KEPT = 64;

type End = NonNullable<PastRollout['ended']>;

/** Looks at how the rollout stands, whatever led there: nobody who ends one has to think of it. */
export function keepPast(before: ServiceState, state: ServiceState, nowMs: number): ServiceState {
  const { rollout, past } = state.record;
  if (rollout === undefined) return state;
  const [newest, ...older] = past;
  const { release, phase } = rollout;
  if (newest?.rollout !== release.rollout) {
    const begun: PastRollout = {
      rollout: release.rollout,
      version: release.version,
      digest: release.image.digest,
      begunAtMs: nowMs,
    };
    const earlier = newest === undefined ? [] : [superseded(newest, before, nowMs), ...older];
    return keepPast(before, withRecord(state, { past: [begun, ...earlier].slice(0, PAST_KEPT) }), nowMs);
  }
  const end = endOf(phase);
  if (end === undefined || end.as === newest.ended?.as) return state;
  const ended: End = { ...end, atMs: nowMs, ...countAttempts(rollout, state.census) };
  return withRecord(state, { past: [{ ...newest, ended }, ...older] });
}

function superseded(newest: PastRollout, { record, census }: ServiceState, nowMs: number): PastRollout {
  if (newest.ended !== undefined) return newest;
  const counted = countOf(record.rollout, newest.rollout, census);
  return { ...newest, ended: { as: 'superseded', atMs: nowMs, ...counted } };
}

function countOf(rollout: Rollout | undefined, wanted: number, census: ServiceState['census']) {
  return rollout?.release.rollout === wanted ? countAttempts(rollout, census) : { attempted: 0, failed: 0 };
}

function endOf(phase: RolloutPhase): Pick<End, 'as' | 'reason'> | undefined {
  switch (phase.name) {
    case 'staging':
    case 'rolling':
    case 'soaking':
    case 'gated':
      return undefined;
    case 'settled':
      return { as: 'settled' };
    case 'halting':
    case 'rested':
      return { as: 'halted', reason: phase.reason };
    case 'aborted':
      return { as: 'aborted', reason: phase.reason };
    default:
      return unreachable(phase);
  }
}
