/** What agents of one node tell each other through their state directory: who holds the lease, and who could. */

import { compact, sequence } from '@swell/shared/protocol/fields.ts';
import { z } from 'zod';
import type { Holder, NodeLease } from '../core/node-lease.ts';

const holder = z.object({
  container: z.string().optional(),
  run: z
    .object({ boot: z.string(), pidNamespace: z.string(), pid: sequence, startedAt: z.string() })
    .optional(),
});

export const nodeLeaseSchema = z
  .object({ holder, renewals: sequence, released: z.literal(true).optional() })
  .transform((lease) => compact(lease) as Omit<NodeLease, 'term'> & { readonly holder: Holder });

/** What an agent says that stands by: whether it could take over. */
export type StandbyWord = { readonly ready: true } | { readonly ready: false; readonly why: string };

export const standbyWordSchema = z.union([
  z.object({ ready: z.literal(true) }),
  z.object({ ready: z.literal(false), why: z.string() }),
]) satisfies z.ZodType<StandbyWord>;
