/** What agents say: health reports and presence. Read tolerantly, since old and new agents talk during an update. */

import { z } from 'zod';
import { type Explanation, NODE_STATUSES, type NodeReport, type Presence } from '../domain/report.ts';
import { compact, digest, durationMs, name, region, sequence } from './fields.ts';

export const reportSchema = z
  .object({
    id: z.string().min(1).max(300),
    region: name,
    node: name,
    service: name,
    rollout: sequence,
    status: z.enum(NODE_STATUSES),
    attempt: z.string().max(200).optional(),
    warrant: z
      .object({ waveRevision: sequence, slot: sequence, fence: sequence, pulseAgeMs: durationMs.optional() })
      .transform((warrant) => compact(warrant))
      .optional(),
    retry: sequence.optional(),
    running: digest.optional(),
    reason: z.string().max(4_000).optional(),
  })
  .transform((report): NodeReport => compact(report) as NodeReport);

export const presenceSchema = z
  .object({
    region,
    node: name,
    agentVersion: z.string(),
    labels: z.array(z.string()).optional(),
    services: z.record(
      name,
      z
        .object({
          running: digest.optional(),
          version: z.string().optional(),
          phase: z.string(),
          ready: z.boolean(),
          reason: z.string().optional(),
        })
        .transform((service) => compact(service)),
    ),
  })
  .transform((presence): Presence => compact(presence) as Presence);

/** What a node answers to whoever asks why it waits. */
export const explanationSchema = z.object({
  region: name,
  node: name,
  services: z.record(name, z.string()),
}) satisfies z.ZodType<Explanation>;

export function describeReport(report: NodeReport): string {
  const why = report.reason === undefined ? '' : `: ${report.reason}`;
  return `${report.service} on ${report.node} (${report.region}): ${report.status}, rollout ${report.rollout}${why}`;
}

export function describePresence(presence: Presence): string {
  const services = Object.entries(presence.services).map(([service, { phase }]) => `${service} ${phase}`);
  return `${presence.node} (${presence.region}): ${services.join(', ') || 'no service'}`;
}
