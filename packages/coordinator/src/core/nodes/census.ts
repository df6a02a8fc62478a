/** Who is there, and what each has said last. */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { NodeId, Region } from '@swell/shared/domain/names.ts';
import { type Draw, type Rank, rankIn } from '@swell/shared/domain/rank.ts';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import type { HeardReport, NodeSighting } from '../events.ts';

/** A node that has been silent for longer is away. */
export const PRESENCE_EXPIRES_MS = 180_000;

/** Every field is always there: of a hundred thousand of these, one shape is walked ten times as fast as several. */
export interface NodeFacts {
  readonly region: Region;
  readonly node: NodeId;
  /** By the present rollout's seed. */
  readonly rank: Rank;
  /** When it was last seen with a container of the service; never: it has only been heard of. */
  readonly seenAtMs: number;
  readonly running: Digest | undefined;
  readonly labels: readonly string[];
  readonly report: NodeReport | undefined;
  /** Where the bus stored the report, and when it was heard. */
  readonly reported: { readonly sequence: number; readonly atMs: number } | undefined;
}

/** A region's nodes stand in it in order of rank, so that it can be walked down as a line. */
export type Census = ReadonlyMap<Region, ReadonlyMap<NodeId, NodeFacts>>;

/** What each region's line is drawn by. */
export type Draws = (region: Region) => Draw;

const UNLABELLED: readonly string[] = [];
const NEVER_MS = Number.NEGATIVE_INFINITY;

export function withSightings(census: Census, sightings: readonly NodeSighting[], draws: Draws): Census {
  return changed(census, sightings, draws, (facts, { presence, seenAtMs, labels = UNLABELLED }) =>
    presence === undefined
      ? { ...facts, seenAtMs: NEVER_MS, running: undefined }
      : { ...facts, seenAtMs, running: presence.running, labels },
  );
}

export function withReports(census: Census, heard: readonly HeardReport[], draws: Draws): Census {
  const said = heard.map(({ report, sequence, heardAtMs }) => ({
    region: report.region,
    node: report.node,
    report,
    reported: { sequence, atMs: heardAtMs },
  }));
  return changed(census, said, draws, (facts, { report, reported }) =>
    isOlder(reported, facts.reported) ? facts : { ...facts, report, reported },
  );
}

/** A stream that was made again counts from the beginning; but its messages are younger. */
function isOlder(one: NonNullable<NodeFacts['reported']>, known: NodeFacts['reported']): boolean {
  return known !== undefined && one.sequence <= known.sequence && one.atMs <= known.atMs;
}

/** The line is drawn anew for each rollout. */
export function reranked(census: Census, draws: Draws): Census {
  return new Map(
    [...census].map(([region, nodes]) => [
      region,
      lined([...nodes.values()].map((facts) => ({ ...facts, rank: rankIn(draws(region), facts.node) }))),
    ]),
  );
}

/** Copies each region's map at most once, however many of its nodes spoke. */
function changed<Said extends { readonly region: Region; readonly node: NodeId }>(
  census: Census,
  said: readonly Said[],
  draws: Draws,
  change: (facts: NodeFacts, one: Said) => NodeFacts,
): Census {
  const next = new Map(census);
  for (const [region, ones] of Map.groupBy(said, (one) => one.region)) {
    const nodes = new Map(census.get(region));
    const known = nodes.size;
    for (const one of ones)
      nodes.set(one.node, change(nodes.get(one.node) ?? unheard(one, draws(region)), one));
    next.set(region, nodes.size === known ? nodes : lined([...nodes.values()]));
  }
  return next;
}

function unheard({ region, node }: Pick<NodeFacts, 'region' | 'node'>, draw: Draw): NodeFacts {
  return {
    region,
    node,
    rank: rankIn(draw, node),
    seenAtMs: NEVER_MS,
    running: undefined,
    labels: UNLABELLED,
    report: undefined,
    reported: undefined,
  };
}

function lined(nodes: NodeFacts[]): ReadonlyMap<NodeId, NodeFacts> {
  return new Map(nodes.sort((a, b) => a.rank - b.rank).map((facts) => [facts.node, facts]));
}

export function isPresent({ seenAtMs }: NodeFacts, nowMs: number): boolean {
  return nowMs < seenAtMs + PRESENCE_EXPIRES_MS;
}
