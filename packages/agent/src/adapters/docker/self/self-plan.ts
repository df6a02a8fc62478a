/**
 * The next step of the agent's own swap, from what is found, who asks, and what is wanted. No process stops its own
 * container, so the two agents share the work, and the lease says whose turn it is:
 *
 *     old A    starts B ─ names ─ gives B the lease ┄ stands by ┄ is removed by B
 *     new B              stands by, proves itself ┄┄ leads: is probed ─ commits, or gives A the lease back, who removes B
 *
 * Names and labels are the marks of every swap (`marks.ts`). That both containers run is no mark: who leads tells how far it
 * has come ({@link ownProgress}). Where no step is left the rest is the ordinary plan's: A undoes, B commits.
 */

import { unreachable } from '@swell/shared/kernel/unreachable.ts';
import type { SwapProgress } from '../../../core/container.ts';
import type { StandbyWord } from '../../../protocol/node-lease.ts';
import { EngineError } from '../../engine.ts';
import { isSuccessor, type Part, type Swap } from '../marks.ts';
import type { Found } from '../swap/members.ts';
import { type Step, samePolicy } from '../swap/plan.ts';

/** Which container of the swap the asking agent lives in. */
export type Side = 'old' | 'fresh';

export type OwnIntent = 'cut-over' | 'commit' | 'undo';

export type OwnStep =
  | Extract<
      Step,
      {
        step:
          | 'start-new'
          | 'move-reference'
          | 'set-aside-old'
          | 'name-new'
          | 'pass-commit-point'
          | 'restore-new-policy'
          | 'start-old';
      }
    >
  | { readonly step: 'hand-over'; readonly to: Part };

/** The pair of the agent's own container, if it is being swapped. */
export function ownPair(found: Found, own: string): Swap | undefined {
  const leads = found.kind === 'swap' ? found.members.map(([lead]) => lead) : [];
  return leads.find((lead) => sideOf(lead, own) !== undefined);
}

/** Undefined where the agent's own container has no part in it. */
export function sideOf({ old, fresh }: Swap, own: string): Side | undefined {
  if (fresh?.id === own) return 'fresh';
  return old?.id === own ? 'old' : undefined;
}

/**
 * How far it has come, as whoever leads sees it. An old agent that leads has nothing to judge: either the new one never
 * led, or it gave the lease back, or let it lapse.
 */
export function ownProgress({ old, fresh }: Swap, side: Side): SwapProgress {
  if (fresh === undefined) return 'prepared';
  if (old === undefined || old.suffix === '.swell-old') return 'committed';
  // Two that know nothing of each other: the one in place is the operator's.
  if (!isSuccessor(fresh, old)) return fresh.suffix === '' ? 'committed' : 'prepared';
  return side === 'fresh' ? 'cut-over' : 'prepared';
}

/**
 * @param word what the new agent says that stands by
 * @param moved the reference has been moved by this run
 * @returns undefined: all that is special is done, and the ordinary plan goes on
 */
export function nextOwnStep(
  swap: Swap,
  side: Side,
  intent: OwnIntent,
  { word, moved }: { readonly word: StandbyWord | undefined; readonly moved: boolean },
): OwnStep | undefined {
  const isForward = ownProgress(swap, side) === 'committed';
  switch (side) {
    case 'old':
      // A commit of what somebody has removed can only go back; an undo that comes too late can only go on.
      if (intent === 'commit' && swap.fresh === undefined) return undefined;
      return intent === 'undo' && !isForward ? undefined : towardsNew(swap, word, moved);
    case 'fresh':
      if (intent === 'cut-over') return undefined;
      return intent === 'undo' && !isForward ? backToOld(swap) : commitOwn(swap, moved);
    default:
      return unreachable(side);
  }
}

/** By the old agent: the new one is started and watched, and gets the lease once it could take over. */
function towardsNew({ old, fresh }: Swap, word: StandbyWord | undefined, moved: boolean): OwnStep {
  if (old === undefined || fresh === undefined)
    throw new EngineError('no-container', 'the new agent was removed by somebody');
  if (fresh.suffix === '.swell-failed') throw new EngineError('start-failed', 'the swap is being undone');
  // Past the commit point there is only forward.
  const isDue = !fresh.started || (!fresh.up && old.suffix === '.swell-old');
  if (isDue) return { step: 'start-new', fresh, mayFail: false };
  if (!fresh.up) throw new EngineError('start-failed', 'the new agent ended before it had taken over');
  if (word?.ready !== true) {
    const why = word?.why ?? 'it has not said anything yet';
    throw new EngineError('unavailable', `the new agent could not take over yet: ${why}`);
  }
  if (!isSuccessor(fresh, old)) return { step: 'hand-over', to: fresh };
  if (fresh.memo !== undefined && !moved)
    return { step: 'move-reference', fresh, reference: fresh.memo.reference };
  if (old.suffix === '') return { step: 'set-aside-old', old };
  if (fresh.suffix !== '') return { step: 'name-new', fresh };
  return { step: 'hand-over', to: fresh };
}

/** By the new agent, which cannot stop itself: the old one has the lease back, and removes it. */
function backToOld({ old }: Swap): OwnStep | undefined {
  if (old === undefined) return undefined;
  return old.up ? { step: 'hand-over', to: old } : { step: 'start-old', old, mayFail: false };
}

/** By the new agent. Docker would start it again before the old one stops: at no moment is there none. */
function commitOwn({ old, fresh }: Swap, moved: boolean): OwnStep | undefined {
  if (fresh?.memo === undefined) return undefined;
  if (old !== undefined && old.suffix !== '.swell-old') return { step: 'pass-commit-point', old };
  if (fresh.suffix !== '') return { step: 'name-new', fresh };
  // Whoever named it may have died before he could move this. Of one that stands alone its policy is the last mark.
  if (!moved) return { step: 'move-reference', fresh, reference: fresh.memo.reference };
  return samePolicy(fresh.policy, fresh.memo.policy)
    ? undefined
    : { step: 'restore-new-policy', fresh, policy: fresh.memo.policy };
}
