/** How an attempt under way is brought to its end, forward or back, and what makes it turn. */

import { isHaltedHere } from './halts.ts';
import type { Step } from './outcome.ts';
import {
  type Attempt,
  type Ending,
  type Lease,
  type Phase,
  type ServiceState,
  withJournal,
  withPhase,
} from './state.ts';

export interface Work {
  readonly attempt: Attempt;
  readonly lease?: Lease;
  readonly name?: Phase['name'];
  readonly left?: number;
  readonly beside?: true;
}

/** The new container is well: it becomes the only one. */
export function settle(state: ServiceState, { attempt, lease }: Work, ending: Ending): Step {
  const settling: Phase = { name: 'settling', attempt, ending, ...(lease !== undefined && { lease }) };
  return {
    state: withPhase(state, settling),
    effects: [{ kind: 'clear-timer', timer: 'probe' }, { kind: 'commit-swap' }],
  };
}

/** Back to the old container. That it is being given up, and why, is in the journal first. */
export function revert(state: ServiceState, phase: Work, ending: Ending): Step {
  const attempt: Attempt = { ...phase.attempt, ending };
  const reverting: Phase = {
    name: 'reverting',
    attempt,
    ending,
    ...(phase.lease !== undefined && { lease: phase.lease }),
    ...(isServing(phase) && { serves: true }),
  };
  return {
    state: withPhase(withJournal(state, { attempt }), reverting),
    effects: [{ kind: 'clear-timer', timer: 'probe' }, { kind: 'undo-swap' }],
  };
}

/** Before the cut-over; of a swap that was found there nobody knows. */
function isServing({ name, beside, left }: Work): boolean {
  const isBeside = name === 'surging' || beside === true;
  return name === 'preparing' || name === 'asking' || name === 'draining' || (isBeside && left === undefined);
}

export function isHaltedAttempt(state: ServiceState, { kind, digest, rollout }: Attempt): boolean {
  return kind === 'update' && digest !== undefined && isHaltedHere(state, { rollout, image: { digest } });
}

/** What turns an update round once the old container has stopped. A way back is not turned round. */
export function endingInTheMiddle(state: ServiceState, attempt: Attempt): Ending | undefined {
  // It goes on, halted or not; of a stop, whoever starts next takes it up.
  if (attempt.irreversible === true) return undefined;
  if (isHaltedAttempt(state, attempt))
    return { result: 'returned', reason: 'the rollout was halted in the middle of it' };
  // The program ends: nobody is left half-way.
  if (state.stopping && attempt.kind === 'update')
    return { result: 'interrupted', reason: 'the agent was stopped in the middle of it' };
  return undefined;
}
