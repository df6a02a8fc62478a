/** An end that does not come about is tried for ever: I8 and I9 leave no other way. After a while its reason is told, once. */

import type { Digest } from '@swell/shared/domain/image.ts';
import { runningAfter } from './attempt.ts';
import { timer } from './effects.ts';
import type { Step } from './outcome.ts';
import { say } from './say.ts';
import { type Attempt, type Phase, type ServiceState, withJournal, withPhase } from './state.ts';

type EndingPhase = Extract<Phase, { name: 'settling' | 'reverting' }>;

/** Longer than a restart of dockerd takes. */
const STUCK_AFTER_MS = 60_000;
const RETRY = timer('retry', 1_000, 4_000);

export function tryAgain(state: ServiceState, phase: EndingPhase, reason: string, nowMs: number): Step {
  const { attempt, failingSinceMs = nowMs } = phase;
  const isNews = attempt.stuck !== true && nowMs - failingSinceMs >= STUCK_AFTER_MS;
  if (!isNews) return { state: withPhase(state, { ...phase, failingSinceMs }), effects: [RETRY] };
  const known: Attempt = { ...attempt, stuck: true };
  const told = say(
    withJournal(withPhase(state, { ...phase, failingSinceMs, attempt: known }), { attempt: known }),
    {
      rollout: attempt.rollout,
      status: 'stuck',
      attempt: attempt.id,
      reason: `${IN_WORDS[phase.name]}: ${reason}`,
      ...runningIn(state, phase),
    },
  );
  return { state: told, effects: [RETRY] };
}

const IN_WORDS: Readonly<Record<EndingPhase['name'], string>> = {
  settling: 'the new container is well, and the old one cannot be taken away',
  reverting: 'the way back to the old container does not succeed',
};

/** On the way back nobody knows which of the two it is. */
function runningIn(
  state: ServiceState,
  { name, attempt, ending }: EndingPhase,
): { readonly running?: Digest } {
  const running = name === 'settling' ? runningAfter(state, attempt, ending.result) : undefined;
  return running === undefined ? {} : { running };
}
