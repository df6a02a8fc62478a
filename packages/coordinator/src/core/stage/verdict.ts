/** Is the stage done, failed, or to be waited for? Three answers, as raft's quorum gives. */

import { isSpent } from '@swell/shared/domain/failure-budget.ts';
import { type Policy, stageSize } from '@swell/shared/domain/policy.ts';
import type { RegionProgress, Rollout } from '@swell/shared/domain/rollout.ts';
import type { NodeStanding } from '@swell/shared/domain/standing.ts';
import type { NodeFacts } from '../nodes/census.ts';
import { countBelow, countStanding, type Line, nodesStanding } from '../nodes/line.ts';
import { hasEnded, isAwaited } from '../nodes/standing.ts';
import type { Attempts } from '../nodes/tally.ts';

/** A region of the present group: its line, and where the rollout stands in it. */
export interface ActiveRegion {
  readonly line: Line;
  readonly progress: RegionProgress;
  /** Nobody there starts now. */
  readonly isClosed: boolean;
}

export type StageVerdict =
  | { readonly is: 'won' }
  /** All of its nodes refuse: it tells nothing of the release. */
  | { readonly is: 'void' }
  | { readonly is: 'pending'; readonly steps: number }
  | { readonly is: 'lost'; readonly failed: number; readonly attempted: number };

/** Have enough of the stage's nodes the image at hand? Who refuses it is not asked; where all do, nobody is waited for. */
export function judgeStaging(
  regions: readonly ActiveRegion[],
  policy: Policy,
): Extract<StageVerdict, { is: 'won' | 'pending' }> {
  const present = sum(regions, (_, count) => count);
  const concerned = sum(regions, (line, count) => countStanding(line, count, (is) => is !== 'refused'));
  const ready = sum(regions, (line, count) => countStanding(line, count, isReady));
  // An empty look-out is no quorum: after a restart of the bus nobody has said yet that he is there.
  const enough = present > 0 && ready * 100 >= policy.stagingQuorumPercent * concerned;
  return enough ? { is: 'won' } : { is: 'pending', steps: ready };
}

function isReady(is: NodeStanding): boolean {
  return is === 'staged' || is === 'underway' || hasEnded(is);
}

function sum(regions: readonly ActiveRegion[], count: (line: Line, staged: number) => number): number {
  return regions.reduce(
    (total, { line, progress }) => total + count(line, countBelow(line, progress.stageBelow)),
    0,
  );
}

/** Has the stage come to its end, or has it failed too often? */
export function judgeStage(
  rollout: Rollout,
  regions: readonly ActiveRegion[],
  attempts: Attempts,
  policy: Policy,
): StageVerdict {
  const end = endOf(rollout, regions);
  const { name } = rollout.phase;
  // Once it is being watched a stage has ended, whoever joins it then.
  const stageEnded = end === 'won' || name === 'soaking' || name === 'gated';
  if (isSpent(policy.failureBudget, { ...attempts, stageEnded })) return { is: 'lost', ...attempts };
  return end === undefined ? { is: 'pending', steps: attempts.attempted } : { is: end };
}

/** All that it takes in are admitted, and none is awaited. None at all that has come through is no success. */
function endOf({ percent }: Rollout, regions: readonly ActiveRegion[]): 'won' | 'void' | undefined {
  let through = 0;
  let unwilling = 0;
  let all = 0;
  for (const { line, progress } of regions) {
    const admitted = countBelow(line, progress.cursor);
    if (admitted < stageSize(percent, line.nodes.length)) return undefined;
    if (countStanding(line, admitted, isAwaited) > 0) return undefined;
    through += countStanding(line, admitted, hasEnded);
    unwilling += countStanding(line, admitted, (is) => is === 'refused');
    all += admitted;
  }
  if (through > 0) return 'won';
  return all > 0 && unwilling === all ? 'void' : undefined;
}

/** Does the stage wait for nobody, only for the time at which somebody more may start? */
export function awaitsTime(rollout: Rollout, regions: readonly ActiveRegion[]): boolean {
  if (rollout.phase.name !== 'rolling') return false;
  const open = regions
    .filter(({ isClosed }) => !isClosed)
    .map(({ line, progress }) => ({ line, count: countBelow(line, progress.cursor) }));
  const isHeld =
    open.length < regions.length ||
    open.some(({ line, count }) => count < stageSize(rollout.percent, line.nodes.length));
  return isHeld && open.every(({ line, count }) => countStanding(line, count, isAwaited) === 0);
}

/** Who is missing for the verdict: nodes of the stage without the image while it stages, else admitted ones. */
export function missingNodes(rollout: Rollout, regions: readonly ActiveRegion[]): readonly NodeFacts[] {
  const stages = rollout.phase.name === 'staging';
  return regions.flatMap(({ line, progress }) =>
    nodesStanding(line, countBelow(line, stages ? progress.stageBelow : progress.cursor), (is) =>
      stages ? !isReady(is) : !hasEnded(is),
    ),
  );
}
