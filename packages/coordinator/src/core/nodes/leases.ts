/** I7. An expired slot is lost, not free: it costs failure budget, and only the coordinator clears it. */

import type { Region } from '@swell/shared/domain/names.ts';
import type { LostNode } from '@swell/shared/domain/rollout.ts';
import type { SlotHolder } from '@swell/shared/domain/slot.ts';
import type { ServiceState, SlotSighting } from '../state.ts';

/** For the way of a renewal over the bus, and for clocks that tick unevenly. */
export const LEASE_GRACE_MS = 2_000;

export interface LostSlot {
  readonly region: Region;
  readonly slot: number;
  readonly revision: number;
  readonly holder: SlotHolder;
}

/**
 * Slots whose holder the leader has not heard renewing in time, by its own clock alone: the bus's may jump, and its servers'
 * clocks need not agree. What was said while nobody led was heard when the leader began.
 */
export function lostSlots(state: ServiceState, nowMs: number): readonly LostSlot[] {
  return [...state.slots].flatMap(([region, slots]) =>
    [...slots].flatMap(([slot, sighting]) => {
      const holder = lateHolder(sighting, state.readAtMs, nowMs);
      return holder === undefined ? [] : [{ region, slot, revision: sighting.entry.revision, holder }];
    }),
  );
}

function lateHolder(
  { entry, heardAtMs }: SlotSighting,
  readAtMs: number,
  nowMs: number,
): SlotHolder | undefined {
  const { holder } = entry;
  if (holder === undefined) return undefined;
  return nowMs > Math.max(heardAtMs, readAtMs) + holder.leaseMs + LEASE_GRACE_MS ? holder : undefined;
}

/** Until the slot of a loss that was charged is cleared, it would be charged once more. */
export function isStillHeld({ slots }: ServiceState, { region, revision }: LostNode): boolean {
  return [...(slots.get(region)?.values() ?? [])].some(({ entry }) => entry.revision === revision);
}

/** Is any node in the middle of something that it does for this rollout? One that is not well, and cannot go back, is not. */
export function isHeldFor({ slots, census }: ServiceState, rollout: number): boolean {
  return [...slots].some(([region, held]) =>
    [...held.values()].some(({ entry: { holder } }) => {
      if (holder?.rollout !== rollout) return false;
      const { report } = census.get(region)?.get(holder.node) ?? {};
      return report?.attempt !== holder.attempt || report.status !== 'unhealthy';
    }),
  );
}
