/** Where a node stands in a rollout, as an observer reads it. */

import type { LostNode, Rollout } from '@swell/shared/domain/rollout.ts';
import { type NodeStanding, standingAfter, statusOn } from '@swell/shared/domain/standing.ts';
import type { SeenNode } from './sightings.ts';

/** @param toldFailed the log tells that it failed: once a rollout rests, nodes speak of what the fleet had settled on */
export function standingOf(
  seen: SeenNode,
  rollout: Pick<Rollout, 'release' | 'lost'>,
  toldFailed: boolean,
): NodeStanding {
  const { release, lost } = rollout;
  if (lost.some((one) => isSame(one, seen))) return 'failed';
  const isOnIt = seen.presence?.running === release.image.digest;
  const status = seen.report?.rollout === release.rollout ? statusOn(seen.report, release) : undefined;
  return status === undefined && !isOnIt && toldFailed ? 'failed' : standingAfter(status, isOnIt);
}

function isSame(one: LostNode, { region, node }: SeenNode): boolean {
  return one.region === region && one.node === node;
}
