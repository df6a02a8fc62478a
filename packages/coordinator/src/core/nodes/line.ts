/** A region's present nodes in order of rank, and how far each has come: what admission and verdict look at. */

import type { NodeId, Region } from '@swell/shared/domain/names.ts';
import type { Rank } from '@swell/shared/domain/rank.ts';
import type { LostNode, Rollout } from '@swell/shared/domain/rollout.ts';
import type { NodeStanding } from '@swell/shared/domain/standing.ts';
import type { Release } from '@swell/shared/domain/wave.ts';
import { rememberLast } from '@swell/shared/kernel/remember.ts';
import { type Census, isPresent, type NodeFacts, PRESENCE_EXPIRES_MS } from './census.ts';
import { standing } from './standing.ts';

export interface Line {
  readonly nodes: readonly NodeFacts[];
  /** Of each node of the line. */
  readonly standings: readonly NodeStanding[];
}

type RegionNodes = ReadonlyMap<NodeId, NodeFacts>;

const NOBODY: RegionNodes = new Map();

export function lineOf(census: Census, rollout: Rollout, region: Region, nowMs: number): Line {
  const nodes = presentNodes(census, region, nowMs);
  return { nodes, standings: standings(nodes, rollout.release, rollout.lost) };
}

/** Who of a region is there, in order of rank. Asked several times at every step, so the answer is kept while it holds. */
export function presentNodes(census: Census, region: Region, nowMs: number): readonly NodeFacts[] {
  const nodes = census.get(region) ?? NOBODY;
  const known = PRESENT.get(nodes);
  if (known !== undefined && known.fromMs <= nowMs && nowMs < known.untilMs) return known.present;
  const present: NodeFacts[] = [];
  let [fromMs, untilMs] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const facts of nodes.values()) {
    const expiresMs = facts.seenAtMs + PRESENCE_EXPIRES_MS;
    if (isPresent(facts, nowMs)) {
      present.push(facts);
      untilMs = Math.min(untilMs, expiresMs);
    } else {
      fromMs = Math.max(fromMs, expiresMs);
    }
  }
  PRESENT.set(nodes, { fromMs, untilMs, present });
  return present;
}

const PRESENT = new WeakMap<
  RegionNodes,
  { readonly fromMs: number; readonly untilMs: number; readonly present: readonly NodeFacts[] }
>();

const standings = rememberLast(
  (nodes: readonly NodeFacts[], release: Release, lost: readonly LostNode[]): readonly NodeStanding[] => {
    const rollout = { release, lost };
    return nodes.map((facts) => standing(facts, rollout));
  },
);

/** How many of the line stand below a rank: its first nodes. */
export function countBelow({ nodes }: Pick<Line, 'nodes'>, rank: Rank): number {
  let [low, high] = [0, nodes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((nodes[middle]?.rank ?? 1) < rank) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many of the line's first `count` nodes stand so. */
export function countStanding(
  { standings: all }: Line,
  count: number,
  wanted: (is: NodeStanding) => boolean,
): number {
  let found = 0;
  for (let index = 0; index < count; index += 1) {
    const is = all[index];
    if (is !== undefined && wanted(is)) found += 1;
  }
  return found;
}

/** Of a line's first `count` nodes those that stand so. */
export function nodesStanding(
  { nodes, standings: all }: Line,
  count: number,
  wanted: (is: NodeStanding) => boolean,
): readonly NodeFacts[] {
  return nodes.slice(0, count).filter((_, index) => {
    const is = all[index];
    return is !== undefined && wanted(is);
  });
}
