/** A halt after which who is on the release stays on it, until somebody decides what comes next. */

import type { Rollout, ServiceRecord } from '@swell/shared/domain/rollout.ts';
import { isPresent, type NodeFacts } from '../nodes/census.ts';
import { isLost, reportOn } from '../nodes/standing.ts';

export function isStaying({ halted }: ServiceRecord, { release }: Rollout): boolean {
  return halted.some(({ rollout, stay }) => rollout === release.rollout && stay === true);
}

/** Has this node, which is there, begun something for the rollout that it has not ended? */
export function isInTheMiddle(facts: NodeFacts, rollout: Rollout, nowMs: number): boolean {
  const status = reportOn(facts, rollout)?.status;
  const hasBegun = status === 'updating' || status === 'returning';
  return hasBegun && isPresent(facts, nowMs) && !isLost(facts, rollout.lost);
}
