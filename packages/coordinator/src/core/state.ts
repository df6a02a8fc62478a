/**
 * The coordinator's memory of one service. Only `record` is saved; everything else is read from the bus again by
 * whoever leads next.
 */

import { policyOfIrreversible } from '@swell/shared/domain/irreversible.ts';
import type { Region, ServiceName } from '@swell/shared/domain/names.ts';
import { layeredPolicy, type Policy, type PolicyLayer } from '@swell/shared/domain/policy.ts';
import type { Draw } from '@swell/shared/domain/rank.ts';
import { emptyRecord, type Rollout, type ServiceRecord } from '@swell/shared/domain/rollout.ts';
import type { Scope } from '@swell/shared/domain/scope.ts';
import type { SlotEntry } from '@swell/shared/domain/slot.ts';
import type { Halt, Release, Wave } from '@swell/shared/domain/wave.ts';
import type { GateWatch } from './limits/gate-watch.ts';
import type { Others } from './limits/others.ts';
import type { Census, Draws } from './nodes/census.ts';

/** A slot's last value and when the server stored it: what its lease is counted from. */
export interface SlotSighting {
  readonly entry: SlotEntry;
  readonly heardAtMs: number;
}

/** An order's place on the bus. */
export interface OrderPlace<Order> {
  /** What is stored there, as far as is known; missing where nothing is, or it was deleted. */
  readonly stored?: Order;
  /** Something stands there that nobody can read: it is written over, also where nothing ought to stand. */
  readonly unreadable?: true;
  /** The revision that the next write must expect. */
  readonly revision: number;
  /** A write is on its way: the next one waits for its acknowledgement. */
  readonly sending: boolean;
}

/** How the question for the candidate's digest stands. */
export interface Resolving {
  /** The candidate, by its number. */
  readonly rollout: number;
  readonly tries: number;
  /** The registry did not answer: it is asked again then. Missing: the answer is on its way. */
  readonly againAtMs?: number;
}

/** How the question for a watched tag stands. */
export interface Looking {
  /** Which tag: of another one it says nothing. */
  readonly image: string;
  readonly askedAtMs: number;
  readonly isAsked: boolean;
  /** Questions in a row that were not answered. */
  readonly failures: number;
  /** The registry wants to be left alone until then. */
  readonly restUntilMs: number;
  /** Somebody says that the tag has moved. What is being asked may have been answered before it did. */
  readonly isHinted: boolean;
}

export interface ServiceState {
  readonly service: ServiceName;
  /** Missing: the global one, which has all regions that no scope has. */
  readonly scope?: Scope;
  readonly record: ServiceRecord;
  /** All that the bus holds has been read; nothing is decided before. */
  readonly ready: boolean;
  /** Nothing is decided at all: the record is older than what was ordered. */
  readonly isSetBack?: true;
  /** Since when: what happened on the bus before, we know only from what it kept. */
  readonly readAtMs: number;
  readonly census: Census;
  readonly slots: ReadonlyMap<Region, ReadonlyMap<number, SlotSighting>>;
  readonly waves: ReadonlyMap<Region, OrderPlace<Wave>>;
  readonly halt: OrderPlace<Halt>;
  /** Halts that leaders of other scopes have ordered, by rollout. */
  readonly elsewhere: ReadonlyMap<number, Halt>;
  readonly resolving?: Resolving;
  /** The publication that is on its way; `last`: it was not stored, because this message is the last one there. */
  readonly releasing?: { readonly publication: string; readonly last?: number };
  /** The gates of the stage that is being watched; missing: none is asked now. */
  readonly gates?: GateWatch;
  /** How many questions of gates there have been, of whatever stage: none has the number of another one. */
  readonly gatesAsked: number;
  /** This coordinator knows no Prometheus. */
  readonly hasNoPrometheus?: true;
  /** Missing: no tag is watched. */
  readonly looking?: Looking;
  /** Events on their way to the log. */
  readonly telling: ReadonlySet<string>;
  /** How far the present stage has come, and since when it has come no further. */
  readonly progress: { readonly steps: number; readonly sinceMs: number };
  /** When it was last stepped. */
  readonly lookedAtMs: number;
  /** How other services stand, as far as they have been read. */
  readonly others: Others;
  /** Time of the present stage that counts and is not in the record yet. */
  readonly uncounted: ReadonlyMap<Region, number>;
}

export function newService(service: ServiceName, record: ServiceRecord = emptyRecord(service)): ServiceState {
  return {
    service,
    record,
    ready: false,
    readAtMs: 0,
    census: new Map(),
    slots: new Map(),
    waves: new Map(),
    halt: { revision: 0, sending: false },
    elsewhere: new Map(),
    gatesAsked: 0,
    telling: new Set(),
    progress: { steps: -1, sinceMs: 0 },
    lookedAtMs: 0,
    others: new Map(),
    uncounted: new Map(),
  };
}

/** What the lines of the present rollout are drawn by; before the first one by anything. */
export function drawsOf({ service, record: { rollout } }: Pick<ServiceState, 'service' | 'record'>): Draws {
  if (rollout === undefined) return () => ({ seed: service });
  return (region) => drawIn(rollout, region);
}

export function drawIn({ seed, regions }: Rollout, region: Region): Draw {
  const canaries = regions[region]?.canaries;
  return { seed, ...(canaries !== undefined && { canaries }) };
}

/** The policy in force: defaults, under the bucket's, under what the release brought along. */
export function policyOf({ record }: Pick<ServiceState, 'record'>): Policy {
  const { overrides = {}, release } = record.rollout ?? {};
  return policyUnder(record, overrides, release);
}

export function withRecord(state: ServiceState, change: Partial<ServiceRecord>): ServiceState {
  return { ...state, record: { ...state.record, ...change } };
}

export function withRollout(state: ServiceState, rollout: Rollout): ServiceState {
  return withRecord(state, { rollout });
}

/** The policy in force, under what a release brings along. */
export function policyUnder(
  { policy }: ServiceRecord,
  overrides: PolicyLayer,
  { irreversible }: Pick<Release, 'irreversible'> = {},
): Policy {
  const layered = layeredPolicy(policy?.layer ?? {}, overrides);
  return irreversible === true ? policyOfIrreversible(layered) : layered;
}
