/**
 * The next step of a swap, from nothing but what is found and what is wanted. Whoever performs it looks again and asks
 * again, so a call that died anywhere is finished by the next one.
 */

import { unreachable } from '@swell/shared/kernel/unreachable.ts';
import { EngineError } from '../engine.ts';
import { isSuccessor, type Part, progressOf, type Swap } from './marks.ts';

export type Intent = 'prepare' | 'cut-over' | 'commit' | 'undo';

export type Step =
  // prepare: nothing stops
  | { readonly step: 'connect-network'; readonly fresh: Part; readonly old: Part; readonly network: string }
  | { readonly step: 'copy-files'; readonly fresh: Part; readonly old: Part }
  | { readonly step: 'prove'; readonly fresh: Part; readonly old: Part }
  // cut over
  | { readonly step: 'move-reference'; readonly fresh: Part; readonly reference: string }
  | { readonly step: 'guard-old'; readonly old: Part }
  | { readonly step: 'stop-old'; readonly old: Part; readonly stopTimeoutMs?: number }
  | { readonly step: 'set-aside-old'; readonly old: Part }
  | { readonly step: 'name-new'; readonly fresh: Part }
  | { readonly step: 'start-new'; readonly fresh: Part; readonly mayFail: boolean }
  // commit
  | { readonly step: 'pass-commit-point'; readonly old: Part }
  | { readonly step: 'restore-new-policy'; readonly fresh: Part; readonly policy: Part['policy'] }
  | { readonly step: 'keep-last-good'; readonly fresh: Part }
  | { readonly step: 'disarm-old'; readonly old: Part }
  | { readonly step: 'remove-old'; readonly old: Part }
  // undo
  | { readonly step: 'mark-failed'; readonly fresh: Part }
  | { readonly step: 'stop-new'; readonly fresh: Part; readonly stopTimeoutMs?: number }
  | {
      readonly step: 'return-reference';
      readonly fresh: Part;
      readonly old: Part;
      readonly reference: string;
    }
  | { readonly step: 'name-old'; readonly old: Part }
  | { readonly step: 'start-old'; readonly old: Part; readonly mayFail: boolean }
  | { readonly step: 'restore-old-policy'; readonly old: Part; readonly policy: Part['policy'] }
  | { readonly step: 'remove-new'; readonly fresh: Part };

export type StepName = Step['step'];

/** The steps that this run has performed: what leaves no mark, and what need not last (a start), is not done twice. */
export type Performed = ReadonlySet<StepName>;

const NO_RESTART = 'no';
/** So that dockerd itself goes back to the old container after a reboot, even with the agent gone. */
const GUARD = 'always';

/** `undefined`: the intent is reached. Throws where it cannot be. */
export function nextStep(swap: Swap, intent: Intent, performed: Performed): Step | undefined {
  switch (intent) {
    case 'prepare':
      return toPrepare(pair(swap), performed);
    case 'cut-over':
      return toCutOver(swap, performed);
    case 'commit':
      return swap.old === undefined ? toFinish(swap, performed) : toCommit(swap, swap.old, performed);
    case 'undo':
      return swap.old === undefined ? toFinish(swap, performed) : toUndo(swap, swap.old, performed);
    default:
      return unreachable(intent);
  }
}

/**
 * What can still be had. A commit whose new container was removed by somebody can only go back; an undo that comes too
 * late, or whose old container is gone, can only go on.
 */
export function attainable(swap: Swap, intent: 'commit' | 'undo'): 'commit' | 'undo' {
  if (swap.fresh === undefined) return 'undo';
  return progressOf(swap) === 'committed' ? 'commit' : intent;
}

interface Pair {
  readonly old: Part;
  readonly fresh: Part & { readonly memo: NonNullable<Part['memo']> };
}

function toPrepare({ old, fresh }: Pair, performed: Performed): Step | undefined {
  if (fresh.suffix !== '.swell-draft') return undefined;
  const network = old.networks.find((name) => !fresh.networks.includes(name));
  if (network !== undefined) return { step: 'connect-network', fresh, old, network };
  if (!performed.has('copy-files')) return { step: 'copy-files', fresh, old };
  return { step: 'prove', fresh, old };
}

function toCutOver(swap: Swap, performed: Performed): Step | undefined {
  if (progressOf(swap) === 'committed') return undefined;
  const { old, fresh } = pair(swap);
  const { reference } = fresh.memo;
  if (fresh.suffix === '.swell-failed') throw new EngineError('start-failed', 'the swap is being undone');
  const preparing = toPrepare({ old, fresh }, performed);
  if (preparing !== undefined) return preparing;
  if (fresh.suffix !== '' && !performed.has('move-reference'))
    return { step: 'move-reference', fresh, reference };
  // All that needs no standstill comes first. A container that was set aside is known to be ours to start again.
  // One that runs in circles has nothing to lose, and Docker cannot rename it while it comes and goes.
  const circling = fresh.memo.oldState === 'broken' && old.up;
  if (old.suffix === '' && !circling) return { step: 'set-aside-old', old };
  if (fresh.suffix !== '' && !circling) return { step: 'name-new', fresh };
  if (old.policy.Name !== GUARD) return { step: 'guard-old', old };
  if (old.up) return { step: 'stop-old', old, ...stopTimeout(fresh) };
  // One that ran and ended has shown what it is; it is started again only where the old one ran in between.
  const due = !fresh.started || performed.has('stop-old');
  if (!fresh.up && due && !performed.has('start-new')) return { step: 'start-new', fresh, mayFail: false };
  return undefined;
}

/** Whoever commits has judged; a new container that does not run is as good as one that runs. */
function toCommit(swap: Swap, old: Part, performed: Performed): Step | undefined {
  const { fresh } = swap;
  if (fresh === undefined || fresh.suffix !== '') {
    throw new EngineError('no-container', 'there is no new container in place to commit');
  }
  if (!isSuccessor(fresh, old)) return { step: 'remove-old', old };
  // dockerd was restarted, and went back by itself.
  if (old.up) return { step: 'stop-old', old, ...stopTimeout(fresh) };
  if (old.suffix !== '.swell-old') return { step: 'pass-commit-point', old };
  const finishing = toFinish(swap, performed);
  if (finishing !== undefined) return finishing;
  if (!performed.has('keep-last-good')) return { step: 'keep-last-good', fresh };
  if (old.policy.Name !== NO_RESTART) return { step: 'disarm-old', old };
  return { step: 'remove-old', old };
}

/** Past the commit point, or with the old container taken away by somebody, there is only forward. */
function toFinish({ fresh }: Swap, performed: Performed): Step | undefined {
  if (fresh === undefined) return undefined;
  // Started before it is named: one that has the name and does not run is nobody's unfinished work.
  if (!fresh.up && !performed.has('start-new')) return { step: 'start-new', fresh, mayFail: true };
  if (fresh.suffix !== '') return { step: 'name-new', fresh };
  if (fresh.memo === undefined || samePolicy(fresh.policy, fresh.memo.policy)) return undefined;
  return { step: 'restore-new-policy', fresh, policy: fresh.memo.policy };
}

function toUndo(swap: Swap, old: Part, performed: Performed): Step | undefined {
  const { fresh } = swap;
  if (progressOf(swap) === 'committed')
    throw new EngineError('not-carried', 'the swap is past its commit point');
  const related = isSuccessor(fresh, old);
  if (fresh !== undefined) {
    if (fresh.suffix === '') return { step: 'mark-failed', fresh };
    if (fresh.up) return { step: 'stop-new', fresh, ...stopTimeout(fresh) };
    if (related && fresh.memo !== undefined && !performed.has('return-reference')) {
      return { step: 'return-reference', fresh, old, reference: fresh.memo.reference };
    }
  }
  const broken = related && fresh?.memo?.oldState === 'broken';
  const down = !old.up && !performed.has('start-old');
  // One that still has its name was not touched: whoever stopped it meant it (I12).
  if (!broken && down && old.suffix !== '') return { step: 'start-old', old, mayFail: false };
  if (old.suffix !== '') return { step: 'name-old', old };
  if (related && fresh?.memo !== undefined && !samePolicy(old.policy, fresh.memo.policy)) {
    return { step: 'restore-old-policy', old, policy: fresh.memo.policy };
  }
  if (broken && down) return { step: 'start-old', old, mayFail: true };
  return fresh === undefined ? undefined : { step: 'remove-new', fresh };
}

export function samePolicy(a: Part['policy'], b: Part['policy']): boolean {
  return a.Name === b.Name && (a.MaximumRetryCount ?? 0) === (b.MaximumRetryCount ?? 0);
}

function stopTimeout({ memo }: Part): { readonly stopTimeoutMs?: number } {
  return memo?.stopTimeoutMs === undefined ? {} : { stopTimeoutMs: memo.stopTimeoutMs };
}

/** The two containers of a swap that know each other. */
function pair({ old, fresh }: Swap): Pair {
  const memo = fresh?.memo;
  if (old === undefined || fresh === undefined || memo === undefined || !isSuccessor(fresh, old)) {
    throw new EngineError('no-container', 'one of the two containers of the swap was removed by somebody');
  }
  return { old, fresh: { ...fresh, memo } };
}
