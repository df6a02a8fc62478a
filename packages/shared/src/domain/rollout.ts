/**
 * What the coordinator remembers of a service, and all that it remembers: the rest is rebuilt from what nodes say.
 */

import type { FleetEvent } from './event.ts';
import type { HoldRule } from './hold.ts';
import type { Digest } from './image.ts';
import type { NodeId, Region, ServiceName } from './names.ts';
import { NOWHERE, type Place } from './place.ts';
import type { Policy, PolicyLayer } from './policy.ts';
import type { Publishing } from './publishing.ts';
import { FIRST, type Rank } from './rank.ts';
import type { ByPart, ReleaseReference } from './unit.ts';
import type { WatchedTag } from './watch.ts';
import type { Release } from './wave.ts';

/** A release as its releaser published it, well-formed but not yet pinned. */
export interface Candidate {
  /** The stream sequence of its message: the number of the rollout that it may become. */
  readonly rollout: number;
  readonly image: ReleaseReference;
  readonly version?: string;
  readonly overrides: PolicyLayer;
  /** A person knows that this digest was halted before, and wants it all the same. */
  readonly acceptHalted: boolean;
  /** By the bus's clock. */
  readonly publishedAtMs: number;
  /** What its image was when it was published; missing until the registry has answered. */
  readonly digest?: Digest;
  /** The same of each part of a unit. */
  readonly parts?: ByPart<Digest>;
  /** Versions and ranges from which nodes may start. */
  readonly from?: readonly string[];
  /** What it does to its data cannot be undone. */
  readonly irreversible?: true;
  /** A person knows that it is older than what the fleet has settled on, and wants it all the same. */
  readonly allowDowngrade?: true;
  /** It does not wait for the end of a cool-down. */
  readonly urgent?: true;
  /** It does not begin before. */
  readonly notBeforeMs?: number;
  /** From then on nobody starts it. */
  readonly expiresMs?: number;
  /** Until when it has last been told to wait. */
  readonly waitsUntilMs?: number;
  /** What its publisher calls the message. */
  readonly publication?: string;
  /** The release train that it belongs to. */
  readonly train?: string;
  /** All services that have a release in that train. */
  readonly trainOf?: readonly ServiceName[];
  readonly behind?: Behind;
  /** Which other services it has last been told to wait for, in words. */
  readonly waitsFor?: string;
}

/** Of services that it depends on: the rollout that each must have settled on, or a later one. */
export type Behind = Readonly<Record<ServiceName, number>>;

/** How a rollout stands. Times are ms of the bus's clock, so that every coordinator reads them alike. */
export type RolloutPhase =
  | { readonly name: 'staging' }
  | { readonly name: 'rolling' }
  | { readonly name: 'soaking'; readonly sinceMs: number }
  | { readonly name: 'gated' }
  | { readonly name: 'settled' }
  | { readonly name: 'halting'; readonly reason: string }
  | { readonly name: 'rested'; readonly reason: string }
  | { readonly name: 'aborted'; readonly reason: string };

/** Where a rollout has come to in one region. The cursor never goes back (I4). */
export interface RegionProgress {
  readonly cursor: Rank;
  readonly stageBelow: Rank;
  readonly slots: number;
  /** How many nodes were there when the slots were counted. */
  readonly nodes: number;
  /** Who goes before everybody else: drawn once, when the region's turn begins. */
  readonly canaries?: readonly NodeId[];
  /** Who runs less than the minimum version, is admitted for that, and is awaited. */
  readonly outdated?: readonly NodeId[];
}

/** Has anybody in the region been admitted? */
export function hasBegun({ cursor, canaries, outdated }: Partial<RegionProgress> = {}): boolean {
  return (cursor ?? FIRST) > FIRST || canaries !== undefined || outdated !== undefined;
}

/** How far a region's cursor has been let move in the present stage. */
export interface Paced {
  /** Where it stood when the stage opened, or the rate changed. */
  readonly from: Rank;
  /** Time that counts since then: neither paused nor closed, and with a leader. */
  readonly openMs: number;
}

/** I7. A node whose lease ran out: a failure of the rollout, whatever it says later. */
export interface LostNode {
  readonly region: Region;
  readonly node: NodeId;
  /** The last write to the slot that it held: what was charged once is not charged again. */
  readonly revision: number;
}

export interface Rollout {
  readonly release: Release;
  readonly seed: string;
  readonly overrides: PolicyLayer;
  readonly phase: RolloutPhase;
  /** How the policy grouped the regions when `group` was counted. */
  readonly grouping: Policy['regions'];
  /** Index of the region group. */
  readonly group: number;
  /** The present stage's share of each region (0: its canaries alone), so that it stays what it is when the policy lists other stages. */
  readonly percent: number;
  readonly regions: Readonly<Record<Region, RegionProgress>>;
  /** By a safe rate, once time has been counted in the present stage. */
  readonly pace: Readonly<Record<Region, Paced>>;
  /** Regions whose window is closed. */
  readonly closed: readonly Region[];
  readonly behind?: Behind;
  /** Regions where nobody starts before what the service depends on has come through there. */
  readonly awaiting?: { readonly regions: readonly Region[]; readonly reason: string };
  /** A person has let it go on, whatever becomes of what it depends on. */
  readonly heedless?: true;
  readonly expiresMs?: number;
  /** What its publisher called its message. */
  readonly publication?: string;
  /** In this group of regions stages up to there open without asking. */
  readonly approved?: { readonly group: number; readonly toPercent: number };
  /** Regions that an earlier rollout left half-way: until their turn comes, every node there stays as it is. */
  readonly halfway: readonly Region[];
  readonly lost: readonly LostNode[];
  readonly paused?: {
    readonly sinceMs: number;
    readonly reason: string;
    /** It goes on by itself once what it depends on lets it. */
    readonly byDependency?: true;
  };
}

/** So many releases on which the fleet has settled are remembered. */
export const SETTLED_KEPT = 8;

/** A digest that was halted, remembered so that it is not taken again (B12). */
export interface HaltedRelease {
  readonly rollout: number;
  readonly digest: Digest;
  readonly version: string;
  readonly reason: string;
  /** Who was on it already has stayed. */
  readonly stay?: true;
  /** The rollout as which the fleet had settled on it before: then all stay. */
  readonly settledAs?: number;
}

/** What was last read from the policy bucket, and what is in force since: the last one that made sense. */
export interface StandingPolicy extends Place {
  readonly layer?: PolicyLayer;
}

/** A rollout as it is remembered once another one has taken its place. */
export interface PastRollout {
  readonly rollout: number;
  readonly version: string;
  readonly digest: Digest;
  readonly begunAtMs: number;
  /** Missing: it is under way. */
  readonly ended?: {
    readonly as: RolloutEnd;
    readonly atMs: number;
    readonly reason?: string;
    /** Nodes that had shown something by then, and how many of them had failed. */
    readonly attempted: number;
    readonly failed: number;
  };
}

export const ROLLOUT_ENDS = ['settled', 'halted', 'aborted', 'superseded'] as const;
export type RolloutEnd = (typeof ROLLOUT_ENDS)[number];

export interface ServiceRecord {
  readonly service: ServiceName;
  /** The highest sequence and the latest hour of those that have been taken: one that comes again is beyond neither. */
  readonly releasesTaken: Place;
  readonly controlsTaken: Place;
  /** Failures that nodes reported up to this sequence have been told. */
  readonly failuresTold: number;
  /** How many events have been told so far: each has a number of its own. */
  readonly eventsTold: number;
  readonly policy?: StandingPolicy;
  /** Being resolved. A release that turns out bad has changed nothing. */
  readonly candidate?: Candidate;
  /** A release of our own that has not come back over the stream yet. */
  readonly publishing?: Publishing;
  readonly watched?: WatchedTag;
  readonly rollout?: Rollout;
  /** Nodes that stay as they are by an operator's word, whatever is released. */
  readonly held: readonly HoldRule[];
  /** What the fleet has settled on, newest first. */
  readonly settled: readonly Release[];
  /** The last rollout that has begun of a release that cannot be undone. */
  readonly irreversible?: Pick<Release, 'rollout' | 'version'>;
  /** Newest first. */
  readonly halted: readonly HaltedRelease[];
  /** Every rollout, the present one too, newest first. */
  readonly past: readonly PastRollout[];
  /** Events that are to be published, and may have been. */
  readonly outbox: readonly FleetEvent[];
}

export function emptyRecord(service: ServiceName): ServiceRecord {
  return {
    service,
    releasesTaken: NOWHERE,
    controlsTaken: NOWHERE,
    failuresTold: 0,
    eventsTold: 0,
    held: [],
    settled: [],
    halted: [],
    past: [],
    outbox: [],
  };
}

/** Is the rollout still on its way (it has neither settled nor been stopped)? */
export function isUnderWay(rollout: Rollout): boolean {
  return ['staging', 'rolling', 'soaking', 'gated'].includes(rollout.phase.name);
}
