/** Attempts of a rollout that have shown something, by whomever and wherever he is now. */

import type { NodeId } from '@swell/shared/domain/names.ts';
import type { LostNode, Rollout } from '@swell/shared/domain/rollout.ts';
import type { Release } from '@swell/shared/domain/wave.ts';
import { rememberLast } from '@swell/shared/kernel/remember.ts';
import type { Census, NodeFacts } from './census.ts';
import { isLost, lostByRegion, reportOn, standing } from './standing.ts';

export interface Attempts {
  readonly attempted: number;
  readonly failed: number;
}

/** Every node counts, away or not: a failure stays one though its node has gone. Who was on the release already does not. */
export function countAttempts({ release, lost }: Rollout, census: Census): Attempts {
  let attempted = 0;
  let failed = 0;
  for (const nodes of census.values()) {
    const counted = countOfRegion(nodes, release, lost);
    attempted += counted.attempted;
    failed += counted.failed;
  }
  // Each node once, also where it was never heard of but by the slot that it lost.
  const away = [...lostByRegion(lost).values()].reduce((sum, nodes) => sum + nodes.size, 0);
  return { attempted: attempted + away, failed: failed + away };
}

const countOfRegion = rememberLast(
  (nodes: ReadonlyMap<NodeId, NodeFacts>, release: Release, lost: readonly LostNode[]): Attempts => {
    const rollout = { release, lost };
    let [attempted, failed] = [0, 0];
    for (const facts of nodes.values()) {
      const report = reportOn(facts, rollout);
      if (report === undefined || isLost(facts, lost)) continue;
      const is = standing(facts, rollout);
      if (is === 'failed') failed += 1;
      if (is === 'failed' || (is === 'updated' && report.attempt !== undefined)) attempted += 1;
    }
    return { attempted, failed };
  },
);
