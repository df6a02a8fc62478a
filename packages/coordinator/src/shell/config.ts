/** The environment of a coordinator: parsed once, here. */

import { hostname } from 'node:os';
import { isName } from '@swell/shared/domain/names.ts';
import type { Scope } from '@swell/shared/domain/scope.ts';
import {
  type BusConfig,
  busVariables,
  countVariable,
  parseEnvironment,
  portVariable,
  toBusConfig,
} from '@swell/shared/shell/environment.ts';
import { z } from 'zod';
import type { PrometheusOptions } from '../adapters/prometheus.ts';

export interface CoordinatorConfig {
  readonly name: string;
  /** Missing: all regions that no scope has. */
  readonly scope: Scope | undefined;
  readonly bus: BusConfig;
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly status: { readonly host: string; readonly port: number };
  readonly insecureRegistries: readonly string[];
  /** Missing: gates say nothing. */
  readonly prometheus: PrometheusOptions | undefined;
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

const variables = z
  .object({
    ...busVariables,
    SWELL_NAME: z
      .string()
      .min(1)
      .default(`${hostname()}-${process.pid}`)
      .describe('Tells this coordinator from others'),
    SWELL_SCOPE: z
      .string()
      .refine(isName, { error: 'must be a name of letters, digits, "-" and "_"' })
      .optional()
      .describe('Leads the regions of this scope, and no others; without it all that no scope has'),
    SWELL_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
    SWELL_STATUS_HOST: z.string().default('0.0.0.0').describe('Where /healthz, /readyz and /metrics are'),
    SWELL_STATUS_PORT: portVariable(8080),
    SWELL_INSECURE_REGISTRIES: list.describe(
      'Registries (host:port, separated by commas) spoken to without TLS',
    ),
    SWELL_PROMETHEUS_URL: z
      .url({ protocol: /^https?$/, error: 'must be an address such as "http://prometheus:9090"' })
      .optional()
      .describe('Where the gates of policies are asked'),
    SWELL_PROMETHEUS_TOKEN_FILE: z.string().optional().describe('File of a bearer token'),
    SWELL_PROMETHEUS_LOGIN_FILE: z.string().optional().describe('File of user:password'),
    SWELL_PROMETHEUS_TLS_CA: z.string().optional().describe('File of certificates to trust'),
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
  })
  .refine(
    (read) =>
      read.SWELL_PROMETHEUS_TOKEN_FILE === undefined || read.SWELL_PROMETHEUS_LOGIN_FILE === undefined,
    {
      path: ['SWELL_PROMETHEUS_LOGIN_FILE'],
      error: 'there is a SWELL_PROMETHEUS_TOKEN_FILE: give one of them',
    },
  );

/** Throws an error that names every variable that is wrong, and what it should be. */
export function readConfig(environment: NodeJS.ProcessEnv): CoordinatorConfig {
  const read = parseEnvironment(variables, environment);
  return {
    name: read.SWELL_NAME,
    scope: read.SWELL_SCOPE,
    bus: toBusConfig(read, `swell-coordinator ${read.SWELL_NAME}`),
    logLevel: read.SWELL_LOG_LEVEL,
    status: { host: read.SWELL_STATUS_HOST, port: read.SWELL_STATUS_PORT },
    insecureRegistries: read.SWELL_INSECURE_REGISTRIES,
    prometheus: prometheusOf(read),
    notificationsTokenFile: read.SWELL_NOTIFICATIONS_TOKEN_FILE,
    replicas: read.SWELL_NATS_REPLICAS,
    monitoringUrls: read.SWELL_NATS_MONITORING,
    pulseEveryMs: read.SWELL_PULSE_EVERY_MS,
    leaseMs: read.SWELL_LEASE_MS,
  };
}

function prometheusOf(read: z.output<typeof variables>): PrometheusOptions | undefined {
  const { SWELL_PROMETHEUS_URL: url, SWELL_PROMETHEUS_TLS_CA: caFile } = read;
  if (url === undefined) return undefined;
  const login = loginOf(read);
  return { url, ...(login !== undefined && { login }), ...(caFile !== undefined && { caFile }) };
}

function loginOf(read: z.output<typeof variables>): PrometheusOptions['login'] {
  const { SWELL_PROMETHEUS_TOKEN_FILE: token, SWELL_PROMETHEUS_LOGIN_FILE: password } = read;
  if (token !== undefined) return { kind: 'token', file: token };
  return password === undefined ? undefined : { kind: 'password', file: password };
}
