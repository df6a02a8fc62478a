/** How a rollout stands, in one object: what is drawn, what `--json` prints, what the exit code comes from. */

import type { FleetEvent } from '@swell/shared/domain/event.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { NodeId, Region, ServiceName } from '@swell/shared/domain/names.ts';
import { describeOpenTimes, layeredPolicy } from '@swell/shared/domain/policy.ts';
import type { Rollout, RolloutPhase } from '@swell/shared/domain/rollout.ts';
import type { Scope } from '@swell/shared/domain/scope.ts';
import { NODE_STANDINGS, type NodeStanding } from '@swell/shared/domain/standing.ts';
import { releaseReference } from '@swell/shared/domain/unit.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import { nodeKeyOf, type SeenNode, type Sightings, type ToldEvent } from './sightings.ts';
import { standingOf } from './standing.ts';

/**
 * The record's own words, and those for a release that has no rollout, or had one.
 *
 * - `none`: nothing was ever released.
 * - `published`: on the bus; no coordinator has taken it yet. `resolving`: its digest is asked for.
 * - `rejected`: it was refused. `superseded`: a newer release took its place.
 */
export type StatusPhase =
  | RolloutPhase['name']
  | 'none'
  | 'published'
  | 'resolving'
  | 'rejected'
  | 'superseded';

export interface RolloutStatus {
  readonly service: ServiceName;
  /** Missing: the global one, of all regions that no scope has. */
  readonly scope?: Scope;
  readonly phase: StatusPhase;
  /** Nothing more is to come of it without a person. */
  readonly ended: boolean;
  readonly rollout?: number;
  readonly version?: string;
  readonly image?: string;
  /** Why it is where it is; of a paused one why it pauses. */
  readonly reason?: string;
  readonly paused: boolean;
  /** A new digest behind a watched tag, which waits for a person. */
  readonly proposal?: { readonly image: string; readonly digest: Digest };
  readonly stage?: Wave['stage'];
  readonly regions: readonly RegionStatus[];
  /** Nodes that failed or cannot follow, each with what it said. */
  readonly troubles: readonly NodeTrouble[];
}

export interface RegionStatus {
  readonly region: Region;
  /** What its nodes may do; missing where no order stands yet. */
  readonly wave?: Wave['phase'];
  readonly cursor?: number;
  readonly slots: { readonly of: number; readonly held: Readonly<Record<string, NodeId>> };
  /** Nodes that are there, and how they stand. */
  readonly nodes: number;
  readonly standing: Readonly<Record<NodeStanding, number>>;
}

export interface NodeTrouble {
  readonly region: Region;
  readonly node: NodeId;
  /** `underway`: it is stuck there. */
  readonly standing: 'failed' | 'held' | 'refused' | 'underway';
  readonly reason: string;
}

/** @param wanted the number of a rollout; the newest one of the service where it is missing */
export function summarize(sightings: Sightings, wanted?: number): RolloutStatus {
  const { scope } = sightings;
  const status = { ...statusOf(sightings, wanted), ...(scope !== undefined && { scope }) };
  const { image, proposal } = sightings.record?.watched ?? {};
  if (image === undefined || proposal === undefined) return status;
  return { ...status, proposal: { image, digest: proposal.digest } };
}

function statusOf(sightings: Sightings, wanted: number | undefined): RolloutStatus {
  const { service, record, published } = sightings;
  const rollout = record?.rollout;
  const untaken = published > (record?.releasesTaken.sequence ?? 0) ? published : undefined;
  const target = wanted ?? untaken ?? record?.candidate?.rollout ?? rollout?.release.rollout;
  if (target === undefined) return without(service, 'none', false);
  if (rollout?.release.rollout === target) return presentStatus(sightings, rollout);
  const troubles = [...failuresTold(sightings.events, target).values()];
  return { ...absentStatus(sightings, target), rollout: target, troubles };
}

function without(service: ServiceName, phase: StatusPhase, ended: boolean): RolloutStatus {
  return { service, phase, ended, paused: false, regions: [], troubles: [] };
}

/** Of a release that is not the present rollout: not yet, not any more, or never. */
function absentStatus({ service, record, events }: Sightings, target: number): RolloutStatus {
  const told = events.map(({ event }) => event).filter(({ rollout }) => rollout === target);
  if (record?.candidate?.rollout === target) {
    const delayed = told.findLast(({ name }) => name === 'release-delayed');
    const why = delayed === undefined ? {} : { reason: delayed.line };
    return { ...without(service, 'resolving', false), ...why };
  }
  const halted = record?.halted.find((one) => one.rollout === target);
  if (halted !== undefined)
    return { ...without(service, 'rested', true), version: halted.version, reason: halted.reason };
  const settled = record?.settled.find((one) => one.rollout === target);
  if (settled !== undefined) return { ...without(service, 'settled', true), version: settled.version };
  const end = told.findLast(({ name }) => ENDS[name] !== undefined);
  const phase = end === undefined ? undefined : ENDS[end.name];
  if (end !== undefined && phase !== undefined)
    return { ...without(service, phase, true), reason: end.problems?.join('; ') ?? end.line };
  if ((record?.releasesTaken.sequence ?? 0) < target) return without(service, 'published', false);
  return { ...without(service, 'superseded', true), reason: 'the log does not reach back to its end' };
}

const ENDS: Readonly<Partial<Record<FleetEvent['name'], StatusPhase>>> = {
  'release-rejected': 'rejected',
  'rollout-superseded': 'superseded',
  'rollout-aborted': 'aborted',
  'rollout-halted': 'rested',
  'rollout-settled': 'settled',
};

/** Has the coordinator said that it is over? It remembers first, and tells then. */
export function isEndTold({ events }: Sightings, target: number): boolean {
  return events.some(({ event }) => event.rollout === target && LAST_WORDS.includes(event.name));
}

const LAST_WORDS: readonly FleetEvent['name'][] = [
  'release-rejected',
  'rollout-superseded',
  'rollout-aborted',
  'rollout-rested',
  'rollout-settled',
];

const ENDED: readonly StatusPhase[] = ['settled', 'rested', 'aborted'];

function presentStatus(sightings: Sightings, rollout: Rollout): RolloutStatus {
  const { release, phase, paused } = rollout;
  const reason = paused?.reason ?? ('reason' in phase ? phase.reason : hinderedBy(sightings, rollout));
  const stage = stageOf(sightings, rollout);
  const told = failuresTold(sightings.events, release.rollout);
  const here = [...sightings.nodes].map(([key, seen]) => ({
    seen,
    standing: standingOf(seen, rollout, told.has(key)),
  }));
  return {
    service: sightings.service,
    phase: phase.name,
    ended: ENDED.includes(phase.name),
    rollout: release.rollout,
    version: release.version,
    image: releaseReference(release.image),
    ...(reason !== undefined && { reason }),
    paused: paused !== undefined,
    ...(stage !== undefined && { stage }),
    regions: regionsOf(sightings, rollout, here),
    troubles: [
      ...here.flatMap(({ seen, standing }) => troubleOf(seen, standing, rollout, told)),
      // Nothing else is known of them any more.
      ...[...told].flatMap(([key, trouble]) => (sightings.nodes.has(key) ? [] : [trouble])),
    ],
  };
}

/** Where nobody starts yet: whose window is closed, and what has to come through there first. */
function hinderedBy(
  { record }: Sightings,
  { awaiting, closed, overrides, phase }: Rollout,
): string | undefined {
  if (phase.name !== 'staging' && phase.name !== 'rolling') return undefined;
  const policy = layeredPolicy(record?.policy?.layer ?? {}, overrides);
  const shut = closed.map((region) => describeOpenTimes(policy, region));
  const reasons = [
    ...(shut.length === 0 ? [] : [`nobody starts in ${shut.join(', ')}`]),
    ...(awaiting === undefined ? [] : [`${awaiting.regions.join(', ')}: waits for ${awaiting.reason}`]),
  ];
  return reasons.length === 0 ? undefined : reasons.join('; ');
}

/** The stage that the rollout is in, by the wave of a region whose turn it is. */
function stageOf({ waves }: Sightings, { release, percent }: Rollout): Wave['stage'] | undefined {
  const ours = [...waves.values()].filter((wave) => wave.release.rollout === release.rollout);
  return (ours.find(({ stage }) => stage.percent === percent) ?? ours[0])?.stage;
}

type Here = readonly { readonly seen: SeenNode; readonly standing: NodeStanding }[];

function regionsOf(sightings: Sightings, rollout: Rollout, here: Here): readonly RegionStatus[] {
  const byRegion = Map.groupBy(
    here.filter(({ seen }) => seen.presence !== undefined),
    ({ seen }) => seen.region,
  );
  const names = new Set([...sightings.waves.keys(), ...Object.keys(rollout.regions), ...byRegion.keys()]);
  return [...names].toSorted().map((region) => {
    const wave = sightings.waves.get(region);
    const isOurs = wave?.release.rollout === rollout.release.rollout;
    const nodes = byRegion.get(region) ?? [];
    const held = [...(sightings.slots.get(region) ?? [])].map(([slot, { node }]) => [slot, node] as const);
    return {
      region,
      ...(wave !== undefined && isOurs && { wave: wave.phase, cursor: wave.cursor }),
      slots: { of: isOurs ? wave.slots : held.length, held: Object.fromEntries(held) },
      nodes: nodes.length,
      standing: countStandings(nodes),
    };
  });
}

function countStandings(nodes: Here): Readonly<Record<NodeStanding, number>> {
  const counts = Object.fromEntries(NODE_STANDINGS.map((standing) => [standing, 0])) as Record<
    NodeStanding,
    number
  >;
  for (const { standing } of nodes) counts[standing] += 1;
  return counts;
}

function troubleOf(
  seen: SeenNode,
  standing: NodeStanding,
  { release }: Rollout,
  told: ReadonlyMap<string, NodeTrouble>,
): readonly NodeTrouble[] {
  const { region, node, report } = seen;
  const isStuck = standing === 'underway' && report?.status === 'stuck';
  if (standing !== 'failed' && standing !== 'held' && standing !== 'refused' && !isStuck) return [];
  const said = report?.rollout === release.rollout ? report.reason : undefined;
  return [
    { region, node, standing, reason: said ?? told.get(nodeKeyOf(seen))?.reason ?? 'it lost its slot' },
  ];
}

/** Who failed a rollout, by what the coordinator has told of it. */
function failuresTold(events: readonly ToldEvent[], target: number): ReadonlyMap<string, NodeTrouble> {
  const failures = new Map<string, NodeTrouble>();
  for (const { event } of events) {
    const { name, service, rollout, region, node, line } = event;
    const isFailure = name === 'node-failed' || name === 'node-unhealthy' || name === 'slot-lost';
    if (!isFailure || rollout !== target || region === undefined || node === undefined) continue;
    // Who failed what is shown already: nothing but the cause stands behind it.
    const known = `${node} in ${region} failed rollout ${target} of ${service}: `;
    const reason = line.startsWith(known) ? line.slice(known.length) : line;
    failures.set(nodeKeyOf({ region, node }), { region, node, standing: 'failed', reason });
  }
  return failures;
}

export const EXIT = { done: 0, failed: 1, stopped: 2, timedOut: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What a wait for the rollout ends with; a halt that is still going back is one already. */
export function exitCodeOf({ phase, ended }: RolloutStatus): ExitCode {
  if (phase === 'settled') return EXIT.done;
  return ended || phase === 'halting' ? EXIT.stopped : EXIT.timedOut;
}
