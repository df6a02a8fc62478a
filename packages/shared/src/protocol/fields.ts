/** Fields that several messages share, in the shape that programs exchange: milliseconds, digests, names. */

import { z } from 'zod';
import type { HealthCheck, Probe } from '../domain/health.ts';
import { DIGEST_PATTERN, type PinnedImage } from '../domain/image.ts';
import { isInherited, isQuestion, LABEL_PATTERN, NAME_PATTERN } from '../domain/names.ts';
import type { Share } from '../domain/policy.ts';
import type { Drain, Rejoin } from '../domain/traffic.ts';
import { PART_PATTERN, type ReleaseImage } from '../domain/unit.ts';
import { isVersionOrRange } from '../domain/version.ts';
import type { Release } from '../domain/wave.ts';

/** As long as a policy can ask for, and as any timer can be asked to wait. */
const DURATION_MAX_MS = 30 * 86_400_000;

export const name = z
  .string()
  .regex(NAME_PATTERN, 'must be a name of letters, digits, "-" and "_"')
  .refine((text) => !isInherited(text), 'must be another name: every object has something of this one');
export const REGION_TAKEN =
  'must be another name: swell.ask.<region>.<node> is how a node is asked, and this one is a question to the coordinator';
/** Of a region, where people or its nodes name it. */
export const region = name.refine((text) => !isQuestion(text), REGION_TAKEN);
const LABEL = 'must be a label such as "canary" or "rack=7": letters, digits and . _ - /';
export const label = z.string({ error: LABEL }).regex(LABEL_PATTERN, LABEL);
const VERSION_OR_RANGE =
  'must be a version such as "1.4.2", or a range such as ">=1.4 <2" (https://semver.org, as npm writes ranges)';
/** What picks versions out. */
export const versionOrRange = z
  .string()
  .min(1)
  .max(128)
  .refine((text) => isVersionOrRange(text), VERSION_OR_RANGE);
const DIGEST = 'must be a digest: sha256: and 64 hexadecimal digits';
export const digest = z.string({ error: DIGEST }).regex(DIGEST_PATTERN, DIGEST);
export const sequence = z.int().min(0);
export const durationMs = z.int().min(0).max(DURATION_MAX_MS);
export const rank = z.number().min(0).max(1);
export const percent = z.number().min(0).max(100);
const port = z.int().min(1).max(65_535);

/**
 * Takes an object's keys without a value away: what the wire does with them, and what the types of the domain demand.
 */
export function compact<Value extends object>(value: Value): Value {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Value;
}

export const probe = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('http'), port, path: z.string() }),
  z.object({ kind: z.literal('tcp'), port }),
  z.object({ kind: z.literal('docker') }),
  z.object({ kind: z.literal('command'), command: z.array(z.string()).min(1) }),
  z.object({ kind: z.literal('automatic') }),
]) satisfies z.ZodType<Probe>;

export const healthCheck = z.object({
  probe,
  intervalMs: durationMs.min(1),
  probeTimeoutMs: durationMs.min(1),
  minHealthyTimeMs: durationMs,
  healthyDeadlineMs: durationMs,
}) satisfies z.ZodType<HealthCheck>;

const checks = z.int().min(0).max(1_000);

export const drainFields = z.object({
  checks,
  timeMs: durationMs,
  maxMs: durationMs,
  inFlight: z.object({ port, path: z.string() }).optional(),
});
export const drain = drainFields.transform((value): Drain => compact(value) as Drain);

export const rejoin = z.object({
  checks,
  maxMs: durationMs,
  rampMs: durationMs,
}) satisfies z.ZodType<Rejoin>;

export const share = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('count'), count: z.int().min(0).max(1_000_000) }),
  z.object({ kind: z.literal('percent'), percent }),
]) satisfies z.ZodType<Share>;

const pinnedImage = z
  .object({ repository: z.string().min(1), digest, tag: z.string().optional() })
  .transform((image): PinnedImage => compact(image) as PinnedImage);

export const PART = 'must be a part: letters, digits and . _ -, 63 at most';
export const part = z
  .string()
  .regex(PART_PATTERN, PART)
  .refine((text) => !isInherited(text), PART);

/** An agent from before there were units finds no repository in one, and refuses its wave. */
const releaseImage: z.ZodType<ReleaseImage> = z.union([
  z.object({ digest, parts: z.record(part, pinnedImage) }),
  pinnedImage,
]);

export const release = z
  .object({
    rollout: sequence.min(1),
    service: name,
    image: releaseImage,
    version: z.string().min(1),
    from: z.array(z.string()).optional(),
    retry: sequence.optional(),
    train: z.string().optional(),
    irreversible: z.literal(true).optional(),
  })
  .transform((value): Release => compact(value) as Release);
