/** Waves and halts, as the coordinator writes them and agents read them. */

import { z } from 'zod';
import type { Halt, Wave } from '../domain/wave.ts';
import {
  compact,
  digest,
  durationMs,
  healthCheck,
  name,
  percent,
  rank,
  release,
  sequence,
} from './fields.ts';
import { formatRank } from './lines.ts';

export const waveSchema = z
  .object({
    region: name,
    service: name,
    release,
    phase: z.enum(['staging', 'open', 'paused', 'settled', 'halted', 'aborted']),
    stage: z.object({ number: z.int(), of: z.int(), percent }),
    seed: z.string().min(1),
    stageBelow: rank,
    cursor: rank,
    slots: z.int().min(1).max(1_000_000),
    slotLeaseMs: durationMs.min(1),
    stagingSpreadMs: durationMs,
    stopTimeoutMs: durationMs.optional(),
    health: healthCheck,
  })
  .transform((wave): Wave => compact(wave) as Wave);

export const haltSchema = z.object({
  service: name,
  rollout: sequence,
  digest,
  version: z.string(),
  reason: z.string(),
}) satisfies z.ZodType<Halt>;

export function describeWave(wave: Wave): string {
  const { release: it, stage } = wave;
  return (
    `${wave.service} in ${wave.region}: rollout ${it.rollout} (${it.version}) ${wave.phase}, ` +
    `stage ${stage.number} of ${stage.of} (${stage.percent} %), cursor ${formatRank(wave.cursor)}, ${wave.slots} slots`
  );
}

export function describeHalt(halt: Halt): string {
  return `${halt.service}: rollout ${halt.rollout} (${halt.version}) is halted: ${halt.reason}`;
}
