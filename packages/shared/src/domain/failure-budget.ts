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
 * a minimum sample, but no longer than the stage lasts: three failures of three are enough.
 */
export function isSpent(budget: FailureBudget, tally: Tally): boolean {
  if (budget.max.kind === 'count') return tally.failed > budget.max.count;
  if (tally.attempted === 0) return false;
  if (tally.attempted < budget.minSample && !tally.stageEnded) return false;
  return tally.failed * 100 > exactly(budget.max.percent * tally.attempted);
}
