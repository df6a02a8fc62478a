/** Failed nodes of the present rollout try again, once for each word. What they showed before it is counted no more. */

import { isUnderWay, type Rollout } from '@swell/shared/domain/rollout.ts';
import type { Release } from '@swell/shared/domain/wave.ts';
import { isStillHeld } from '../nodes/leases.ts';
import { countAttempts } from '../nodes/tally.ts';
import { type ServiceState, withRecord } from '../state.ts';

/** The state after the word, or why it does not apply. */
export function retry(state: ServiceState, rollout: Rollout, nowMs: number): ServiceState | string {
  const { name } = rollout.phase;
  const number = rollout.release.rollout;
  if (!isUnderWay(rollout) && name !== 'settled') {
    const bad = name === 'aborted' ? '' : ', with "acceptHalted": true';
    return `rollout ${number} is ${name}, and nobody starts it any more: release its image again${bad}`;
  }
  const { failed } = countAttempts(rollout, state.census);
  if (failed === 0) return `nobody has failed in rollout ${number} since it was last told to try`;
  const release: Release = { ...rollout.release, retry: (rollout.release.retry ?? 0) + 1 };
  return {
    ...withRecord(state, {
      rollout: { ...rollout, release, lost: rollout.lost.filter((one) => isStillHeld(state, one)) },
      // A rollout that has settled is told of by what the fleet has settled on.
      settled: state.record.settled.map((one) => (one.rollout === number ? release : one)),
    }),
    progress: { steps: -1, sinceMs: nowMs },
  };
}
