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

export function standingOf(seen: SeenNode, rollout: Pick<Rollout, 'release' | 'lost'>): NodeStanding {
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
      return isOnIt ? 'updated' : 'waiting';
  }
}

function isSame(one: LostNode, { region, node }: SeenNode): boolean {
  return one.region === region && one.node === node;
}
