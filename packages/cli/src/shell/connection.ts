/** The options of the connection, named as the `nats` CLI names them, laid over the environment of the other programs. */

import { accessSync, constants } from 'node:fs';
import {
  type BusConfig,
  busVariables,
  parseEnvironment,
  toBusConfig,
} from '@swell/shared/shell/environment.ts';
import { z } from 'zod';
import { UsageError } from './usage.ts';

/** For `util.parseArgs`. */
export const CONNECTION_OPTIONS = {
  server: { type: 'string', short: 's' },
  creds: { type: 'string' },
  nkey: { type: 'string' },
  user: { type: 'string' },
  password: { type: 'string' },
  token: { type: 'string' },
  tlsca: { type: 'string' },
  tlscert: { type: 'string' },
  tlskey: { type: 'string' },
  tlsfirst: { type: 'boolean' },
  'js-domain': { type: 'string' },
  'js-api-prefix': { type: 'string' },
  'inbox-prefix': { type: 'string' },
} as const;
type ConnectionOption = keyof typeof CONNECTION_OPTIONS;

export type Values = Readonly<Record<string, string | boolean | undefined>>;

const VARIABLES = {
  server: 'SWELL_NATS_SERVERS',
  creds: 'SWELL_NATS_CREDS',
  nkey: 'SWELL_NATS_NKEY_SEED',
  user: 'SWELL_NATS_USER',
  password: 'SWELL_NATS_PASSWORD',
  token: 'SWELL_NATS_TOKEN',
  tlsca: 'SWELL_NATS_TLS_CA',
  tlscert: 'SWELL_NATS_TLS_CERT',
  tlskey: 'SWELL_NATS_TLS_KEY',
  tlsfirst: 'SWELL_NATS_TLS_FIRST',
  'js-domain': 'SWELL_NATS_JS_DOMAIN',
  'js-api-prefix': 'SWELL_NATS_JS_API_PREFIX',
  'inbox-prefix': 'SWELL_NATS_INBOX_PREFIX',
} as const satisfies Readonly<Record<ConnectionOption, keyof typeof busVariables>>;

const LOGINS = ['creds', 'nkey', 'user', 'token'] as const satisfies readonly ConnectionOption[];
const FILES = ['creds', 'nkey', 'tlsca', 'tlscert', 'tlskey'] as const satisfies readonly ConnectionOption[];

const variables = z.object(busVariables);

/** Somebody waits before a terminal: not for as long as a program would. */
const PATIENCE_MS = 5_000;

/** Throws a {@link UsageError} that names what is wrong, and where it stands. */
export function readConnection(values: Values, environment: NodeJS.ProcessEnv): BusConfig {
  const given = LOGINS.filter((option) => values[option] !== undefined);
  if (given.length > 1) {
    throw new UsageError(`--${given.join(' and --')}: give one way to log in, not several`);
  }
  const merged = { ...environment };
  // Who says who he is does not also mean what the environment says of him.
  if (given.length > 0)
    for (const option of [...LOGINS, 'password'] as const) delete merged[VARIABLES[option]];
  for (const [option, variable] of Object.entries(VARIABLES)) {
    const value = values[option];
    if (value !== undefined) merged[variable] = String(value);
  }
  const config = parse(merged);
  for (const option of FILES) {
    const file = merged[VARIABLES[option]];
    if (file !== undefined && file !== '')
      needFile(file, values[option] === undefined ? VARIABLES[option] : `--${option}`);
  }
  return { ...config, firstConnectTimeoutMs: PATIENCE_MS, requestTimeoutMs: PATIENCE_MS };
}

function parse(environment: NodeJS.ProcessEnv): BusConfig {
  try {
    return toBusConfig(parseEnvironment(variables, environment), `swell ${process.pid}`);
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function needFile(file: string, source: string): void {
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    throw new UsageError(`${source}: ${(error as Error).message}: name a file that can be read`, {
      cause: error,
    });
  }
}
