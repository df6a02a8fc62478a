/**
 * A region's slots for a service, as one sees them on the bus: a counting semaphore whose places are keys of a bucket.
 * After airlock's semaphore; unlike it, a place knows its holder's lease, and an expired lease is lost, not free (I7).
 */

import type { NodeId } from './names.ts';

/** What stands in a taken slot. */
export interface SlotHolder {
  readonly node: NodeId;
  readonly rollout: number;
  readonly attempt: string;
  /** The holder renews it before this much time has passed since its last write. */
  readonly leaseMs: number;
}

/** A slot's last value: who holds it (nobody: free) and the revision that the next writer must expect. */
export interface SlotEntry {
  readonly revision: number;
  readonly holder?: SlotHolder;
}

export type SlotView = ReadonlyMap<number, SlotEntry>;

/** The fencing token of a claim (B4): every further write names the revision of the last one. */
export interface HeldSlot {
  readonly slot: number;
  readonly revision: number;
}

/**
 * Slots that this view believes free, each with the revision that a claim must expect (0: never written). Where a wave has
 * fewer slots than the one before, none is free until those beyond its end have been given back (I1).
 */
export function freeSlots(view: SlotView, slots: number): readonly HeldSlot[] {
  if (slotsBeyond(view, slots).some((slot) => view.get(slot)?.holder !== undefined)) return [];
  return Array.from({ length: slots }, (_, slot) => ({ slot, entry: view.get(slot) }))
    .filter(({ entry }) => entry?.holder === undefined)
    .map(({ slot, entry }) => ({ slot, revision: entry?.revision ?? 0 }));
}

/** Slots that somebody has had and the wave has not. */
export function slotsBeyond(view: SlotView, slots: number): readonly number[] {
  return [...view.keys()].filter((slot) => slot >= slots);
}

/** By the leader's word a slot's entry is an older one than was seen, or none: the bucket was made anew, or set back. */
export interface FallenSlot {
  /** What had been seen when it was asked. */
  readonly was: number;
  readonly entry: SlotEntry;
}

/** The view after a slot has fallen; what was heard of it meanwhile is newer. */
export function withFallen(view: SlotView, slot: number, { was, entry }: FallenSlot): SlotView {
  return view.get(slot)?.revision === was ? new Map(view).set(slot, entry) : view;
}

/** The view after one slot's entry was seen; an entry older than the one known changes nothing. */
export function seenSlot(view: SlotView, slot: number, entry: SlotEntry): SlotView {
  const known = view.get(slot);
  if (known !== undefined && known.revision >= entry.revision) return view;
  return new Map(view).set(slot, entry);
}
