/** What stands in a slot's key. */

import { z } from 'zod';
import type { SlotHolder } from '../domain/slot.ts';
import { durationMs, name, sequence } from './fields.ts';

export const slotHolderSchema = z.object({
  node: name,
  rollout: sequence,
  attempt: z.string().min(1).max(200),
  leaseMs: durationMs.min(1),
}) satisfies z.ZodType<SlotHolder>;

export function describeClaim(slot: number, holder: SlotHolder): string {
  return `${holder.node} holds slot ${slot} for rollout ${holder.rollout}`;
}
