/** Where a node stands in a rollout, by the last that it said and by what runs there. */

import type { NodeId, Region } from '@swell/shared/domain/names.ts';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import type { LostNode, Rollout } from '@swell/shared/domain/rollout.ts';
import { type NodeStanding, standingAfter, statusOn } from '@swell/shared/domain/standing.ts';
import { rememberLast } from '@swell/shared/kernel/remember.ts';
import { isPresent, type NodeFacts, PRESENCE_EXPIRES_MS } from './census.ts';

/** A node's presence may lag behind its reports, by no more than this. */
const PRESENCE_LAGS_MS = PRESENCE_EXPIRES_MS / 3;

type Reading = Pick<Rollout, 'release' | 'lost'>;

export function standing(facts: NodeFacts, rollout: Reading): NodeStanding {
  if (isLost(facts, rollout.lost)) return 'failed';
  const { digest } = rollout.release.image;
  const report = reportOn(facts, rollout);
  if (report === undefined && facts.running === digest && isLeaving(facts)) return 'underway';
  const saysOtherwise =
    report?.running !== undefined && report.running !== digest && !hasBeenSeenSince(facts);
  return standingAfter(
    report && statusOn(report, rollout.release),
    facts.running === digest && !saysOtherwise,
  );
}

/** What it said of this rollout, if that was the last that it said. */
export function reportOn(facts: NodeFacts, { release }: Reading): NodeReport | undefined {
  return facts.report?.rollout === release.rollout ? facts.report : undefined;
}

export function hasEnded(is: NodeStanding): boolean {
  return is === 'updated' || is === 'failed' || is === 'back';
}

/** Does the rollout still wait for this node, once it is admitted? */
export function isAwaited(is: NodeStanding): boolean {
  return is === 'waiting' || is === 'staged' || is === 'underway';
}

/** After a halt: has this node, which is there, still to go back to its last good image? */
export function hasToReturn(facts: NodeFacts, rollout: Reading, nowMs: number): boolean {
  if (!isPresent(facts, nowMs)) return false;
  const isOnIt = facts.running === rollout.release.image.digest;
  switch (reportOn(facts, rollout)?.status) {
    case 'kept':
    case 'returned':
    case 'failed':
      return false;
    case 'healthy':
      return isOnIt || !hasBeenSeenSince(facts);
    case 'updating':
    case 'returning':
    case 'stuck':
      // Who lost his slot in the middle, and runs something else now, was helped by somebody else.
      return isOnIt || !isLost(facts, rollout.lost);
    default:
      // In the middle of another rollout, which may have the same image.
      return isOnIt || (facts.report?.status !== 'returning' && isLeaving(facts));
  }
}

/** Where the last word is of another rollout: it is in the middle of that one, and what runs there is what it leaves. */
function isLeaving(facts: NodeFacts): boolean {
  const status = facts.report?.status;
  const isInTheMiddle = status === 'updating' || status === 'returning' || status === 'stuck';
  return isInTheMiddle && !hasBeenSeenSince(facts);
}

/** What runs there was seen long enough after the node's last report to be newer than it. */
function hasBeenSeenSince({ seenAtMs, reported }: NodeFacts): boolean {
  return reported !== undefined && seenAtMs > reported.atMs + PRESENCE_LAGS_MS;
}

export function isLost({ region, node }: NodeFacts, lost: readonly LostNode[]): boolean {
  return lost.length > 0 && lostByRegion(lost).get(region)?.has(node) === true;
}

export const lostByRegion = rememberLast(
  (lost: readonly LostNode[]): ReadonlyMap<Region, ReadonlySet<NodeId>> =>
    new Map(
      [...Map.groupBy(lost, ({ region }) => region)].map(([region, nodes]) => [
        region,
        new Set(nodes.map(({ node }) => node)),
      ]),
    ),
);
