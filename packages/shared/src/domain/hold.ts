/** Nodes that a rollout passes over for now. */

import type { Digest } from './image.ts';
import type { NodeId, Region } from './names.ts';

/** Nodes of which all that is named is true. */
export interface NodeChoice {
  readonly nodes?: readonly NodeId[];
  readonly label?: string;
  /** A version, or a range of semver.org. */
  readonly version?: string;
  readonly region?: Region;
}

/** As a policy or an operator's word says it. */
export interface HoldRule extends NodeChoice {
  readonly reason: string;
}

/** As a wave says it, in what a node knows of itself: a version is known by its digest. */
export interface Hold {
  readonly nodes?: readonly NodeId[];
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
  {
    node,
    labels,
    digests,
  }: { readonly node: NodeId; readonly labels: readonly string[]; readonly digests: readonly Digest[] },
): string | undefined {
  const hold = holds.find(
    ({ nodes, label, running, notRunning }) =>
      (nodes === undefined || nodes.includes(node)) &&
      (label === undefined || labels.includes(label)) &&
      (running === undefined || digests.some((one) => running.includes(one))) &&
      (notRunning === undefined || !digests.some((one) => notRunning.includes(one))),
  );
  return hold && `it is held: ${hold.reason}`;
}
