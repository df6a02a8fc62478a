/** Where a node stands in a rollout: one reading for whoever decides and whoever watches. */

import { unreachable } from '../kernel/unreachable.ts';
import type { NodeReport, NodeStatus } from './report.ts';
import type { Release } from './wave.ts';

/**
 * - `waiting`, `staged`, `underway`: something is still to come.
 * - `held`: it could not fetch the image, and says why. `refused`: the node's operator or its engine will not have it.
 *   Nobody waits for either (K4), and either may still come.
 * - `updated`, `failed`, `back`: it has ended.
 */
export const NODE_STANDINGS = [
  'updated',
  'underway',
  'staged',
  'waiting',
  'held',
  'refused',
  'failed',
  'back',
] as const;
export type NodeStanding = (typeof NODE_STANDINGS)[number];

/** What counts of a node's last report on a release: a failure from before the last word to try again shows nothing. */
export function statusOn({ status, retry = 0 }: NodeReport, release: Release): NodeStatus {
  return status === 'failed' && retry < (release.retry ?? 0) ? 'interrupted' : status;
}

/**
 * @param status what it said of this rollout, if that was the last that it said
 * @param isOnIt what runs there is what the rollout brings
 */
export function standingAfter(status: NodeStatus | undefined, isOnIt: boolean): NodeStanding {
  switch (status) {
    case 'healthy':
      return 'updated';
    case 'failed':
    case 'unhealthy':
      return 'failed';
    case 'returned':
    case 'kept':
      return 'back';
    case 'updating':
    case 'returning':
    case 'stuck':
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
    default:
      return unreachable(status);
  }
}
