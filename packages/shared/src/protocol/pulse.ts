/** The leading coordinator's heartbeat: without it no wave that is still moving lets anybody start (I3). */

import { z } from 'zod';
import type { ServiceName } from '../domain/names.ts';
import { name, sequence } from './fields.ts';

export interface Pulse {
  /** Rises with every change of leader: an agent that has heard a later one ignores an earlier one. */
  readonly term: number;
  /** The newest revisions of every active service's orders in this region; 0 where there is none. */
  readonly orders: Readonly<Record<ServiceName, { readonly wave: number; readonly halt: number }>>;
}

export const pulseSchema = z.object({
  term: sequence,
  orders: z.record(name, z.object({ wave: sequence, halt: sequence })),
}) satisfies z.ZodType<Pulse>;
