/** The coordinators' own records in `swell_rollouts`: one for each service, and the leader's lease. */

import { z } from 'zod';
import type { Dependency } from '../domain/dependency.ts';
import { EVENT_NAMES, type FleetEvent } from '../domain/event.ts';
import type { Gate } from '../domain/gate.ts';
import type { HoldRule } from '../domain/hold.ts';
import type { ServiceName } from '../domain/names.ts';
import type { Place } from '../domain/place.ts';
import type { PolicyLayer } from '../domain/policy.ts';
import type { Publishing, WrittenRelease } from '../domain/publishing.ts';
import { type HaltedRelease, type PastRollout, ROLLOUT_ENDS, type ServiceRecord } from '../domain/rollout.ts';
import type { TagReference, WatchedTag } from '../domain/watch.ts';
import type { OpenTimes } from '../domain/window.ts';
import type { Parsed } from '../kernel/parsed.ts';
import { decode } from './codec.ts';
import {
  compact,
  digest,
  drainFields,
  durationMs,
  healthCheck,
  name,
  part,
  percent,
  rank,
  rejoin,
  release,
  sequence,
  share,
} from './fields.ts';

const place = z.object({ sequence, storedAtMs: z.number() }) satisfies z.ZodType<Place>;

/** Who leads, and how far the leader has read what people publish. */
export interface Lease {
  readonly coordinator: string;
  readonly term: number;
  /** A rival waits this long after the last renewal that it saw, by its own clock. */
  readonly leaseMs: number;
  /** The leaders' time when it was written: the next one's does not begin before. */
  readonly atMs: number;
  readonly releasesRead: Place;
  readonly controlsRead: Place;
}

export const leaseSchema = z.object({
  coordinator: z.string(),
  term: sequence,
  leaseMs: durationMs,
  atMs: z.number(),
  releasesRead: place,
  controlsRead: place,
}) satisfies z.ZodType<Lease>;

const grouping = z.union([z.literal('parallel'), z.array(z.array(name))]);

const dependency = z.object({
  service: name,
  per: z.enum(['fleet', 'region']),
}) satisfies z.ZodType<Dependency>;

const openTimes = z.object({
  windows: z.array(
    z.object({
      text: z.string(),
      days: z.array(z.int()),
      fromMinute: z.int(),
      toMinute: z.int(),
      timeZone: z.string(),
    }),
  ),
  except: z.array(z.string()),
}) satisfies z.ZodType<OpenTimes>;

const holdRule = z
  .object({
    nodes: z.array(name).optional(),
    label: z.string().optional(),
    version: z.string().optional(),
    region: name.optional(),
    reason: z.string(),
  })
  .transform((rule): HoldRule => compact(rule) as HoldRule);
const gate = z
  .object({
    name,
    query: z.string(),
    min: z.number().optional(),
    max: z.number().optional(),
    compare: z
      .object({ min: z.number().optional(), max: z.number().optional(), tolerance: z.number() })
      .transform(compact)
      .optional(),
    forMs: durationMs,
    everyMs: durationMs.min(1),
    failuresMax: z.int().min(1),
  })
  .transform((value): Gate => compact(value) as Gate);
const tagReference = z.object({ repository: z.string(), tag: z.string() }) satisfies z.ZodType<TagReference>;

const policyLayer = z
  .object({
    stagesPercent: z.array(percent),
    approval: z.enum(['manual', 'automatic']),
    safeRate: z.object({ percent, perMs: durationMs.min(1) }),
    windows: z.record(z.string(), openTimes),
    coolDownMs: durationMs,
    dependsOn: z.array(dependency),
    maxUnavailable: share,
    stagingQuorumPercent: percent,
    stagingSpreadMs: durationMs,
    soakMs: durationMs,
    firstGroupSoakMs: durationMs,
    gates: z.array(gate),
    canary: z.object({ label: z.string(), soakMs: durationMs }),
    minimumVersion: z.array(z.string()).min(1),
    progressDeadlineMs: durationMs,
    hold: z.array(holdRule),
    failureBudget: z.object({ max: share, minSample: z.int().min(1) }),
    regions: grouping,
    watch: z.object({ image: tagReference, everyMs: durationMs.min(1), mode: z.enum(['auto', 'propose']) }),
    slotLeaseMs: durationMs,
    stopTimeoutMs: durationMs,
    maxSurge: z.union([z.literal(0), z.literal(1)]),
    health: healthCheck.partial(),
    drain: drainFields.partial().transform(compact),
    rejoin: rejoin.partial(),
  })
  .partial()
  .transform((layer): PolicyLayer => compact(layer) as PolicyLayer);

const phase = z.discriminatedUnion('name', [
  z.object({ name: z.literal('staging') }),
  z.object({ name: z.literal('rolling') }),
  z.object({ name: z.literal('soaking'), sinceMs: z.number() }),
  z.object({ name: z.literal('gated') }),
  z.object({ name: z.literal('settled') }),
  z.object({ name: z.literal('halting'), reason: z.string() }),
  z.object({ name: z.literal('rested'), reason: z.string() }),
  z.object({ name: z.literal('aborted'), reason: z.string() }),
]);

const behind = z.record(name, sequence);

const pause = z.object({
  sinceMs: z.number(),
  reason: z.string(),
  byDependency: z.literal(true).optional(),
});

const rollout = z.object({
  release,
  seed: z.string().min(1),
  overrides: policyLayer,
  phase,
  grouping,
  group: z.int().min(0),
  percent,
  regions: z.record(
    name,
    z.object({
      cursor: rank,
      stageBelow: rank,
      slots: z.int().min(1).max(1_000_000),
      nodes: sequence,
      canaries: z.array(name).optional(),
      outdated: z.array(name).optional(),
    }),
  ),
  // Records from before there were safe rates and windows have neither.
  pace: z.record(name, z.object({ from: rank, openMs: z.int().min(0) })).default({}),
  closed: z.array(name).default([]),
  behind: behind.optional(),
  awaiting: z.object({ regions: z.array(name), reason: z.string() }).optional(),
  heedless: z.literal(true).optional(),
  expiresMs: z.number().optional(),
  publication: z.string().optional(),
  approved: z.object({ group: z.int().min(0), toPercent: percent }).optional(),
  halfway: z.array(name),
  lost: z.array(z.object({ region: name, node: name, revision: sequence })),
  paused: pause.optional(),
});

const reference = z.object({ repository: z.string(), tag: z.string().optional(), digest: digest.optional() });

const candidate = z.object({
  rollout: sequence.min(1),
  image: z.union([z.object({ parts: z.record(part, reference) }), reference]),
  version: z.string().optional(),
  overrides: policyLayer,
  acceptHalted: z.boolean(),
  // One from before there were cool-downs has waited for longer than any.
  publishedAtMs: z.number().default(0),
  digest: digest.optional(),
  parts: z.record(part, digest).optional(),
  from: z.array(z.string()).optional(),
  irreversible: z.literal(true).optional(),
  allowDowngrade: z.literal(true).optional(),
  urgent: z.literal(true).optional(),
  notBeforeMs: z.number().optional(),
  expiresMs: z.number().optional(),
  waitsUntilMs: z.number().optional(),
  publication: z.string().optional(),
  train: z.string().optional(),
  trainOf: z.array(name).optional(),
  behind: behind.optional(),
  waitsFor: z.string().optional(),
});

const publishing = z
  .object({
    publication: z.string(),
    release: z
      .object({
        image: z.string().optional(),
        images: z.record(part, z.string()).optional(),
        version: z.string(),
        allowDowngrade: z.literal(true).optional(),
        urgent: z.literal(true).optional(),
        irreversible: z.literal(true).optional(),
      })
      .transform((written): WrittenRelease => compact(written) as WrittenRelease),
    asked: z.object({ action: z.string(), mark: z.string() }).optional(),
    tagged: digest.optional(),
  })
  .transform((value): Publishing => compact(value) as Publishing);
const watched = z
  .object({
    image: z.string(),
    seen: digest.optional(),
    undecided: z.literal(true).optional(),
    proposal: z.object({ digest, sinceMs: z.number() }).optional(),
    known: z.array(digest),
    failing: z.string().optional(),
  })
  .transform((tag): WatchedTag => compact(tag) as WatchedTag);

const past = z
  .object({
    rollout: sequence.min(1),
    version: z.string(),
    digest,
    begunAtMs: z.number(),
    ended: z
      .object({
        as: z.enum(ROLLOUT_ENDS),
        atMs: z.number(),
        reason: z.string().optional(),
        attempted: sequence,
        failed: sequence,
      })
      .transform((value) => compact(value))
      .optional(),
  })
  .transform((value): PastRollout => compact(value) as PastRollout);

const event = z
  .object({
    id: z.string(),
    name: z.enum(EVENT_NAMES),
    service: name,
    scope: name.optional(),
    line: z.string(),
    rollout: sequence.optional(),
    digest: digest.optional(),
    region: name.optional(),
    node: name.optional(),
    slot: sequence.optional(),
    revision: sequence.optional(),
    problems: z.array(z.string()).optional(),
  })
  .transform((value): FleetEvent => compact(value) as FleetEvent);

export const eventSchema = event;

/** Of our own hand, and growing with regions, lost nodes and halted digests: as much as a server takes by default. */
export const RECORD_BYTES_MAX = 1_048_576;

export const serviceRecordSchema = z
  .object({
    service: name,
    releasesTaken: place,
    controlsTaken: place,
    failuresTold: sequence,
    eventsTold: sequence,
    policy: z
      .object({ ...place.shape, layer: policyLayer.optional() })
      .transform((policy) => compact(policy))
      .optional(),
    candidate: candidate.optional(),
    publishing: publishing.optional(),
    watched: watched.optional(),
    rollout: rollout.optional(),
    // Records from before there were such words have none.
    held: z.array(holdRule).default([]),
    settled: z.array(release),
    irreversible: z.object({ rollout: sequence.min(1), version: z.string() }).optional(),
    halted: z.array(
      z
        .object({
          rollout: sequence,
          digest,
          version: z.string(),
          reason: z.string(),
          stay: z.literal(true).optional(),
          settledAs: sequence.optional(),
        })
        .transform((one): HaltedRelease => compact(one) as HaltedRelease),
    ),
    // Records from before they were kept have none.
    past: z.array(past).default([]),
    outbox: z.array(event),
  })
  .transform((record): ServiceRecord => compact(record) as ServiceRecord);

/** Reads the record of a service. One of another service is none: its release would go to the wrong nodes. */
export function readServiceRecord(body: Uint8Array, service: ServiceName): Parsed<ServiceRecord> {
  const record = decode(body, serviceRecordSchema, RECORD_BYTES_MAX);
  if (!record.ok) return record;
  const { value: it } = record;
  const services = [
    it.service,
    it.rollout?.release.service ?? service,
    ...it.settled.map((one) => one.service),
  ];
  const other = services.find((one) => one !== service);
  if (other === undefined) return record;
  return { ok: false, problems: [`service: it speaks of ${other}, under the name of ${service}`] };
}

export function describeRecord(record: ServiceRecord): string {
  const { rollout: it } = record;
  if (it === undefined) return `${record.service}: no rollout yet`;
  const paused = it.paused === undefined ? '' : `, paused: ${it.paused.reason}`;
  return `${record.service}: rollout ${it.release.rollout} (${it.release.version}) ${it.phase.name}${paused}`;
}
