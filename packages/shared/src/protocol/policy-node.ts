/** The part of a policy that a node goes by: when a container is well, and how its traffic leaves and comes back. */

import { z } from 'zod';
import type { HealthCheck, Probe } from '../domain/health.ts';
import { DEFAULT_POLICY } from '../domain/policy.ts';
import type { Drain, Rejoin } from '../domain/traffic.ts';
import { compact } from './fields.ts';
import { DAY_MS, duration, durationText } from './policy-units.ts';

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

export const healthSchema = z
  .strictObject({
    http: z
      .strictObject({
        port: port.meta({
          description:
            "Healthy: an answer from 200 to 399 on this port. At most one of `http`, `tcp`, `docker` and `command`; without any, Docker's HEALTHCHECK where the image has one, else that the container runs",
          examples: [8080],
        }),
        path: path
          .default('/')
          .meta({ description: 'What is asked for; only beside `health.http.port`', examples: ['/healthz'] }),
      })
      .optional(),
    tcp: z
      .strictObject({
        port: port.meta({ description: 'Healthy: the connection is accepted', examples: [5432] }),
      })
      .optional(),
    docker: z
      .literal(true)
      .optional()
      .meta({ description: "Healthy: Docker's HEALTHCHECK says so", examples: [true] }),
    command: z
      .array(z.string().max(4_000))
      .min(1)
      .max(64)
      .refine((words) => words.join('').length <= COMMAND_LENGTH_MAX, {
        error: `must not be longer than ${COMMAND_LENGTH_MAX} letters in all: put a script into the image`,
      })
      .optional()
      .meta({ description: 'Healthy: exit code 0 in the container', examples: [['pg_isready', '-q']] }),
    interval: duration(100, 600_000)
      .optional()
      .meta({
        description: 'Time between two probes',
        default: durationText(DEFAULT_POLICY.health.intervalMs),
        examples: ['5s'],
      }),
    timeout: duration(100, 600_000)
      .optional()
      .meta({
        description: 'Time that a probe may take',
        default: durationText(DEFAULT_POLICY.health.probeTimeoutMs),
        examples: ['10s'],
      }),
    minHealthyTime: duration(0, DAY_MS)
      .optional()
      .meta({
        description: 'Well for this long, without a failed probe',
        default: durationText(DEFAULT_POLICY.health.minHealthyTimeMs),
        examples: ['1m'],
      }),
    healthyDeadline: duration(500, DAY_MS)
      .optional()
      .meta({
        description: 'Not well by then: the update has failed. Shorter than `progressDeadline`',
        default: durationText(DEFAULT_POLICY.health.healthyDeadlineMs),
        examples: ['10m'],
      }),
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

export const drainSchema = z
  .strictObject({
    checks: often.optional().meta({
      description:
        'A balancer has asked so often and heard that nothing more is to be sent, before time counts',
      default: DEFAULT_POLICY.drain.checks,
      examples: [2],
    }),
    time: duration(0, DAY_MS)
      .optional()
      .meta({
        description: 'Balancers are told to send nothing more, so long before the container stops',
        default: durationText(DEFAULT_POLICY.drain.timeMs),
        examples: ['10s'],
      }),
    max: duration(0, DAY_MS)
      .optional()
      .meta({
        description: 'Nobody waits longer than this in all, for checks or for what is in flight',
        default: durationText(DEFAULT_POLICY.drain.maxMs),
        examples: ['2m'],
      }),
    inFlight: z
      .strictObject({
        port: port.meta({
          description: 'Answers with the number of requests under way: waited for until it is 0',
          examples: [9090],
        }),
        path: path.default('/').meta({
          description: 'What is asked for; only beside `drain.inFlight.port`',
          examples: ['/in-flight'],
        }),
      })
      .optional(),
  })
  .transform(
    ({ checks, time, max, inFlight }): Partial<Drain> =>
      compact({ checks, timeMs: time, maxMs: max, inFlight }) as Partial<Drain>,
  );

export const rejoinSchema = z
  .strictObject({
    checks: often.optional().meta({
      description: 'The slot is freed once a balancer has asked so often and heard that the node is back',
      default: DEFAULT_POLICY.rejoin.checks,
      examples: [2],
    }),
    max: duration(0, DAY_MS)
      .optional()
      .meta({
        description: 'Or after this long',
        default: durationText(DEFAULT_POLICY.rejoin.maxMs),
        examples: ['1m'],
      }),
    ramp: duration(0, DAY_MS)
      .optional()
      .meta({
        description: 'The weight rises from 10 % to 100 % over this time (agent check)',
        default: durationText(DEFAULT_POLICY.rejoin.rampMs),
        examples: ['5m'],
      }),
  })
  .transform(
    ({ checks, max, ramp }): Partial<Rejoin> =>
      compact({ checks, maxMs: max, rampMs: ramp }) as Partial<Rejoin>,
  );
