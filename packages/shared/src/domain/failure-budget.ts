import { exactly, type FailureBudget } from './policy.ts';

export interface Tally {
  /** Attempts that have shown something: healthy, failed, lost. */
  readonly attempted: number;
  readonly failed: number;
  /** Nothing more is to come in this stage. */
  readonly stageEnded: boolean;
}

/**
 * Is the budget spent? As Swarm and hawkBit do, *more* than the limit fails; as AWS IoT Jobs do, a percentage waits for
 * a minimum sample, but no longer than the stage lasts: three failures of three are enough. So they are of a number,
 * however large: a stage through which nobody has come is no ground to go on from.
 */
export function isSpent(budget: FailureBudget, tally: Tally): boolean {
  if (tally.stageEnded && tally.attempted > 0 && tally.failed === tally.attempted) return true;
  if (budget.max.kind === 'count') return tally.failed > budget.max.count;
  if (tally.attempted === 0) return false;
  if (tally.attempted < budget.minSample && !tally.stageEnded) return false;
  return tally.failed * 100 > exactly(budget.max.percent * tally.attempted);
}
