/** The environment of a coordinator: parsed once, here. */

import { hostname } from 'node:os';
import {
  type BusConfig,
  busVariables,
  countVariable,
  parseEnvironment,
  portVariable,
  toBusConfig,
} from '@swell/shared/shell/environment.ts';
import { z } from 'zod';

export interface CoordinatorConfig {
  readonly name: string;
  readonly bus: BusConfig;
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly status: { readonly host: string; readonly port: number };
  readonly insecureRegistries: readonly string[];
  readonly notificationsTokenFile: string | undefined;
  readonly replicas: number | undefined;
  readonly monitoringUrls: readonly string[];
  readonly pulseEveryMs: number;
  readonly leaseMs: number;
}

const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );

const variables = z.object({
  ...busVariables,
  SWELL_NAME: z
    .string()
    .min(1)
    .default(`${hostname()}-${process.pid}`)
    .describe('Tells this coordinator from others'),
  SWELL_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  SWELL_STATUS_HOST: z.string().default('0.0.0.0').describe('Where /healthz, /readyz and /metrics are'),
  SWELL_STATUS_PORT: portVariable(8080),
  SWELL_INSECURE_REGISTRIES: list.describe(
    'Registries (host:port, separated by commas) spoken to without TLS',
  ),
  SWELL_NOTIFICATIONS_TOKEN_FILE: z
    .string()
    .optional()
    .describe('File of the token with which registries may post notifications'),
  SWELL_NATS_REPLICAS: countVariable(1, 5).optional().describe('Of streams that are made: 1 or 3'),
  SWELL_NATS_MONITORING: list.describe(
    'Monitoring addresses of the servers, to see whether they sync always',
  ),
  SWELL_PULSE_EVERY_MS: countVariable(50, 10_000).default(10_000),
  SWELL_LEASE_MS: countVariable(500, 60_000).default(10_000).describe('Of the leadership'),
});

/** Throws an error that names every variable that is wrong, and what it should be. */
export function readConfig(environment: NodeJS.ProcessEnv): CoordinatorConfig {
  const read = parseEnvironment(variables, environment);
  return {
    name: read.SWELL_NAME,
    bus: toBusConfig(read, `swell-coordinator ${read.SWELL_NAME}`),
    logLevel: read.SWELL_LOG_LEVEL,
    status: { host: read.SWELL_STATUS_HOST, port: read.SWELL_STATUS_PORT },
    insecureRegistries: read.SWELL_INSECURE_REGISTRIES,
    notificationsTokenFile: read.SWELL_NOTIFICATIONS_TOKEN_FILE,
    replicas: read.SWELL_NATS_REPLICAS,
    monitoringUrls: read.SWELL_NATS_MONITORING,
    pulseEveryMs: read.SWELL_PULSE_EVERY_MS,
    leaseMs: read.SWELL_LEASE_MS,
  };
}
