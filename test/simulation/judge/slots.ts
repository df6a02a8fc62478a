/** Slots as they really stand in the bucket, and how each holder's time in one ended. */

import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { NodeId, Region } from '@swell/shared/domain/names.ts';
import type { SlotHolder } from '@swell/shared/domain/slot.ts';

/**
 * How a tenure ended: `freed` in time; `lost`: once its lease had run out, by whomever; `forgotten`: the bus was set back
 * to before it, which no program can know.
 */
export type Ended = 'freed' | 'lost' | 'forgotten';

export interface TrueTenure {
  readonly region: Region;
  readonly slot: number;
  readonly holder: SlotHolder;
  readonly claimedAtMs: number;
  /** Its last write. */
  writtenAtMs: number;
  ended?: Ended;
}

export type SlotSeen = Extract<LogEntry, { kind: 'slot' }>;

export class Slots {
  readonly #standing = new Map<string, TrueTenure>();
  readonly #held = new Map<Region, number>();
  readonly #tenures = new Map<string, TrueTenure>();

  /** Takes in what was stored; returns the tenure that it ended, if it ended one. */
  see(entry: SlotSeen): TrueTenure | undefined {
    const { region, slot, holder, atMs } = entry;
    const key = `${region}/${slot}`;
    const before = this.#standing.get(key);
    if (before !== undefined && holder !== undefined && isSame(before.holder, holder)) {
      before.writtenAtMs = atMs;
      return undefined;
    }
    if (before !== undefined) this.#end(key, before, hasExpired(before, atMs) ? 'lost' : 'freed');
    if (holder !== undefined) this.#begin(key, { region, slot, holder, atMs });
    return before;
  }

  /** The bus was set back: these stand now, and nothing else. Returns what it has forgotten. */
  restart(standing: readonly SlotSeen[]): readonly TrueTenure[] {
    const before = new Map(this.#standing);
    for (const [key, tenure] of before) this.#end(key, tenure, 'forgotten');
    for (const { region, slot, holder, atMs } of standing) {
      if (holder === undefined) continue;
      const key = `${region}/${slot}`;
      const known = before.get(key);
      if (known !== undefined && isSame(known.holder, holder)) {
        delete known.ended;
        this.#stand(key, known);
      } else this.#begin(key, { region, slot, holder, atMs });
    }
    return [...before.values()].filter(({ ended }) => ended === 'forgotten');
  }

  /** The newest tenure of an attempt in a slot. */
  of(
    { node, attempt }: { readonly node: NodeId; readonly attempt: string },
    slot: number,
  ): TrueTenure | undefined {
    return this.#tenures.get(`${node}/${attempt}/${slot}`);
  }

  /** How many slots of a region are held. */
  held(region: Region): number {
    return this.#held.get(region) ?? 0;
  }

  #begin(
    key: string,
    { region, slot, holder, atMs }: { region: Region; slot: number; holder: SlotHolder; atMs: number },
  ): void {
    const tenure: TrueTenure = {
      region,
      slot,
      holder,
      claimedAtMs: atMs,
      writtenAtMs: atMs,
    };
    this.#tenures.set(`${holder.node}/${holder.attempt}/${slot}`, tenure);
    this.#stand(key, tenure);
  }

  #stand(key: string, tenure: TrueTenure): void {
    this.#standing.set(key, tenure);
    this.#held.set(tenure.region, this.held(tenure.region) + 1);
  }

  #end(key: string, tenure: TrueTenure, ended: Ended): void {
    tenure.ended = ended;
    this.#standing.delete(key);
    this.#held.set(tenure.region, this.held(tenure.region) - 1);
  }
}

function isSame(a: SlotHolder, b: SlotHolder): boolean {
  return a.node === b.node && a.attempt === b.attempt;
}

function hasExpired({ holder, writtenAtMs }: TrueTenure, nowMs: number): boolean {
  return nowMs - writtenAtMs >= holder.leaseMs;
}
