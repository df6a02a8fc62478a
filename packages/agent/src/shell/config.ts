/** The environment of an agent: parsed once, here. */

import { hostname } from 'node:os';
import type { Digest } from '@swell/shared/domain/image.ts';
import { isName, isQuestion, type ServiceName } from '@swell/shared/domain/names.ts';
import { parseBytes } from '@swell/shared/kernel/units.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import { digest, durationMs, label, name, REGION_TAKEN } from '@swell/shared/protocol/fields.ts';
import {
  type BusConfig,
  busVariables,
  countVariable,
  parseEnvironment,
  portVariable,
  toBusConfig,
} from '@swell/shared/shell/environment.ts';
import { z } from 'zod';
import type { DiskReserve } from '../adapters/docker/images/room.ts';

export interface AgentConfig {
  readonly region: string;
  readonly node: string;
  /** What releasers may pick it out by. */
  readonly labels: readonly string[];
  readonly bus: BusConfig;
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly status: { readonly host: string; readonly port: number };
  /** Where HAProxy's agent check is answered; missing: nowhere. */
  readonly agentCheckPort?: number;
  /** What the operator says on the node; it need not be there. */
  readonly policyFile: string;
  readonly stateDir: string;
  readonly engine: { readonly kind: 'docker' } | ({ readonly kind: 'memory' } & MemoryMachine);
  /** Which containers belong to this agent: those of a Compose project, or those with `swell.stack=<name>`. */
  readonly scope: { readonly project?: string; readonly stack?: string };
  /** The id of its own container, where that cannot be seen from inside. */
  readonly container?: string;
  /** What a pull leaves of Docker's disk. */
  readonly diskReserve: DiskReserve;
  readonly presenceEveryMs: number;
}

/** A machine without containers: what it pretends to run. For demonstrations and tests. */
export interface MemoryMachine {
  /** What each service runs at first. */
  readonly containers: Readonly<Record<ServiceName, Digest>>;
  /** Images that run and are never healthy. */
  readonly sick: readonly Digest[];
  /** How long each piece of work takes. */
  readonly workMs: number;
}

const memoryMachine = z.strictObject({
  containers: z.record(name, digest),
  sick: z.array(digest).default([]),
  workMs: durationMs.default(0),
});

const nameOf = (what: string) =>
  z
    .string({ error: `is missing: it names the ${what}` })
    .refine(isName, `must be 1 to 63 letters, digits, "-" or "_": it names the ${what}`);

const variables = z.object({
  ...busVariables,
  SWELL_REGION: nameOf('region of this node').refine((text) => !isQuestion(text), REGION_TAKEN),
  SWELL_NODE: nameOf('node').default(
    hostname()
      .replaceAll(/[^A-Za-z0-9_-]/g, '-')
      .slice(0, 63),
  ),
  SWELL_LABELS: z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== ''),
    )
    .pipe(z.array(label).max(16, 'must not be more than 16 labels'))
    .describe('What releasers may pick this node out by, with commas between: canary,rack=7'),
  SWELL_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  SWELL_STATUS_HOST: z.string().default('0.0.0.0').describe('Where /healthz, /readyz and /metrics are'),
  SWELL_STATUS_PORT: portVariable(8080),
  SWELL_AGENT_CHECK_PORT: portVariable(0).describe("Where HAProxy's agent check is answered; 0: nowhere"),
  SWELL_STATE_DIR: z
    .string()
    .min(1)
    .default('/var/lib/swell')
    .describe('A volume: what must outlive the agent'),
  SWELL_POLICY_FILE: z
    .string()
    .min(1)
    .default('/etc/swell/policy.json')
    .describe('What the operator of the node says; read anew each time'),
  SWELL_ENGINE: z.enum(['docker', 'memory']).default('docker'),
  SWELL_MEMORY_ENGINE: z
    .string()
    .transform((text, context) => {
      const read = decode(new TextEncoder().encode(text), memoryMachine);
      if (read.ok) return read.value;
      for (const message of read.problems) context.addIssue({ code: 'custom', message });
      return z.NEVER;
    })
    .optional()
    .describe('What a machine with SWELL_ENGINE=memory pretends to run, as JSON'),
  SWELL_COMPOSE_PROJECT: z
    .string()
    .optional()
    .describe('Its own project where it runs in one, and this is missing'),
  SWELL_STACK: z.string().optional().describe('Containers with the label swell.stack of this value'),
  SWELL_CONTAINER_ID: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be the whole id of its own container, 64 hexadecimal digits')
    .optional()
    .describe('Its own container, where that cannot be seen from inside'),
  SWELL_DISK_RESERVE: z
    .string()
    .default('1GiB')
    .transform((text, context) => {
      const reserve = parseDiskReserve(text);
      if (reserve !== undefined) return reserve;
      context.addIssue({ code: 'custom', message: 'must be a size ("2GiB", "512MiB") or a share ("10%")' });
      return z.NEVER;
    })
    .describe("What a pull leaves free of Docker's disk; 0B: whatever is left"),
  SWELL_PRESENCE_EVERY_MS: countVariable(200, 60_000).default(60_000),
});

/** Throws an error that names every variable that is wrong, and what it should be. */
export function readConfig(environment: NodeJS.ProcessEnv): AgentConfig {
  const read = parseEnvironment(variables, environment);
  return {
    region: read.SWELL_REGION,
    node: read.SWELL_NODE,
    labels: read.SWELL_LABELS,
    bus: toBusConfig(read, `swell-agent ${read.SWELL_REGION}.${read.SWELL_NODE}`),
    logLevel: read.SWELL_LOG_LEVEL,
    status: { host: read.SWELL_STATUS_HOST, port: read.SWELL_STATUS_PORT },
    ...(read.SWELL_AGENT_CHECK_PORT > 0 && { agentCheckPort: read.SWELL_AGENT_CHECK_PORT }),
    policyFile: read.SWELL_POLICY_FILE,
    stateDir: read.SWELL_STATE_DIR,
    engine:
      read.SWELL_ENGINE === 'docker'
        ? { kind: 'docker' }
        : { kind: 'memory', ...(read.SWELL_MEMORY_ENGINE ?? { containers: {}, sick: [], workMs: 0 }) },
    scope: {
      ...(read.SWELL_COMPOSE_PROJECT !== undefined && { project: read.SWELL_COMPOSE_PROJECT }),
      ...(read.SWELL_STACK !== undefined && { stack: read.SWELL_STACK }),
    },
    ...(read.SWELL_CONTAINER_ID !== undefined && { container: read.SWELL_CONTAINER_ID }),
    diskReserve: read.SWELL_DISK_RESERVE,
    presenceEveryMs: read.SWELL_PRESENCE_EVERY_MS,
  };
}

function parseDiskReserve(text: string): DiskReserve | undefined {
  const [, percent] = /^(\d{1,2}(?:\.\d{1,3})?)%$/.exec(text) ?? [];
  if (percent !== undefined) return { share: Number(percent) / 100 };
  const bytes = parseBytes(text);
  return bytes === undefined ? undefined : { bytes };
}
