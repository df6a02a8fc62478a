/** An attempt as an order to the engine, and how it ends. */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { Result } from '@swell/shared/domain/report.ts';
import type { SwapOrder } from './container.ts';
import type { Effect } from './effects.ts';
import { haltsOf } from './halts.ts';
import { freeSlot } from './lease.ts';
import { observe } from './look.ts';
import { isOnPassed, withPassed } from './one-way.ts';
import type { Step } from './outcome.ts';
import { say } from './say.ts';
import { type Attempt, type Ending, type Goal, type Lease, type ServiceState, withPhase } from './state.ts';
import { triedOf, withBegun, withEnd, withInterruption } from './tried.ts';

/** An attempt that is cut off this often has failed. */
const INTERRUPTIONS_MAX = 3;
const REST_AFTER_INTERRUPTION_MS = 10_000;
/** Who asked for later is not asked again before. */
const REST_AFTER_DEFERRAL_MS = 60_000;

/** Made once, when the attempt begins: whatever is heard later, a repeated order is the same one. */
export function swapOrder(state: ServiceState, goal: Goal, attempt: Attempt): SwapOrder {
  return {
    service: state.self.service,
    attempt: attempt.id,
    target: goal.kind === 'update' ? { kind: 'release', image: goal.release.image } : { kind: 'last-good' },
    lastGood: goal.kind === 'update' ? lastGoodAfter(state) : 'unchanged',
    ...(attempt.irreversible === true && { irreversible: true }),
    ...(attempt.stopTimeoutMs !== undefined && { stopTimeoutMs: attempt.stopTimeoutMs }),
  };
}

/** What was halted is nothing to go back to, whatever is halted next; but where the fleet had settled on it. */
function lastGoodAfter(state: ServiceState): SwapOrder['lastGood'] {
  const { observation } = state;
  // What was here before it must not come back, halted or not.
  if (isOnPassed(state)) return 'running';
  const bad = haltsOf(state).flatMap(({ digest, settledAs }) => (settledAs === undefined ? [digest] : []));
  const isBad = (digest: Digest | undefined) => digest !== undefined && bad.includes(digest);
  if (observation?.digests.some(isBad) !== true) return 'running';
  return isBad(observation.lastGood?.digest) ? 'none' : 'unchanged';
}

/**
 * I8. The attempt leaves the journal in the same write that puts its result there.
 * The engine is looked at again before anything else is considered.
 */
export function finish(
  state: ServiceState,
  attempt: Attempt,
  lease: Lease | undefined,
  ending: Ending,
  nowMs: number,
): Step {
  const { result, isOver } = outcome(state, attempt, ending);
  const running = runningAfter(state, attempt, result);
  const { attempt: _, ...journal } = state.journal;
  const { observation: __, ...rest } = { ...state, era: state.era + 1 };
  const known = withPassed(withBegun({ ...rest, journal }, attempt), attempt, result);
  const counted = ending.deferred === true ? known : withInterruption(known, attempt);
  const told = say(isOver ? withEnd(known, attempt, result) : counted, {
    rollout: attempt.rollout,
    status: result,
    attempt: attempt.id,
    ...(attempt.retry !== undefined && { retry: attempt.retry }),
    ...(running !== undefined && { running }),
    ...(ending.reason !== '' && { reason: ending.reason }),
  });
  // After its result, so that the coordinator knows that nothing more will come from here.
  const refused = { rollout: attempt.rollout, status: 'refused', reason: ending.reason } as const;
  const isRefused = ending.final === true || ending.deferred === true;
  const last = isRefused ? say(told, refused) : told;
  const effects: Effect[] = [
    { kind: 'clear-timer', timer: 'renew' },
    { kind: 'clear-timer', timer: 'probe' },
    observe(rest),
  ];
  if (lease !== undefined) effects.push(freeSlot(state, attempt, lease));
  const restMs = ending.deferred === true ? REST_AFTER_DEFERRAL_MS : REST_AFTER_INTERRUPTION_MS;
  const restUntilMs = result === 'interrupted' ? nowMs + restMs : state.restUntilMs;
  return { state: { ...withPhase(last, { name: 'idle' }), restUntilMs }, effects };
}

/** What runs once an attempt has ended like this, as far as that was seen. */
export function runningAfter(
  { observation }: ServiceState,
  attempt: Attempt,
  result: Result,
): Digest | undefined {
  if (result === 'healthy' || attempt.ending?.stays === true) return attempt.digest;
  if (attempt.kind === 'return' && result === 'returned') return observation?.lastGood?.digest;
  if (attempt.kind === 'return') return attempt.digest;
  return observation?.digests.find((digest) => digest !== attempt.digest);
}

/** What is reported of it, and whether that is the last word. */
function outcome(
  state: ServiceState,
  { rollout, kind }: Attempt,
  { result, final, deferred }: Ending,
): { readonly result: Result; readonly isOver: boolean } {
  if (result !== 'interrupted' || final === true) return { result, isOver: true };
  if (deferred === true) return { result, isOver: false };
  const isTooOften = triedOf(state, rollout)[kind].interrupted + 1 >= INTERRUPTIONS_MAX;
  if (!isTooOften) return { result, isOver: false };
  return { result: kind === 'update' ? 'failed' : 'kept', isOver: true };
}
