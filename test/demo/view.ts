/** What the demo shows. What draws reads nothing else, and {@link ./fold.ts} makes it of what was on the bus. */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { NodeId, Region } from '@swell/shared/domain/names.ts';
import { type Rank, rankOf } from '@swell/shared/domain/rank.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';

export const NODE_STATES = [
  'waiting',
  'staged',
  'swapping',
  'probing',
  'healthy',
  'failed',
  'returning',
  'returned',
] as const;
export type NodeState = (typeof NODE_STATES)[number];

export interface NodeView {
  readonly name: NodeId;
  readonly region: Region;
  /** What it has reported of the present rollout. */
  readonly reported: NodeState;
  /** In the middle of something, as its presence tells; goes before what was reported. */
  readonly doing?: NodeState;
  readonly running?: Digest;
}

export interface RegionView {
  readonly name: Region;
  /** The standing order of the present rollout. */
  readonly wave?: Wave;
  /** Who holds each slot. */
  readonly holders: Readonly<Record<number, NodeId>>;
}

/** One line for each thing that somebody who watches wants to know. */
export interface Telling {
  readonly text: string;
  readonly tone: 'plain' | 'good' | 'bad';
}

export interface StoryLine extends Telling {
  readonly atMs: number;
}

export interface View {
  readonly regions: readonly RegionView[];
  readonly nodes: readonly NodeView[];
  /** What people call each digest. */
  readonly versions: Readonly<Record<Digest, string>>;
  /** Rollouts up to this one are told already. */
  readonly past: number;
  /** The present one, once a wave tells of it. */
  readonly rollout?: { readonly number: number; readonly version: string; readonly seed: string };
  /** Where the rollout stands as a whole, in a few words. */
  readonly standing: string;
  readonly story: readonly StoryLine[];
}

/** A fleet at rest, before anything was published. */
export function newView(
  nodes: readonly { readonly name: NodeId; readonly region: Region }[],
  versions: Readonly<Record<Digest, string>>,
): View {
  const regions = [...new Set(nodes.map(({ region }) => region))].sort();
  return {
    regions: regions.map((name) => ({ name, holders: {} })),
    nodes: nodes.map(({ name, region }) => ({ name, region, reported: 'waiting' })),
    versions,
    past: 0,
    standing: 'at rest',
    story: [],
  };
}

/** The same fleet, ready for the next rollout: where nodes are stays, what was told of the last one goes. */
export function nextAct(view: View): View {
  const { rollout, ...rest } = view;
  return {
    ...rest,
    regions: view.regions.map(({ name, holders }) => ({ name, holders })),
    nodes: view.nodes.map((node) => ({ ...node, reported: 'waiting' })),
    past: rollout?.number ?? view.past,
    standing: 'at rest',
    story: [],
  };
}

export function stateOf({ doing, reported }: NodeView): NodeState {
  return doing ?? reported;
}

/** Where a node stands in its region's line; missing while no wave says how the line is drawn. */
export function placeOf(view: View, node: NodeView): Rank | undefined {
  return view.rollout && rankOf(view.rollout.seed, node.name);
}
