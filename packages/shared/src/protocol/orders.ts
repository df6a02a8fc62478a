/** Waves and halts, as the coordinator writes them and agents read them. */

import { z } from 'zod';
import type { Hold } from '../domain/hold.ts';
import type { Region, ServiceName } from '../domain/names.ts';
import type { Halt, Wave } from '../domain/wave.ts';
import type { Parsed } from '../kernel/parsed.ts';
import { decode } from './codec.ts';
import {
  compact,
  digest,
  drain,
  durationMs,
  healthCheck,
  name,
  percent,
  rank,
  rejoin,
  release,
  sequence,
} from './fields.ts';
import { formatRank } from './lines.ts';

export const haltSchema = z
  .object({
    service: name,
    rollout: sequence,
    digest,
    version: z.string(),
    reason: z.string(),
    stay: z.literal(true).optional(),
    settledAs: sequence.optional(),
  })
  .transform((halt): Halt => compact(halt) as Halt);

export const waveSchema = z
  .object({
    region: name,
    service: name,
    scope: name.optional(),
    halt: haltSchema.optional(),
    release,
    phase: z.enum(['staging', 'open', 'paused', 'settled', 'halted', 'aborted']),
    stage: z.object({ number: z.int(), of: z.int(), percent }),
    seed: z.string().min(1),
    canaries: z.array(name).optional(),
    holds: z
      .array(
        z
          .object({
            nodes: z.array(name).optional(),
            label: z.string().optional(),
            running: z.array(digest).optional(),
            notRunning: z.array(digest).optional(),
            reason: z.string(),
          })
          .transform((hold): Hold => compact(hold) as Hold),
      )
      .optional(),
    stageBelow: rank,
    cursor: rank,
    slots: z.int().min(1).max(1_000_000),
    slotLeaseMs: durationMs.min(1),
    stagingSpreadMs: durationMs,
    stopTimeoutMs: durationMs.optional(),
    maxSurge: z.union([z.literal(0), z.literal(1), z.literal('never')]).optional(),
    health: healthCheck,
    drain,
    rejoin,
  })
  .transform((wave): Wave => compact(wave) as Wave);

/**
 * Reads the wave that stands in a place. One that speaks of another place is none: followed, it would bring a service's
 * image to another one's containers.
 */
export function readWave(
  body: Uint8Array,
  { region, service }: { readonly region: Region; readonly service: ServiceName },
): Parsed<Wave> {
  const wave = decode(body, waveSchema);
  if (!wave.ok) return wave;
  const { value: it } = wave;
  if (it.region !== region) return misplaced('region', it.region, region);
  if (it.service !== service) return misplaced('service', it.service, service);
  if (it.halt !== undefined && it.halt.service !== service)
    return misplaced('halt.service', it.halt.service, service);
  return it.release.service === service ? wave : misplaced('release.service', it.release.service, service);
}

/** Reads the halt that stands in a service's place. */
export function readHalt(body: Uint8Array, { service }: { readonly service: ServiceName }): Parsed<Halt> {
  const halt = decode(body, haltSchema);
  return halt.ok && halt.value.service !== service ? misplaced('service', halt.value.service, service) : halt;
}

function misplaced(field: string, found: string, expected: string): Parsed<never> {
  return { ok: false, problems: [`${field}: it speaks of ${found}, under the name of ${expected}`] };
}

export function describeWave(wave: Wave): string {
  const { release: it, stage } = wave;
  return (
    `${wave.service} in ${wave.region}: rollout ${it.rollout} (${it.version}) ${wave.phase}, ` +
    `stage ${stage.number} of ${stage.of} (${stage.percent} %), cursor ${formatRank(wave.cursor)}, ${wave.slots} slots` +
    (wave.scope === undefined ? '' : `, scope ${wave.scope}`)
  );
}

export function describeHalt(halt: Halt): string {
  return `${halt.service}: rollout ${halt.rollout} (${halt.version}) is halted${halt.stay === true ? ', and who is on it stays' : ''}: ${halt.reason}`;
}
