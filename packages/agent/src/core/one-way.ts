/**
 * Updates to a release that cannot be undone. Until its container is started one is given up like any other; from then on
 * there is only forward. A node that is not well on it stays out of rotation, keeps its slot and is asked on, until it is
 * well or a newer release comes. Whether it has been started the engine knows, which undoes nothing that has.
 */

import type { Result } from '@swell/shared/domain/report.ts';
import { isHalted, type Release } from '@swell/shared/domain/wave.ts';
import { settle, type Work } from './ending.ts';
import type { Step } from './outcome.ts';
import { say } from './say.ts';
import { type Attempt, type Ending, type Phase, type ServiceState, withJournal } from './state.ts';

const GOING_ON = ['staging', 'open', 'paused', 'settled'];

/** It is not well, and there is no way back: told once, with the image that it runs. */
export function withUnhealthy(state: ServiceState, { attempt }: Work, reason: string): ServiceState {
  if (attempt.unhealthy !== undefined) return state;
  const known: Attempt = { ...attempt, unhealthy: reason };
  const marked = {
    ...withJournal(state, { attempt: known }),
    phase: { ...state.phase, attempt: known } as Phase,
  };
  return say(marked, {
    rollout: attempt.rollout,
    status: 'unhealthy',
    attempt: attempt.id,
    reason,
    ...(attempt.digest !== undefined && { running: attempt.digest }),
  });
}

/** Who is not well makes room for a newer release: it may be the remedy, and needs the slot. */
export function mustGiveWay({ wave, halt, frozen }: ServiceState, attempt: Attempt): boolean {
  if (attempt.unhealthy === undefined || wave === undefined || frozen) return false;
  const { release, phase } = wave.order;
  return release.rollout > attempt.rollout && GOING_ON.includes(phase) && !isHalted(halt?.order, release);
}

/** The new container stays, for there is nothing else that could run; that the update has failed is said at last. */
export function giveWay(state: ServiceState, work: Work): Step {
  const { unhealthy = '' } = work.attempt;
  const ending: Ending = { result: 'failed', reason: unhealthy, stays: true };
  const attempt: Attempt = { ...work.attempt, ending };
  return settle(withJournal(state, { attempt }), { ...work, attempt }, ending);
}

/** That there is no way back is remembered beyond the attempt's end. */
export function withPassed(state: ServiceState, attempt: Attempt, result: Result): ServiceState {
  const { rollout, digest, ending } = attempt;
  const stays = ending?.stays === true;
  if (attempt.irreversible !== true || digest === undefined || !(stays || result === 'healthy')) return state;
  return withJournal(state, { irreversible: { rollout, digest, ...(stays && { unhealthy: true }) } });
}

/** Why an earlier release must not come to this node again. */
export function objectionToEarlier(
  { journal: { irreversible } }: ServiceState,
  { rollout }: Pick<Release, 'rollout'>,
): string | undefined {
  if (irreversible === undefined || rollout >= irreversible.rollout) return undefined;
  return `rollout ${irreversible.rollout}, which was here, cannot be undone: rollout ${rollout} is an earlier one`;
}

/** Does the release run here that there is no way back from? */
export function isOnPassed({ journal: { irreversible }, observation }: ServiceState): boolean {
  return irreversible !== undefined && observation?.digests.includes(irreversible.digest) === true;
}

/** Why nothing is to be sent here, though a container runs and no attempt is under way. */
export function whyOut(state: ServiceState): string | undefined {
  const { irreversible } = state.journal;
  return irreversible?.unhealthy === true && isOnPassed(state)
    ? `it was not well on rollout ${irreversible.rollout}, which cannot be undone`
    : undefined;
}
