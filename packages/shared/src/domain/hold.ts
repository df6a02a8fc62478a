/** Nodes that a rollout passes over for now. */

import type { Digest } from './image.ts';
import type { Region } from './names.ts';

/** As a policy says it: nodes of which all that is named is true. */
export interface HoldRule {
  readonly label?: string;
  /** A version, or a range of semver.org. */
  readonly version?: string;
  readonly region?: Region;
  readonly reason: string;
}

/** As a wave says it, in what a node knows of itself: a version is known by its digest. */
export interface Hold {
  readonly label?: string;
  /** Nodes that run one of these. */
  readonly running?: readonly Digest[];
  /** Nodes that run none of these. */
  readonly notRunning?: readonly Digest[];
  readonly reason: string;
}

/** Why a node is held; `undefined`: it is not. */
export function heldBy(
  holds: readonly Hold[],
  { labels, digests }: { readonly labels: readonly string[]; readonly digests: readonly Digest[] },
): string | undefined {
  const hold = holds.find(
    ({ label, running, notRunning }) =>
      (label === undefined || labels.includes(label)) &&
      (running === undefined || digests.some((one) => running.includes(one))) &&
      (notRunning === undefined || !digests.some((one) => notRunning.includes(one))),
  );
  return hold && `it is held: ${hold.reason}`;
}
