/** Is the stage done, failed, or to be waited for? Three answers, as raft's quorum gives. */

import { isSpent } from '@swell/shared/domain/failure-budget.ts';
import { type Policy, stageSize } from '@swell/shared/domain/policy.ts';
import type { RegionProgress, Rollout } from '@swell/shared/domain/rollout.ts';
import { hasEnded, isAwaited, type NodeFacts, standing } from './census.ts';

/** A region of the present group: its line, and where the rollout stands in it. */
export interface ActiveRegion {
  readonly line: readonly NodeFacts[];
  readonly progress: RegionProgress;
}

export type StageVerdict =
  | { readonly is: 'won' }
  | { readonly is: 'pending'; readonly steps: number }
  | { readonly is: 'lost'; readonly failed: number; readonly attempted: number };

/** Have enough of the stage's nodes the image at hand? */
export function judgeStaging(
  rollout: Rollout,
  regions: readonly ActiveRegion[],
  policy: Policy,
): StageVerdict {
  const concerned = regions.flatMap(({ line, progress }) =>
    line.filter(({ rank }) => rank < progress.stageBelow),
  );
  const ready = concerned.filter((facts) => {
    const is = standing(facts, rollout);
    return is === 'staged' || is === 'underway' || hasEnded(is);
  });
  // An empty look-out is no quorum: after a restart of the bus nobody has said yet that he is there.
  if (concerned.length === 0) return { is: 'pending', steps: 0 };
  const enough = ready.length * 100 >= policy.stagingQuorumPercent * concerned.length;
  return enough ? { is: 'won' } : { is: 'pending', steps: ready.length };
}

/**
 * Has the stage come to its end, or has it failed too often?
 *
 * @param everybody every node of the service, away or not: a failure counts though its node has gone
 */
export function judgeStage(
  rollout: Rollout,
  regions: readonly ActiveRegion[],
  everybody: readonly NodeFacts[],
  policy: Policy,
): StageVerdict {
  const stageEnded = hasStageEnded(rollout, regions, policy);
  const { attempted, failed } = countAttempts(rollout, everybody);
  if (isSpent(policy.failureBudget, { attempted, failed, stageEnded }))
    return { is: 'lost', failed, attempted };
  return stageEnded ? { is: 'won' } : { is: 'pending', steps: attempted };
}

function hasStageEnded(rollout: Rollout, regions: readonly ActiveRegion[], policy: Policy): boolean {
  const percent = policy.stagesPercent[rollout.stage] ?? 100;
  if (regions.every(({ line }) => line.length === 0)) return false;
  return regions.every(({ line, progress }) => {
    const admitted = line.filter(({ rank }) => rank < progress.cursor);
    return (
      admitted.length >= stageSize(percent, line.length) &&
      admitted.every((facts) => !isAwaited(standing(facts, rollout)))
    );
  });
}

/** Nodes that have shown something of the release: who was on it already has not. */
export function countAttempts(
  rollout: Rollout,
  everybody: readonly NodeFacts[],
): { readonly attempted: number; readonly failed: number } {
  const failed = everybody.filter((facts) => standing(facts, rollout) === 'failed').length;
  const succeeded = everybody.filter(
    (facts) => standing(facts, rollout) === 'updated' && facts.report?.attempt !== undefined,
  ).length;
  return { attempted: failed + succeeded, failed };
}
