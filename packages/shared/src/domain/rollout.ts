/**
 * What the coordinator remembers of a service, and all that it remembers: the rest is rebuilt from what nodes say.
 */

import type { FleetEvent } from './event.ts';
import type { Digest } from './image.ts';
import type { NodeId, Region, ServiceName } from './names.ts';
import { NOWHERE, type Place } from './place.ts';
import type { Policy, PolicyLayer } from './policy.ts';
import { FIRST, type Rank } from './rank.ts';
import type { ByPart, ReleaseReference } from './unit.ts';
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
}

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
}

/** Has anybody in the region been admitted? */
export function hasBegun({ cursor, canaries }: Partial<RegionProgress> = {}): boolean {
  return (cursor ?? FIRST) > FIRST || canaries !== undefined;
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
  readonly expiresMs?: number;
  /** Regions that an earlier rollout left half-way: until their turn comes, every node there stays as it is. */
  readonly halfway: readonly Region[];
  readonly lost: readonly LostNode[];
  readonly paused?: { readonly sinceMs: number; readonly reason: string };
}

/** A digest that was halted, remembered so that it is not taken again (B12). */
export interface HaltedRelease {
  readonly rollout: number;
  readonly digest: Digest;
  readonly version: string;
  readonly reason: string;
}

/** What was last read from the policy bucket, and what is in force since: the last one that made sense. */
export interface StandingPolicy extends Place {
  readonly layer?: PolicyLayer;
}

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
  readonly rollout?: Rollout;
  /** What the fleet has settled on, newest first. */
  readonly settled: readonly Release[];
  /** Newest first. */
  readonly halted: readonly HaltedRelease[];
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
    settled: [],
    halted: [],
    outbox: [],
  };
}

/** Is the rollout still on its way (it has neither settled nor been stopped)? */
export function isUnderWay(rollout: Rollout): boolean {
  return ['staging', 'rolling', 'soaking', 'gated'].includes(rollout.phase.name);
}
