/** Who is there, how far each has come, and what that adds up to. */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { NodeId, Region } from '@swell/shared/domain/names.ts';
import { type Rank, rankOf } from '@swell/shared/domain/rank.ts';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import type { Rollout } from '@swell/shared/domain/rollout.ts';
import type { NodeSighting } from './events.ts';

/** A node that has been silent for longer is away. */
export const PRESENCE_EXPIRES_MS = 180_000;

export interface NodeFacts {
  readonly node: NodeId;
  /** By the present rollout's seed. */
  readonly rank: Rank;
  /** When it was last seen with a container of the service; never: it has only been heard of. */
  readonly seenAtMs: number;
  readonly running?: Digest;
  readonly report?: NodeReport;
}

export type Census = ReadonlyMap<Region, ReadonlyMap<NodeId, NodeFacts>>;

/**
 * Where a node stands in a rollout.
 *
 * - `waiting`, `staged`, `underway`: something is still to come.
 * - `held`: it cannot for now, and said why; nobody waits for it (K4), and it may still come.
 * - `updated`, `failed`, `back`: it has ended.
 */
export type NodeStanding = 'waiting' | 'staged' | 'underway' | 'held' | 'updated' | 'failed' | 'back';

const NEVER_MS = Number.NEGATIVE_INFINITY;

export function withSightings(census: Census, sightings: readonly NodeSighting[], seed: string): Census {
  return changed(census, sightings, seed, (facts, { presence, seenAtMs }) => {
    const { running: _, ...rest } = facts;
    if (presence === undefined) return { ...rest, seenAtMs: NEVER_MS };
    return { ...rest, seenAtMs, ...(presence.running !== undefined && { running: presence.running }) };
  });
}

export function withReports(census: Census, reports: readonly NodeReport[], seed: string): Census {
  return changed(census, reports, seed, (facts, report) => ({ ...facts, report }));
}

/** The line is drawn anew for each rollout. */
export function reranked(census: Census, seed: string): Census {
  const rerank = (facts: NodeFacts): NodeFacts => ({ ...facts, rank: rankOf(seed, facts.node) });
  return new Map(
    [...census].map(([region, nodes]) => [
      region,
      new Map([...nodes].map(([node, facts]) => [node, rerank(facts)])),
    ]),
  );
}

/** Copies each region's map at most once, however many of its nodes spoke. */
function changed<Said extends { readonly region: Region; readonly node: NodeId }>(
  census: Census,
  said: readonly Said[],
  seed: string,
  change: (facts: NodeFacts, one: Said) => NodeFacts,
): Census {
  const next = new Map(census);
  const copies = new Map<Region, Map<NodeId, NodeFacts>>();
  for (const one of said) {
    const copy = copies.get(one.region) ?? new Map(census.get(one.region));
    const facts = copy.get(one.node) ?? { node: one.node, rank: rankOf(seed, one.node), seenAtMs: NEVER_MS };
    copies.set(one.region, copy.set(one.node, change(facts, one)));
    next.set(one.region, copy);
  }
  return next;
}

export function isPresent(facts: NodeFacts, nowMs: number): boolean {
  return nowMs - facts.seenAtMs < PRESENCE_EXPIRES_MS;
}

/** A region's present nodes in line. */
export function inLine(census: Census, region: Region, nowMs: number): readonly NodeFacts[] {
  const nodes = [...(census.get(region)?.values() ?? [])].filter((facts) => isPresent(facts, nowMs));
  return nodes.sort((a, b) => a.rank - b.rank);
}

/** Every node that was ever heard of, away or not. */
export function everybody(census: Census): readonly NodeFacts[] {
  return [...census.values()].flatMap((nodes) => [...nodes.values()]);
}

export function standing(facts: NodeFacts, rollout: Rollout): NodeStanding {
  const { release, lost } = rollout;
  if (lost.includes(facts.node)) return 'failed';
  const report = facts.report?.rollout === release.rollout ? facts.report : undefined;
  switch (report?.status) {
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
    case 'refused':
      return 'held';
    case 'staged':
    case 'interrupted':
      return facts.running === release.image.digest ? 'updated' : 'staged';
    case undefined:
      return facts.running === release.image.digest ? 'updated' : 'waiting';
  }
}

const ENDED: readonly NodeStanding[] = ['updated', 'failed', 'back'];
export function hasEnded(is: NodeStanding): boolean {
  return ENDED.includes(is);
}

/** Does the rollout still wait for this node, once it is admitted? */
export function isAwaited(is: NodeStanding): boolean {
  return !hasEnded(is) && is !== 'held';
}

/** After a halt: has this node still to go back to its last good image? */
export function hasToReturn(facts: NodeFacts, rollout: Rollout): boolean {
  const said = facts.report?.rollout === rollout.release.rollout ? facts.report.status : undefined;
  if (said === 'updating' || said === 'returning' || said === 'healthy') return true;
  return (
    facts.running === rollout.release.image.digest &&
    said !== 'kept' &&
    said !== 'returned' &&
    said !== 'failed'
  );
}
