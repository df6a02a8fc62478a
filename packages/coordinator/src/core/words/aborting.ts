/** A rollout that goes no further, by a person's word or because it has expired. */

import type { Rollout } from '@swell/shared/domain/rollout.ts';
import { type ServiceState, withRollout } from '../state.ts';
import { tell } from '../tell.ts';

/** Nobody starts any more, and everybody stays as he is. */
export function abort(state: ServiceState, rollout: Rollout, reason: string): ServiceState {
  const { paused: _, ...unpaused } = rollout;
  return tell(withRollout(state, { ...unpaused, phase: { name: 'aborted', reason } }), {
    name: 'rollout-aborted',
    rollout: rollout.release.rollout,
    line: `rollout ${rollout.release.rollout} of ${state.service} is aborted: ${reason}`,
  });
}
