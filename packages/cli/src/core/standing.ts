/** Where a node stands in a rollout, as an observer reads it: the words are the coordinator's (GLOSSARY), the decisions too. */

import type { LostNode, Rollout } from '@swell/shared/domain/rollout.ts';
import type { SeenNode } from './sightings.ts';

export const STANDINGS = [
  'updated',
  'underway',
  'staged',
  'waiting',
  'held',
  'refused',
  'failed',
  'back',
] as const;
export type NodeStanding = (typeof STANDINGS)[number];

/** @param toldFailed the log tells that it failed: once a rollout rests, nodes speak of what the fleet had settled on */
export function standingOf(
  seen: SeenNode,
  rollout: Pick<Rollout, 'release' | 'lost'>,
  toldFailed: boolean,
): NodeStanding {
  const { release, lost } = rollout;
  if (lost.some((one) => isSame(one, seen))) return 'failed';
  const isOnIt = seen.presence?.running === release.image.digest;
  const status = seen.report?.rollout === release.rollout ? seen.report.status : undefined;
  switch (status) {
    case 'healthy':
      return 'updated';
    case 'failed':
      return 'failed';
    case 'returned':
    case 'kept':
      return 'back';
    case 'updating':
    case 'returning':
      return 'underway';
    case 'stage-failed':
      return isOnIt ? 'updated' : 'held';
    case 'refused':
      return isOnIt ? 'updated' : 'refused';
    case 'staged':
    case 'interrupted':
      return isOnIt ? 'updated' : 'staged';
    case undefined:
      if (isOnIt) return 'updated';
      return toldFailed ? 'failed' : 'waiting';
  }
}

function isSame(one: LostNode, { region, node }: SeenNode): boolean {
  return one.region === region && one.node === node;
}
