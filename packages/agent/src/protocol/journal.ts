/** The journal's shape on disk: read tolerantly, since an older or newer agent may have written it. */

import { NODE_STATUSES, RESULTS } from '@swell/shared/domain/report.ts';
import {
  compact,
  digest,
  drain,
  durationMs,
  healthCheck,
  rejoin,
  sequence,
} from '@swell/shared/protocol/fields.ts';
import { reportSchema } from '@swell/shared/protocol/reports.ts';
import { z } from 'zod';
import type { Journal, Tries } from '../core/state.ts';

const result = z.enum(RESULTS);

const attempt = z.object({
  id: z.string(),
  kind: z.enum(['update', 'return']),
  rollout: sequence,
  digest: digest.optional(),
  retry: sequence.optional(),
  health: healthCheck,
  leaseMs: durationMs,
  stopTimeoutMs: durationMs.optional(),
  surges: z.literal(true).optional(),
  irreversible: z.literal(true).optional(),
  unhealthy: z.string().optional(),
  drain,
  rejoin,
  ending: z
    .object({
      result,
      reason: z.string(),
      final: z.literal(true).optional(),
      deferred: z.literal(true).optional(),
      stays: z.literal(true).optional(),
    })
    .optional(),
  stuck: z.literal(true).optional(),
});

const status = z.enum(NODE_STATUSES);

const tries = z
  .object({
    begun: sequence,
    interrupted: sequence,
    ended: result.optional(),
    retry: sequence.optional(),
  })
  .transform((value): Tries => compact(value) as Tries);

export const journalSchema = z
  .object({
    mark: z.string(),
    highest: z.object({ wave: sequence, halt: sequence }),
    attempt: attempt.optional(),
    irreversible: z
      .object({ rollout: sequence, digest, unhealthy: z.literal(true).optional() })
      .transform((value) => compact(value))
      .optional(),
    tried: z.array(z.object({ rollout: sequence, update: tries, return: tries })),
    forgotten: sequence.optional(),
    said: z.object({ rollout: sequence, status, reason: z.string().optional() }).optional(),
    outbox: z.array(reportSchema),
    reports: sequence,
  })
  .transform((journal): Journal => compact(journal) as Journal);
