/**
 * How many nodes of a region may be out at each time, by the waves and the slots of an epoch: as many as the wave has
 * slots; where that shrank, as many as held one then, until they are few enough.
 */

import type { LogEntry } from '@swell/shared/domain/log.ts';

interface Place {
  readonly held: Set<number>;
  readonly ceilings: { readonly atMs: number; readonly ceiling: number }[];
  limit: number;
}

/** A node goes by what it has read; the server's clock and ours are one, but for this much. */
const CLOCKS_MS = 100;

export class Ceilings {
  readonly #places = new Map<string, Place>();

  /** @param entries in the order of their times */
  constructor(entries: readonly LogEntry[]) {
    for (const entry of entries) {
      if (entry.kind === 'wave') this.#seeWave(entry.wave.region, entry.wave.slots, entry.atMs);
      else if (entry.kind === 'slot')
        this.#seeSlot(entry.region, entry.slot, entry.holder !== undefined, entry.atMs);
    }
  }

  /** The most that was allowed about then. */
  at(region: string, atMs: number): number {
    const ceilings = this.#places.get(region)?.ceilings ?? [];
    const before = ceilings.findLast((one) => one.atMs <= atMs - CLOCKS_MS)?.ceiling ?? 0;
    const about = ceilings.filter((one) => Math.abs(one.atMs - atMs) <= CLOCKS_MS);
    return Math.max(before, ...about.map(({ ceiling }) => ceiling));
  }

  #seeWave(region: string, slots: number, atMs: number): void {
    const place = this.#place(region);
    const ceiling = place.ceilings.at(-1)?.ceiling ?? 0;
    place.limit = slots;
    const next = slots >= ceiling ? slots : Math.max(slots, Math.min(ceiling, place.held.size));
    place.ceilings.push({ atMs, ceiling: next });
  }

  #seeSlot(region: string, slot: number, isHeld: boolean, atMs: number): void {
    const place = this.#place(region);
    if (isHeld) {
      place.held.add(slot);
      return;
    }
    place.held.delete(slot);
    const ceiling = place.ceilings.at(-1)?.ceiling ?? 0;
    place.ceilings.push({ atMs, ceiling: Math.max(place.limit, Math.min(ceiling, place.held.size)) });
  }

  #place(region: string): Place {
    const place = this.#places.get(region) ?? { held: new Set(), ceilings: [], limit: 0 };
    this.#places.set(region, place);
    return place;
  }
}
