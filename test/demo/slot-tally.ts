/** Who was out at once, by the slots that the log shows held: for machines that nobody can ask over HTTP. */

import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { NodeId } from '@swell/shared/domain/names.ts';
import { ALL_IN, type Availability, looked } from './availability.ts';

export class SlotTally {
  readonly #holders = new Map<string, NodeId>();
  #seen: Availability = ALL_IN;

  see(entry: LogEntry): void {
    if (entry.kind !== 'slot') return;
    const { region, slot, holder } = entry;
    const place = `${region}/${slot}`;
    const before = this.#holders.get(place);
    if (before !== undefined) this.#seen = looked(this.#seen, { region, name: before }, true);
    this.#holders.delete(place);
    if (holder === undefined) return;
    this.#holders.set(place, holder.node);
    this.#seen = looked(this.#seen, { region, name: holder.node }, false);
  }

  /** The most slots of one region that were held at once since the last time this was asked. */
  takeMostOut(): number {
    const { mostOut, out } = this.#seen;
    this.#seen = { out, mostOut: 0 };
    return mostOut;
  }
}
