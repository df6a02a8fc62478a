/**
 * A policy as people write it, in the bucket `swell_policies` and beside a release: durations in words ("5m"), shares as
 * a number of nodes or a percentage. Every field may be missing.
 */

import { z } from 'zod';
import type { HealthCheck, Probe } from '../domain/health.ts';
import type { PolicyLayer } from '../domain/policy.ts';
import type { Drain, Rejoin } from '../domain/traffic.ts';
import { compact } from './fields.ts';
import { gatesSchema } from './policy-gates.ts';
import {
  canarySchema,
  dependsOnSchema,
  holdSchema,
  minimumVersionSchema,
  regionsSchema,
  safeRateSchema,
  stagesSchema,
  windowsSchema,
} from './policy-rollout.ts';
import { DAY_MS, duration, percentage, share } from './policy-units.ts';
import { watchSchema } from './policy-watch.ts';

const port = z
  .int('must be a port number')
  .min(1, 'must be a port number')
  .max(65_535, 'must be a port number');

/** As it goes into a request: with any other letter nothing could be asked, and every node would be found sick. */
const path = z
  .string()
  .startsWith('/', 'must start with "/"')
  .regex(/^[\x21-\x7e]*$/, 'must be written as in a URL: "%20" for a space')
  .max(2_000);
/** However its letters are written, the wave that carries it stays below what is read of a message. */
const COMMAND_LENGTH_MAX = 8_000;

const healthSchema = z
  .strictObject({
    http: z
      .strictObject({ port, path: path.default('/') })
      .optional()
      .describe('Healthy: an answer from 200 to 399'),
    tcp: z.strictObject({ port }).optional().describe('Healthy: the connection is accepted'),
    docker: z.literal(true).optional().describe("Healthy: Docker's HEALTHCHECK says so"),
    command: z
      .array(z.string().max(4_000))
      .min(1)
      .max(64)
      .refine((words) => words.join('').length <= COMMAND_LENGTH_MAX, {
        error: `must not be longer than ${COMMAND_LENGTH_MAX} letters in all: put a script into the image`,
      })
      .optional()
      .describe('Healthy: exit code 0 in the container'),
    interval: duration(100, 600_000).optional().describe('Time between two probes; 2s'),
    timeout: duration(100, 600_000).optional().describe('Time a probe may take; 2s'),
    minHealthyTime: duration(0, DAY_MS)
      .optional()
      .describe('Well for this long, without a failed probe; 10s'),
    healthyDeadline: duration(500, DAY_MS).optional().describe('Not well by then: the update has failed; 5m'),
  })
  .refine((health) => [health.http, health.tcp, health.docker, health.command].filter(Boolean).length <= 1, {
    error: 'takes one of http, tcp, docker and command, not several',
  })
  .transform(
    (health): Partial<HealthCheck> =>
      compact({
        probe: probeOf(health),
        intervalMs: health.interval,
        probeTimeoutMs: health.timeout,
        minHealthyTimeMs: health.minHealthyTime,
        healthyDeadlineMs: health.healthyDeadline,
      }) as Partial<HealthCheck>,
  );

function probeOf(health: {
  http?: { port: number; path: string } | undefined;
  tcp?: { port: number } | undefined;
  docker?: true | undefined;
  command?: string[] | undefined;
}): Probe | undefined {
  if (health.http !== undefined) return { kind: 'http', ...health.http };
  if (health.tcp !== undefined) return { kind: 'tcp', ...health.tcp };
  if (health.docker !== undefined) return { kind: 'docker' };
  if (health.command !== undefined) return { kind: 'command', command: health.command };
  return undefined;
}

const often = z.int().min(0).max(1_000);

const drainSchema = z
  .strictObject({
    checks: often
      .optional()
      .describe(
        'A balancer has asked so often and heard that nothing more is to be sent, before time counts; 0',
      ),
    time: duration(0, DAY_MS)
      .optional()
      .describe('Balancers are told to send nothing more, so long before the container stops; 0s'),
    max: duration(0, DAY_MS)
      .optional()
      .describe('Nobody waits longer than this in all, for checks or for what is in flight; 1m'),
    inFlight: z
      .strictObject({ port, path: path.default('/') })
      .optional()
      .describe('Answers with the number of requests under way: waited for until it is 0'),
  })
  .transform(
    ({ checks, time, max, inFlight }): Partial<Drain> =>
      compact({ checks, timeMs: time, maxMs: max, inFlight }) as Partial<Drain>,
  );

const rejoinSchema = z
  .strictObject({
    checks: often
      .optional()
      .describe('The slot is freed once a balancer has asked so often and heard that the node is back; 0'),
    max: duration(0, DAY_MS).optional().describe('Or after this long; 30s'),
    ramp: duration(0, DAY_MS)
      .optional()
      .describe('The weight rises from 10 % to 100 % over this time (agent check); 0s'),
  })
  .transform(
    ({ checks, max, ramp }): Partial<Rejoin> =>
      compact({ checks, maxMs: max, rampMs: ramp }) as Partial<Rejoin>,
  );

export const policySchema = z
  .strictObject({
    stages: stagesSchema.optional().describe('Percent of each region; 6.25, 12.5, 25, 50, 100'),
    approval: z
      .enum(['manual', 'automatic'], { error: 'must be "manual" or "automatic"' })
      .optional()
      .describe('Who opens the next stage; manual'),
    safeRate: safeRateSchema
      .optional()
      .describe('How fast a stage takes its nodes in: "5%/6h"; as fast as slots become free'),
    windows: windowsSchema
      .optional()
      .describe(
        'When nodes of a region may start: {"eu-west":{"open":["22:00-05:00 Europe/Vienna"]}}; at any time',
      ),
    coolDown: duration(0, 30 * DAY_MS)
      .optional()
      .describe('A release has been published for this long before it begins; 0s'),
    dependsOn: dependsOnSchema
      .optional()
      .describe('Services that come first: ["db", {"service":"cache","per":"region"}]; none'),
    maxUnavailable: share(1)
      .optional()
      .describe('Nodes of a region that may be down at once; 5%, at least 1'),
    stagingQuorum: percentage('must be a percentage such as "80%"')
      .optional()
      .describe('Share of a stage that must have the image before it opens; 80%'),
    stagingSpread: duration(0, DAY_MS).optional().describe('Downloads are spread over this long; 30s'),
    soak: duration(0, 30 * DAY_MS)
      .optional()
      .describe('How long a finished stage is watched; 5m'),
    firstGroupSoak: duration(0, 30 * DAY_MS)
      .optional()
      .describe('How long the first group of regions is watched once it is through; as long as soak'),
    gates: gatesSchema
      .optional()
      .describe('What is asked of Prometheus before a stage that was watched is over; none'),
    canary: canarySchema.optional().describe('A stage before the first one'),
    minimumVersion: minimumVersionSchema
      .optional()
      .describe(
        'Nodes on an older version do not wait for their turn: "1.4.2", or those that are recent enough: ["1.4.2", ">=1.5"]; none',
      ),
    progressDeadline: duration(1_000, 30 * DAY_MS)
      .optional()
      .describe('No progress for this long: pause; 15m'),
    failureBudget: z
      .strictObject({
        max: share(0).describe('More failed nodes than this halt the rollout; 10%'),
        minSample: z
          .int()
          .min(1)
          .max(1_000_000)
          .default(5)
          .describe('A percentage counts from so many attempts on'),
      })
      .optional(),
    hold: z
      .array(holdSchema)
      .max(16)
      .optional()
      .describe('Nodes that rollouts pass over for now, by name, label, version and region; none'),
    regions: regionsSchema.optional().describe('Side by side, or group after group; parallel'),
    watch: watchSchema.optional().describe('A tag whose new digests become releases, or proposals; none'),
    slotLease: duration(2_000, DAY_MS).optional().describe('A slot not renewed for this long is lost; 2m'),
    stopTimeout: duration(0, DAY_MS).optional().describe("Between stop signal and kill; the container's own"),
    maxSurge: z
      .union([z.literal(0), z.literal(1)], { error: 'must be 0 or 1' })
      .optional()
      .describe('1: a node starts the new container before it stops the old one, where it can; 0'),
    health: healthSchema.optional(),
    drain: drainSchema.optional(),
    rejoin: rejoinSchema.optional(),
  })
  .transform(
    (policy): PolicyLayer =>
      compact({
        stagesPercent: policy.stages,
        approval: policy.approval,
        safeRate: policy.safeRate,
        windows: policy.windows,
        coolDownMs: policy.coolDown,
        dependsOn: policy.dependsOn,
        maxUnavailable: policy.maxUnavailable,
        stagingQuorumPercent: policy.stagingQuorum,
        stagingSpreadMs: policy.stagingSpread,
        soakMs: policy.soak,
        firstGroupSoakMs: policy.firstGroupSoak,
        gates: policy.gates,
        canary: policy.canary,
        minimumVersion: policy.minimumVersion,
        progressDeadlineMs: policy.progressDeadline,
        failureBudget: policy.failureBudget,
        hold: policy.hold,
        regions: policy.regions,
        watch: policy.watch,
        slotLeaseMs: policy.slotLease,
        stopTimeoutMs: policy.stopTimeout,
        maxSurge: policy.maxSurge,
        health: policy.health,
        drain: policy.drain,
        rejoin: policy.rejoin,
      }) as PolicyLayer,
  );

/** The JSON Schema of what people write. */
export function policyJsonSchema(): unknown {
  return z.toJSONSchema(policySchema, { io: 'input' });
}
