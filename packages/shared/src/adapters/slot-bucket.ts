/**
 * A region's slots of a service in the bucket `swell_slots`: claim, renew, free, each one conditional publish. Both
 * programs use it: agents for their own slots, the coordinator to clear lost ones.
 */

import type { Region, ServiceName } from '../domain/names.ts';
import type { FallenSlot, HeldSlot, SlotEntry, SlotHolder, SlotView } from '../domain/slot.ts';
import { decode, encode } from '../protocol/codec.ts';
import { describeClaim, slotHolderSchema } from '../protocol/slots.ts';
import { parseSlotSubject, STREAMS, slotKey, slotKeysOf } from '../protocol/subjects.ts';
import { type Bus, BusError, type HeardMessage, type StoredMessage } from './bus.ts';
import type { Host } from './host.ts';
import { publishUntilStored } from './persistent-publish.ts';

export type WriteOutcome =
  | { readonly is: 'stored'; readonly revision: number }
  /** Somebody else wrote before; the slot shows who, where it could be read. */
  | { readonly is: 'taken'; readonly entry?: SlotEntry };

const UNKNOWN_HOLDER: SlotHolder = {
  node: 'unknown',
  rollout: 0,
  attempt: 'unknown',
  leaseMs: 86_400_000,
};

export class SlotBucket {
  readonly #bus: Bus;
  readonly #region: Region;
  readonly #service: ServiceName;
  readonly #host: Host;

  constructor(bus: Bus, host: Host, region: Region, service: ServiceName) {
    this.#bus = bus;
    this.#host = host;
    this.#region = region;
    this.#service = service;
  }

  /**
   * Claims or renews: both write the holder over the revision that is expected. A write whose answer was lost is read
   * back before anything is concluded. Throws {@link BusError} where it stays unknown.
   */
  async write(slot: number, expect: number, holder: SlotHolder): Promise<WriteOutcome> {
    const key = slotKey(this.#region, this.#service, slot);
    const line = `${this.#service} in ${this.#region}: ${describeClaim(slot, holder)}`;
    const id = `${expect}.${holder.node}.${holder.attempt}`;
    try {
      const publication = { subject: key, body: encode(holder), line, id, expectLast: expect };
      return { is: 'stored', revision: (await this.#bus.publish(publication)).sequence };
    } catch (error) {
      if (!(error instanceof BusError) || error.code === 'refused' || error.code === 'unavailable')
        throw error;
      const entry = await this.read(slot);
      const isOurs = entry?.holder?.attempt === holder.attempt && entry.holder.node === holder.node;
      if (isOurs && entry.revision > expect) return { is: 'stored', revision: entry.revision };
      // Not stored, by the leader's word: it may be tried again.
      if (error.code === 'unknown-outcome' && (entry?.revision ?? 0) === expect) throw error;
      return entry === undefined ? { is: 'taken' } : { is: 'taken', entry };
    }
  }

  /**
   * Frees what was written with this revision, however long that takes; where somebody has written since, there is
   * nothing to free.
   */
  async free(slot: number, expect: number, line: string, signal: AbortSignal): Promise<void> {
    const subject = slotKey(this.#region, this.#service, slot);
    const id = `${expect}.free`;
    try {
      const freed = { subject, body: new Uint8Array(), line, id, expectLast: expect, deletes: true };
      await publishUntilStored(this.#bus, freed, this.#host, signal);
    } catch (error) {
      if (!(error instanceof BusError) || error.code !== 'conflict') throw error;
    }
  }

  /** From the leader: what stood there when it was asked. */
  async read(slot: number): Promise<SlotEntry | undefined> {
    const message = await this.#bus.readLast(STREAMS.slots, slotKey(this.#region, this.#service, slot));
    return message === undefined ? undefined : slotEntry(message);
  }

  /**
   * Slots of which a reading shows less than is known: from a replica that lags, or since the bucket is another one. The
   * leader knows which.
   */
  async readFallen(known: SlotView, read: SlotView): Promise<ReadonlyMap<number, FallenSlot>> {
    const fallen = new Map<number, FallenSlot>();
    for (const [slot, { revision: was }] of known) {
      if ((read.get(slot)?.revision ?? 0) >= was) continue;
      const entry = (await this.read(slot)) ?? { revision: 0 };
      if (entry.revision < was) fallen.set(slot, { was, entry });
    }
    return fallen;
  }

  /** These slots as they stood when ours had been written, or later. Throws where the replica that answers is behind. */
  async readSince({ slot, revision }: HeldSlot, slots: readonly number[]): Promise<SlotView> {
    const entries = await this.#readEach(
      [slot, ...slots].map((one) => slotKey(this.#region, this.#service, one)),
    );
    if ((entries.get(slot)?.revision ?? 0) < revision)
      throw new BusError('unavailable', `slot ${slot} was read from a replica that is behind`);
    // What is not there has never been written, at least since the bucket was made: nobody has it.
    return new Map(slots.map((one) => [one, entries.get(one) ?? { revision: 0 }]));
  }

  /** Every slot that was ever written; from a replica, so perhaps stale. */
  readAll(): Promise<SlotView> {
    return this.#readEach([slotKeysOf(this.#region, this.#service)]);
  }

  async #readEach(keys: readonly string[]): Promise<SlotView> {
    const messages = await this.#bus.readLastOfEach(STREAMS.slots, keys);
    return new Map(
      messages.flatMap((message) => {
        const place = parseSlotSubject(message.subject);
        return place === undefined ? [] : [[place.slot, slotEntry(message)] as const];
      }),
    );
  }
}

/**
 * A slot's entry as it was stored or heard. One that does not parse has a holder that nobody knows: it is not free.
 */
export function slotEntry(
  message: StoredMessage | (HeardMessage & { readonly sequence: number }),
): SlotEntry {
  return readSlotEntry(message).entry;
}

/** The same, with what was wrong with it where it did not parse. */
export function readSlotEntry(message: StoredMessage | (HeardMessage & { readonly sequence: number })): {
  readonly entry: SlotEntry;
  readonly problems?: readonly string[];
} {
  const revision = message.sequence;
  if (message.deleted) return { entry: { revision } };
  const holder = decode(message.body, slotHolderSchema);
  if (holder.ok) return { entry: { revision, holder: holder.value } };
  return { entry: { revision, holder: UNKNOWN_HOLDER }, problems: holder.problems };
}
