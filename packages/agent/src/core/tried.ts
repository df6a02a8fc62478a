/** What this node has tried of each rollout, so that no attempt's name is used twice and no failed rollout tried again. */

import type { Result } from '@swell/shared/domain/report.ts';
import type { Release } from '@swell/shared/domain/wave.ts';
import { type Attempt, type ServiceState, type Tried, type Tries, withJournal } from './state.ts';

/** A rollout comes back at most as the one that the fleet had settled on; seldom are so many halted after it. */
const REMEMBERED_MAX = 64;
const NOT_YET: Tries = { begun: 0, interrupted: 0 };

export function triedOf({ journal }: ServiceState, rollout: number): Tried {
  const known = journal.tried.find((one) => one.rollout === rollout);
  return known ?? { rollout, update: NOT_YET, return: NOT_YET };
}

/** The name of a rollout's next attempt of this kind. */
export function nextId(state: ServiceState, rollout: number, kind: Attempt['kind']): string {
  const { mark, forgotten = 0 } = state.journal;
  return `${rollout}.${kind}.${mark}${Math.max(triedOf(state, rollout)[kind].begun, forgotten) + 1}`;
}

/** What an attempt's name says of it; `undefined`: it is none of ours. */
export function readId(id: string): Pick<Attempt, 'rollout' | 'kind'> | undefined {
  const [, rollout, kind] = /^(\d{1,15})\.(update|return)\./.exec(id) ?? [];
  if (rollout === undefined) return undefined;
  return { rollout: Number(rollout), kind: kind === 'return' ? 'return' : 'update' };
}

/** Where the journal was lost, the attempt's own name tells how many there have been. */
export function withBegun(state: ServiceState, attempt: Attempt): ServiceState {
  return withTries(state, attempt, (tries) => ({
    ...tries,
    begun: Math.max(tries.begun, countOf(attempt.id)),
  }));
}

/** The how manieth of its kind and rollout it is. */
export function countOf(id: string): number {
  return Number(id.split(/[.-]/).at(-1)) || 1;
}

/** It was cut off, and may be tried again. */
export function withInterruption(state: ServiceState, attempt: Attempt): ServiceState {
  return withTries(state, attempt, (tries) => ({ ...tries, interrupted: tries.interrupted + 1 }));
}

/** May a node that has tried a release to an end that was none try it once more? Once for each word that says so. */
export function mayTryAgain(state: ServiceState, { rollout, retry = 0 }: Release): boolean {
  const { update } = triedOf(state, rollout);
  return update.ended === 'failed' && retry > (update.retry ?? 0);
}

/** It ended for good. */
export function withEnd(state: ServiceState, attempt: Attempt, ended: Result): ServiceState {
  const { retry } = attempt;
  return withTries(state, attempt, (tries) => ({
    ...tries,
    interrupted: 0,
    ended,
    ...(retry !== undefined && { retry }),
  }));
}

function withTries(
  state: ServiceState,
  { rollout, kind }: Attempt,
  change: (tries: Tries) => Tries,
): ServiceState {
  const tried = triedOf(state, rollout);
  const others = state.journal.tried.filter((one) => one.rollout !== rollout);
  const all = [...others, { ...tried, [kind]: change(tried[kind]) }];
  const gone = all.slice(0, -REMEMBERED_MAX);
  const counts = gone.flatMap((one) => [one.update.begun, one.return.begun]);
  const forgotten = Math.max(state.journal.forgotten ?? 0, ...counts);
  return withJournal(state, {
    tried: all.slice(-REMEMBERED_MAX),
    ...(forgotten > 0 && { forgotten }),
  });
}
