/**
 * Who we are to a registry, from the same file that `docker login` writes: plain entries, and the helpers that keep
 * secrets elsewhere.
 */

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

/** What dockerd wants in `X-Registry-Auth`. */
export interface RegistryAuth {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly serveraddress: string;
}

/**
 * Asked before every pull, so that a new login needs no restart and what expires is fetched anew. `undefined`: nobody in
 * particular.
 *
 * @param repository with its registry: `registry.example/team/web`
 */
export type RegistryAuthSource = (repository: string) => Promise<RegistryAuth | undefined>;

const NO_ACCOUNT = { auth: '', identitytoken: '' };
/** The end of a program's name, and no place elsewhere. */
const helperName = z
  .string()
  .regex(/^[\w.-]+$/)
  .optional()
  .catch(undefined);

/** An account that is broken is none, and hinders no other. */
const configSchema = z.object({
  auths: z
    .record(
      z.string(),
      z.object({ auth: z.string().catch(''), identitytoken: z.string().catch('') }).catch(NO_ACCOUNT),
    )
    .catch({}),
  credsStore: helperName,
  credHelpers: z.record(z.string(), helperName).catch({}),
});
type DockerConfig = z.infer<typeof configSchema>;

/** Runs `docker-credential-<helper> get`; its answer, or nothing. */
export type CredentialHelper = (helper: string, server: string) => Promise<string | undefined>;

const HELPER_TIMEOUT_MS = 10_000;
const DOCKER_HUB = 'https://index.docker.io/v1/';

/** Reads Docker's own configuration; one that is missing or broken knows nobody. */
export function dockerConfigAuth(
  path: string = join(process.env['DOCKER_CONFIG'] ?? join(homedir(), '.docker'), 'config.json'),
  helper: CredentialHelper = runHelper,
): RegistryAuthSource {
  return async (repository) => {
    const config = await readConfig(path);
    const registry = repository.split('/', 1)[0] ?? repository;
    const server = registry === 'docker.io' ? DOCKER_HUB : registry;
    const { credHelpers: helpers, credsStore } = config;
    const named = closest(helpers, repository);
    const program = named?.value ?? own(helpers, server) ?? credsStore;
    // Of a helper for a part of a registry: its accounts are filed by that part.
    const account = named !== undefined && named.key.includes('/') ? named.key : server;
    const answer = program === undefined ? undefined : await helper(program, account);
    return helperAuth(server, answer) ?? plainAuth(repository, server, config);
  };
}

/** The entry of the repository itself, else of the path above it, and so on up to its registry. */
function closest<Value>(
  record: Readonly<Record<string, Value>>,
  repository: string,
): { readonly key: string; readonly value: Value } | undefined {
  for (let key = repository; key !== ''; key = key.slice(0, Math.max(0, key.lastIndexOf('/')))) {
    const value = own(record, key);
    if (value !== undefined) return { key, value };
  }
  return undefined;
}

async function readConfig(path: string): Promise<DockerConfig> {
  try {
    return configSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return { auths: {}, credsStore: undefined, credHelpers: {} };
  }
}

function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** A registry's name as `docker login` may have written it: with a scheme or the path of its API. */
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '');
}

function plainAuth(repository: string, server: string, { auths }: DockerConfig): RegistryAuth | undefined {
  const entry =
    closest(auths, repository)?.value ??
    own(auths, server) ??
    Object.entries(auths).find(([key]) => hostOf(key) === hostOf(server))?.[1];
  if (entry === undefined) return undefined;
  const { auth, identitytoken } = entry;
  const [username = '', ...password] = Buffer.from(auth, 'base64').toString('utf8').split(':');
  if (identitytoken !== '') return { username, identitytoken, serveraddress: server };
  if (username === '') return undefined;
  return { username, password: password.join(':'), serveraddress: server };
}

function helperAuth(server: string, answer: string | undefined): RegistryAuth | undefined {
  if (answer === undefined) return undefined;
  const { Username, Secret } = parseObject(answer);
  if (typeof Username !== 'string' || typeof Secret !== 'string') return undefined;
  return Username === '<token>'
    ? { identitytoken: Secret, serveraddress: server }
    : { username: Username, password: Secret, serveraddress: server };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}

/** A helper that is missing, slow, or knows nothing leaves us nobody; the registry then says what it thinks of that. */
function runHelper(helper: string, server: string): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const child = execFile(
    `docker-credential-${helper}`,
    ['get'],
    { timeout: HELPER_TIMEOUT_MS },
    (error, stdout) => {
      resolve(error === null ? stdout : undefined);
    },
  );
  child.stdin?.on('error', () => {});
  child.stdin?.end(server);
  return promise;
}
