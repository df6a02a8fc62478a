/** Environment variables that both programs read, and the one way to read them. */

import { z } from 'zod';
import type { NatsLogin, NatsOptions, NatsTls } from '../adapters/nats-connect.ts';
import { printable } from '../kernel/printable.ts';

/** How to reach the bus; what happens on the way is the program's to log. */
export type BusConfig = Omit<NatsOptions, 'onNotice' | 'signal'>;

/** A whole number as people write it: a space is not 0, and `1e3` is no thousand. */
export const countVariable = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min).max(max));

export const portVariable = (port: number) => countVariable(0, 65_535).default(port);

export const busVariables = {
  SWELL_NATS_SERVERS: z
    .string()
    .default('nats://127.0.0.1:4222')
    .transform((text) =>
      text
        .split(',')
        .map((server) => server.trim())
        .filter((server) => server !== ''),
    )
    .refine((servers) => servers.length > 0, { error: 'names no server: write nats://host:4222' }),
  SWELL_NATS_CREDS: z.string().optional().describe('File of user credentials'),
  SWELL_NATS_NKEY_SEED: z.string().optional().describe('File of an nkey seed'),
  SWELL_NATS_USER: z.string().optional(),
  SWELL_NATS_PASSWORD: z.string().optional(),
  SWELL_NATS_TOKEN: z.string().optional(),
  SWELL_NATS_TLS_CA: z.string().optional().describe('File of certificates to trust'),
  SWELL_NATS_TLS_CERT: z.string().optional().describe('File of our own certificate'),
  SWELL_NATS_TLS_KEY: z.string().optional().describe('File of its key'),
  SWELL_NATS_TLS_FIRST: z.enum(['true', 'false']).default('false'),
  SWELL_NATS_JS_DOMAIN: z.string().optional(),
  SWELL_NATS_JS_API_PREFIX: z.string().optional(),
  SWELL_NATS_INBOX_PREFIX: z.string().optional(),
} as const;

const busSchema = z.object(busVariables);
type BusVariables = z.output<typeof busSchema>;

export function toBusConfig(read: BusVariables, name: string): BusConfig {
  const login = loginOf(read);
  const tls = tlsOf(read);
  return {
    servers: read.SWELL_NATS_SERVERS,
    name,
    ...(login !== undefined && { login }),
    ...(tls !== undefined && { tls }),
    ...(read.SWELL_NATS_JS_DOMAIN !== undefined && { domain: read.SWELL_NATS_JS_DOMAIN }),
    ...(read.SWELL_NATS_JS_API_PREFIX !== undefined && { apiPrefix: read.SWELL_NATS_JS_API_PREFIX }),
    ...(read.SWELL_NATS_INBOX_PREFIX !== undefined && { inboxPrefix: read.SWELL_NATS_INBOX_PREFIX }),
  };
}

function loginOf(read: BusVariables): NatsLogin | undefined {
  if (read.SWELL_NATS_CREDS !== undefined) return { kind: 'credentials', file: read.SWELL_NATS_CREDS };
  if (read.SWELL_NATS_NKEY_SEED !== undefined) return { kind: 'nkey', seedFile: read.SWELL_NATS_NKEY_SEED };
  if (read.SWELL_NATS_TOKEN !== undefined) return { kind: 'token', token: read.SWELL_NATS_TOKEN };
  if (read.SWELL_NATS_USER === undefined) return undefined;
  return { kind: 'password', user: read.SWELL_NATS_USER, password: read.SWELL_NATS_PASSWORD ?? '' };
}

function tlsOf(read: BusVariables): NatsTls | undefined {
  const tls: NatsTls = {
    ...(read.SWELL_NATS_TLS_CA !== undefined && { caFile: read.SWELL_NATS_TLS_CA }),
    ...(read.SWELL_NATS_TLS_CERT !== undefined && { certFile: read.SWELL_NATS_TLS_CERT }),
    ...(read.SWELL_NATS_TLS_KEY !== undefined && { keyFile: read.SWELL_NATS_TLS_KEY }),
    ...(read.SWELL_NATS_TLS_FIRST === 'true' && { handshakeFirst: true }),
  };
  return Object.keys(tls).length === 0 ? undefined : tls;
}

/** Reads variables; throws one error that names every wrong one and says what is wanted. An empty one is a missing one. */
export function parseEnvironment<Schema extends z.ZodType>(
  schema: Schema,
  environment: NodeJS.ProcessEnv,
): z.output<Schema> {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  const problems = read.error.issues.map((issue) => printable(`${issue.path.join('.')}: ${issue.message}`));
  throw new Error(`the environment is not right:\n  ${problems.join('\n  ')}`);
}
