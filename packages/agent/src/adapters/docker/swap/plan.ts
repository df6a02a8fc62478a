/**
 * The next step of a swap, from nothing but what is found and what is wanted. Whoever performs it looks again and asks
 * again, so a call that died anywhere is finished by the next one.
 */

import { EngineError } from '../../engine.ts';
import { isSuccessor, type Part, progressOf, type Swap, staysStopped } from '../marks.ts';

export type Intent = 'prepare' | 'beside' | 'cut-over' | 'commit' | 'undo';

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

/**
 * The steps that this run has performed, each with the name of its container: what leaves no mark, and what need not last
 * (a start), is not done twice.
 */
export type Performed = ReadonlySet<string>;

export function performedKey(step: StepName, base: string): string {
  return `${step} ${base}`;
}

const NO_RESTART = 'no';
/** So that dockerd itself goes back to the old container after a reboot, even with the agent gone. */
const GUARD = 'always';

/** What is to be done to one container in its stage; `undefined`: nothing any more. */
type Stage = (swap: Swap, did: (step: StepName) => boolean) => Step | undefined;
/** Whoever lives in a container's namespaces starts after it, and stops before it. */
type Staged = readonly (readonly [Stage, 'forth' | 'back'])[];

const STAGES: Readonly<Record<Intent, Staged>> = {
  prepare: [[(swap, did) => toPrepare(pair(swap), did), 'forth']],
  beside: [[toStartBeside, 'forth']],
  'cut-over': [
    [toLeave, 'forth'],
    [toStop, 'back'],
    [toTakeOver, 'forth'],
  ],
  commit: [
    [toCommit, 'forth'],
    [toFinish, 'forth'],
    [toForget, 'back'],
  ],
  undo: [
    [toGiveUp, 'forth'],
    [toStopNew, 'back'],
    [toGoBack, 'forth'],
    [toClear, 'back'],
  ],
};

/**
 * The next step for containers that go together, in the order in which they start. `undefined`: the intent is reached.
 * Throws where it cannot be.
 */
export function nextStep(swaps: readonly Swap[], intent: Intent, performed: Performed): Step | undefined {
  if (intent !== 'commit' && intent !== 'undo') return inStages(swaps, STAGES[intent], performed);
  const forth = swaps.filter((swap) => attainable(swap, intent) === 'commit');
  const back = swaps.filter((swap) => attainable(swap, intent) === 'undo');
  return inStages(forth, STAGES.commit, performed) ?? inStages(back, STAGES.undo, performed);
}

function inStages(swaps: readonly Swap[], stages: Staged, performed: Performed): Step | undefined {
  for (const [stage, direction] of stages) {
    for (const swap of direction === 'forth' ? swaps : swaps.toReversed()) {
      const step = stage(swap, (name) => performed.has(performedKey(name, swap.base)));
      if (step !== undefined) return step;
    }
  }
  return undefined;
}

/**
 * What can still be had. A commit whose new container was removed by somebody can only go back; an undo that comes too
 * late, or whose old container is gone, can only go on.
 */
export function attainable(swap: Swap, intent: 'commit' | 'undo'): 'commit' | 'undo' {
  if (swap.fresh === undefined) return 'undo';
  return progressOf(swap) === 'committed' ? 'commit' : intent;
}

type Did = Parameters<Stage>[1];

interface Pair {
  readonly old: Part;
  readonly fresh: Part & { readonly memo: NonNullable<Part['memo']> };
}

function toPrepare({ old, fresh }: Pair, did: Did): Step | undefined {
  if (fresh.suffix !== '.swell-draft') return undefined;
  const network = old.networks.find((name) => !fresh.networks.includes(name));
  if (network !== undefined) return { step: 'connect-network', fresh, old, network };
  if (!did('copy-files')) return { step: 'copy-files', fresh, old };
  return { step: 'prove', fresh, old };
}

/** Under the name that it has while it waits: the old one keeps its own, and serves. */
function toStartBeside(swap: Swap, did: Did): Step | undefined {
  const { old, fresh } = pair(swap);
  const isDue = fresh.suffix === '.swell-next' && !fresh.started && !did('start-new');
  return toPrepare({ old, fresh }, did) ?? (isDue ? { step: 'start-new', fresh, mayFail: false } : undefined);
}

/** All that needs no standstill. A container that was set aside is known to be ours to start again. */
function toLeave(swap: Swap, did: Did): Step | undefined {
  if (progressOf(swap) === 'committed') return undefined;
  const { old, fresh } = pair(swap);
  if (fresh.suffix === '.swell-failed') throw new EngineError('start-failed', 'the swap is being undone');
  const preparing = toPrepare({ old, fresh }, did);
  if (preparing !== undefined) return preparing;
  if (fresh.suffix !== '' && movesReference(fresh) && !did('move-reference'))
    return { step: 'move-reference', fresh, reference: fresh.memo.reference };
  if (!isCircling({ old, fresh })) {
    const naming = toRename({ old, fresh });
    if (naming !== undefined) return naming;
  }
  // Where there is no way back it is guarded until it has stopped, and disarmed then.
  const isOver = fresh.memo.irreversible === true && !old.up;
  return isOver || old.policy.Name === GUARD || staysStopped(fresh) ? undefined : { step: 'guard-old', old };
}

/** One that runs in circles has nothing to lose, and Docker cannot rename it while it comes and goes. */
function isCircling({ old, fresh }: Pair): boolean {
  return fresh.memo.oldState === 'broken' && old.up;
}

function toRename({ old, fresh }: Pair): Step | undefined {
  if (old.suffix === '') return { step: 'set-aside-old', old };
  return fresh.suffix === '' ? undefined : { step: 'name-new', fresh };
}

function toStop(swap: Swap): Step | undefined {
  if (progressOf(swap) === 'committed') return undefined;
  const { old, fresh } = pair(swap);
  return old.up ? { step: 'stop-old', old, ...stopTimeout(fresh) } : undefined;
}

function toTakeOver(swap: Swap, did: Did): Step | undefined {
  if (progressOf(swap) === 'committed') return undefined;
  const { old, fresh } = pair(swap);
  const naming = toRename({ old, fresh });
  if (naming !== undefined || staysStopped(fresh)) return naming;
  const parting = fresh.memo.irreversible === true ? toPart({ old, fresh }) : undefined;
  if (parting !== undefined) return parting;
  // One that ran and ended has shown what it is; it is started again only where the old one ran in between.
  const due = !fresh.started || did('stop-old');
  return !fresh.up && due && !did('start-new') ? { step: 'start-new', fresh, mayFail: false } : undefined;
}

/** Before the new one is started, so that dockerd itself never starts the old one after it, and keeps the new one up. */
function toPart({ old, fresh }: Pair): Step | undefined {
  if (old.policy.Name !== NO_RESTART) return { step: 'disarm-old', old };
  const { policy } = fresh.memo;
  return samePolicy(fresh.policy, policy) ? undefined : { step: 'restore-new-policy', fresh, policy };
}

/** Whoever commits has judged; a new container that does not run is as good as one that runs. */
function toCommit({ old, fresh }: Swap): Step | undefined {
  if (old === undefined) return undefined;
  if (fresh === undefined || fresh.suffix !== '') {
    throw new EngineError('no-container', 'there is no new container in place to commit');
  }
  if (!isSuccessor(fresh, old)) return { step: 'remove-old', old };
  // dockerd was restarted, and went back by itself.
  if (old.up) return { step: 'stop-old', old, ...stopTimeout(fresh) };
  return old.suffix === '.swell-old' ? undefined : { step: 'pass-commit-point', old };
}

/** Past the commit point, or with the old container taken away by somebody, there is only forward. */
function toFinish({ fresh }: Swap, did: Did): Step | undefined {
  if (fresh === undefined) return undefined;
  // Started before it is named: one that has the name and does not run is nobody's unfinished work.
  if (!fresh.up && !staysStopped(fresh) && !did('start-new'))
    return { step: 'start-new', fresh, mayFail: true };
  if (fresh.suffix !== '') return { step: 'name-new', fresh };
  if (fresh.memo === undefined || samePolicy(fresh.policy, fresh.memo.policy)) return undefined;
  return { step: 'restore-new-policy', fresh, policy: fresh.memo.policy };
}

function toForget({ old, fresh }: Swap, did: Did): Step | undefined {
  if (old === undefined || fresh === undefined) return undefined;
  if (movesReference(fresh) && !did('keep-last-good')) return { step: 'keep-last-good', fresh };
  if (old.policy.Name !== NO_RESTART) return { step: 'disarm-old', old };
  return { step: 'remove-old', old };
}

function toGiveUp(swap: Swap): Step | undefined {
  if (progressOf(swap) === 'committed')
    throw new EngineError('not-carried', 'the swap is past its commit point');
  return swap.fresh?.suffix === '' ? { step: 'mark-failed', fresh: swap.fresh } : undefined;
}

function toStopNew({ fresh }: Swap): Step | undefined {
  return fresh?.up === true ? { step: 'stop-new', fresh, ...stopTimeout(fresh) } : undefined;
}

function toGoBack({ old, fresh }: Swap, did: Did): Step | undefined {
  if (old === undefined) return undefined;
  const memo = isSuccessor(fresh, old) ? fresh?.memo : undefined;
  if (fresh !== undefined && memo !== undefined && movesReference(fresh) && !did('return-reference')) {
    return { step: 'return-reference', fresh, old, reference: memo.reference };
  }
  const broken = memo?.oldState === 'broken';
  const down = !old.up && memo?.oldState !== 'stopped' && !did('start-old');
  // One that still has its name was not touched: whoever stopped it meant it (I12).
  if (!broken && down && old.suffix !== '') return { step: 'start-old', old, mayFail: false };
  if (old.suffix !== '') return { step: 'name-old', old };
  if (memo !== undefined && !samePolicy(old.policy, memo.policy)) {
    return { step: 'restore-old-policy', old, policy: memo.policy };
  }
  return broken && down ? { step: 'start-old', old, mayFail: true } : undefined;
}

function toClear({ fresh }: Swap): Step | undefined {
  return fresh === undefined ? undefined : { step: 'remove-new', fresh };
}

/** One that goes along keeps its image: what its tag stands for is nobody's business here. */
function movesReference({ memo }: Part): boolean {
  return memo?.along === undefined;
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
