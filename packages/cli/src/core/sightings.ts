/**
 * All that is seen of one service on the bus: last values of buckets and streams, and what the coordinator has told. Whoever
 * hears a message hands it in; a summary is drawn from it whenever somebody looks.
 */

import type { FleetEvent } from '@swell/shared/domain/event.ts';
import type { NodeId, Region, ServiceName } from '@swell/shared/domain/names.ts';
import type { NodeReport, ServicePresence } from '@swell/shared/domain/report.ts';
import type { ServiceRecord } from '@swell/shared/domain/rollout.ts';
import { type Assignments, isOf, type Scope } from '@swell/shared/domain/scope.ts';
import type { SlotHolder } from '@swell/shared/domain/slot.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';

/** One message, read. What is missing in it was deleted, or has expired. */
export type Sighting =
  | { readonly kind: 'record'; readonly record?: ServiceRecord }
  | { readonly kind: 'release'; readonly rollout: number }
  | { readonly kind: 'wave'; readonly region: Region; readonly wave?: Wave }
  | { readonly kind: 'slot'; readonly region: Region; readonly slot: number; readonly holder?: SlotHolder }
  | {
      readonly kind: 'presence';
      readonly region: Region;
      readonly node: NodeId;
      readonly presence?: ServicePresence;
    }
  | { readonly kind: 'report'; readonly report: NodeReport }
  | { readonly kind: 'event'; readonly told: ToldEvent };

/** Does it speak of the scope's regions, or is it told by its leader? */
export function isSeenIn(sighting: Sighting, scope: Scope | undefined, assigned: Assignments): boolean {
  if (sighting.kind === 'record' || sighting.kind === 'release') return true;
  if (sighting.kind === 'event') return sighting.told.event.scope === scope;
  const { region } = sighting.kind === 'report' ? sighting.report : sighting;
  return isOf(assigned, scope, region);
}

/** An event, and when the log got it. */
export interface ToldEvent {
  readonly event: FleetEvent;
  readonly atMs: number;
}

/** A node of a region. */
export interface SeenNode {
  readonly region: Region;
  readonly node: NodeId;
  presence?: ServicePresence;
  report?: NodeReport;
}

/** Tells nodes of one name apart. */
export function nodeKeyOf({ region, node }: { readonly region: Region; readonly node: NodeId }): string {
  return `${region}.${node}`;
}

export class Sightings {
  readonly service: ServiceName;
  /** Whose regions are seen; missing: the global one's. */
  readonly scope: Scope | undefined;
  record: ServiceRecord | undefined;
  /** The number of the last release that was published, whatever has become of it. */
  published = 0;
  readonly waves = new Map<Region, Wave>();
  /** Held ones, by region. */
  readonly slots = new Map<Region, Map<number, SlotHolder>>();
  readonly nodes = new Map<string, SeenNode>();
  /** Of this service, oldest first. */
  readonly events: ToldEvent[] = [];

  constructor(service: ServiceName, scope?: Scope) {
    this.service = service;
    this.scope = scope;
  }

  see(sighting: Sighting): void {
    switch (sighting.kind) {
      case 'record':
        this.record = sighting.record;
        return;
      case 'release':
        this.published = sighting.rollout;
        return;
      case 'wave':
        if (sighting.wave === undefined) this.waves.delete(sighting.region);
        else this.waves.set(sighting.region, sighting.wave);
        return;
      case 'slot':
        this.#seeSlot(sighting.region, sighting.slot, sighting.holder);
        return;
      case 'presence': {
        const seen = this.#node(sighting.region, sighting.node);
        if (sighting.presence === undefined) delete seen.presence;
        else seen.presence = sighting.presence;
        return;
      }
      case 'report':
        this.#node(sighting.report.region, sighting.report.node).report = sighting.report;
        return;
      case 'event':
        this.events.push(sighting.told);
        return;
    }
  }

  #seeSlot(region: Region, slot: number, holder: SlotHolder | undefined): void {
    const held = this.slots.get(region) ?? new Map<number, SlotHolder>();
    this.slots.set(region, held);
    if (holder === undefined) held.delete(slot);
    else held.set(slot, holder);
  }

  #node(region: Region, node: NodeId): SeenNode {
    const key = nodeKeyOf({ region, node });
    const seen = this.nodes.get(key) ?? { region, node };
    this.nodes.set(key, seen);
    return seen;
  }
}
