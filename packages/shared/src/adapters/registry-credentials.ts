/**
 * Credentials as Docker keeps them: `config.json` with `auths`, and the programs that `credHelpers` and `credsStore`
 * name. Read anew each time they are needed: `docker login` and short-lived tokens need no restart of ours.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { RegistryError } from './registry-error.ts';

export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** Exchanged for access tokens at the registry's token service. */
  | { readonly kind: 'identity-token'; readonly token: string };

export interface CredentialStore {
  /** Where people look after them, for messages. */
  readonly place: string;
  /**
   * @param registry its host, with a port if it has one: `docker.io`, `registry.example:5000`
   * @returns `undefined` where there are none: ask as anybody
   */
  find(registry: string, signal: AbortSignal): Promise<Credentials | undefined>;
}

const HELPER_TIMEOUT_MS = 30_000;

const entrySchema = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});
type Entry = z.infer<typeof entrySchema>;

const configSchema = z.object({
  auths: z.record(z.string(), entrySchema).optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
  credsStore: z.string().optional(),
});
type Config = z.infer<typeof configSchema>;

const answerSchema = z.object({ Username: z.string(), Secret: z.string() });

/** Docker's own: `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`. */
export function dockerCredentials(environment: NodeJS.ProcessEnv = process.env): CredentialStore {
  const directory = environment.DOCKER_CONFIG ?? join(environment.HOME ?? homedir(), '.docker');
  const place = join(directory, 'config.json');
  return {
    place,
    async find(registry, signal) {
      const config = await readConfig(place);
      const helper = lookUp(config.credHelpers, registry) ?? config.credsStore;
      const fromHelper =
        helper === undefined ? undefined : await askHelper(helper, accountKey(registry), environment, signal);
      return fromHelper ?? fromEntry(lookUp(config.auths, registry));
    },
  };
}

/** The name under which Docker files a registry's account. */
export function accountKey(registry: string): string {
  return registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry;
}

async function readConfig(place: string): Promise<Config> {
  const text = await readFile(place, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '{}';
    throw new RegistryError('unauthorized', `cannot read ${place}: let the coordinator's user read it`, {
      cause: error,
    });
  });
  try {
    return configSchema.parse(JSON.parse(text));
  } catch (error) {
    // Not the parser's own words: they quote what they read, and here that is passwords.
    const problem = error instanceof z.ZodError ? describe(error) : 'it is not JSON';
    throw new RegistryError('unauthorized', `cannot use ${place}: ${problem}`);
  }
}

function describe({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
}

/** Docker's rule: the exact key first, else any key of the same host, whatever scheme and path it was written with. */
function lookUp<Value>(
  byRegistry: Readonly<Record<string, Value>> | undefined,
  registry: string,
): Value | undefined {
  const entries = Object.entries(byRegistry ?? {});
  const key = accountKey(registry);
  const hosts = registry === 'docker.io' ? ['docker.io', 'index.docker.io'] : [registry];
  return (entries.find(([name]) => name === key) ??
    entries.find(([name]) => hosts.includes(hostOf(name))))?.[1];
}

function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}

function fromEntry(entry: Entry | undefined): Credentials | undefined {
  if (entry?.identitytoken) return { kind: 'identity-token', token: entry.identitytoken };
  const [username, password] = entry?.auth
    ? splitAuth(entry.auth)
    : [entry?.username ?? '', entry?.password ?? ''];
  return username === '' ? undefined : { kind: 'password', username, password };
}

function splitAuth(auth: string): readonly [string, string] {
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  // Docker pads old entries with NUL bytes.
  return colon < 0 ? ['', ''] : [text.slice(0, colon), text.slice(colon + 1).replace(/\0+$/, '')];
}

/** The protocol of docker-credential-helpers: the key on standard input, a JSON answer or a reason on standard output. */
async function askHelper(
  helper: string,
  key: string,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Credentials | undefined> {
  const program = `docker-credential-${helper}`;
  if (!/^[\w.-]+$/.test(helper)) {
    throw new RegistryError('unauthorized', `"${helper}" in Docker's config.json does not name a helper`);
  }
  const { code, said } = await run(program, key, environment, signal);
  if (code === 0) return fromHelperAnswer(program, said);
  // The helpers' own words, the same in all of them, for "nothing there".
  if (/credentials not found|no credentials/i.test(said)) return undefined;
  throw new RegistryError('unavailable', `${program} gives no credentials for ${key}: ${said.trim()}`);
}

function fromHelperAnswer(program: string, said: string): Credentials {
  try {
    const { Username: username, Secret: secret } = answerSchema.parse(JSON.parse(said));
    return username === '<token>'
      ? { kind: 'identity-token', token: secret }
      : { kind: 'password', username, password: secret };
  } catch {
    throw new RegistryError('unauthorized', `${program} answers what no credential helper should`);
  }
}

async function run(program: string, input: string, environment: NodeJS.ProcessEnv, signal: AbortSignal) {
  const timeout = AbortSignal.timeout(HELPER_TIMEOUT_MS);
  const child = spawn(program, ['get'], {
    env: environment,
    signal: AbortSignal.any([signal, timeout]),
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  // A helper that ends without reading its question says why by its exit code.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  try {
    await once(child, 'close');
    return { code: child.exitCode, said };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (timeout.aborted) {
      throw new RegistryError('unavailable', `${program} took longer than ${HELPER_TIMEOUT_MS} ms`, {
        cause: error,
      });
    }
    throw new RegistryError(
      'unauthorized',
      `cannot run ${program}: install it on the PATH of the coordinator`,
      {
        cause: error,
      },
    );
  }
}
