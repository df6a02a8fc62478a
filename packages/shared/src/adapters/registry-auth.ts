/** The `Authorization` of a repository: found out by the registry's challenge, kept until it runs out. */

import { z } from 'zod';
import { type Challenge, parseChallenges } from './registry-challenge.ts';
import type { CredentialStore, Credentials } from './registry-credentials.ts';
import { RegistryError } from './registry-error.ts';
import { type Answer, ask, type Errand, failure, refusal } from './registry-http.ts';

export interface Authorizer {
  /** What is known to open this repository now, if anything. */
  known(repository: string): string | undefined;
  /** Answers a 401: a new `Authorization`, kept for the next time. What was known before is forgotten. */
  answer(errand: Errand, repository: Repository, answer: Answer): Promise<string>;
}

export interface Repository {
  /** `docker.io`, `registry.example:5000`. */
  readonly registry: string;
  /** `library/nginx`. */
  readonly path: string;
}

interface Pass {
  readonly authorization: string;
  /** By the monotonic clock. */
  readonly endsAtMs: number;
}

/** What the token specification says of a token that does not tell. */
const TOKEN_LIFE_S = 60;
/** A token is not used in its last tenth: it must outlive the question that it goes with. */
const TOKEN_USE = 0.9;
const CLIENT_ID = 'swell';

const tokenSchema = z
  .object({
    token: z.string().optional(),
    access_token: z.string().optional(),
    expires_in: z.number().positive().optional().catch(undefined),
  })
  .transform(({ token, access_token, expires_in }) => ({
    token: token || access_token || undefined,
    lifeS: expires_in ?? TOKEN_LIFE_S,
  }));

export function createAuthorizer(store: CredentialStore, monotonicMs: () => number): Authorizer {
  const passes = new Map<string, Pass>();
  return {
    known(repository) {
      const pass = passes.get(repository);
      return pass !== undefined && monotonicMs() < pass.endsAtMs ? pass.authorization : undefined;
    },
    async answer(errand, repository, answer) {
      const key = `${repository.registry}/${repository.path}`;
      passes.delete(key);
      const challenges = parseChallenges(answer.headers.get('www-authenticate') ?? '');
      const pass = await passFor(store, monotonicMs, errand, repository, challenges);
      passes.set(key, pass);
      return pass.authorization;
    },
  };
}

async function passFor(
  store: CredentialStore,
  monotonicMs: () => number,
  errand: Errand,
  repository: Repository,
  challenges: readonly Challenge[],
): Promise<Pass> {
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
  const basic = challenges.find(({ scheme }) => scheme === 'basic');
  const credentials = await find(store, errand, repository.registry);
  if (bearer !== undefined) return fetchToken(store, monotonicMs, errand, repository, bearer, credentials);
  if (basic === undefined) {
    throw failure(
      errand,
      'bad-answer',
      `${repository.registry} asks for a login, but for none that Swell knows`,
    );
  }
  if (credentials?.kind !== 'password') {
    throw failure(
      errand,
      'unauthorized',
      `${repository.registry} wants a login; ${logIn(store, repository)}`,
    );
  }
  return { authorization: basicOf(credentials), endsAtMs: Number.POSITIVE_INFINITY };
}

async function find(store: CredentialStore, errand: Errand, registry: string) {
  return store.find(registry, errand.signal).catch((error: unknown) => {
    if (!(error instanceof RegistryError)) throw error;
    throw failure(errand, error.code, error.message, { cause: error.cause });
  });
}

async function fetchToken(
  store: CredentialStore,
  monotonicMs: () => number,
  errand: Errand,
  repository: Repository,
  { parameters }: Challenge,
  credentials: Credentials | undefined,
): Promise<Pass> {
  const realm = URL.parse(parameters.realm ?? '');
  const safe = realm?.protocol === 'https:' || (realm?.protocol === 'http:' && errand.insecure);
  if (realm === null || !safe) {
    throw failure(
      errand,
      'bad-answer',
      `${repository.registry} sends us for a token to "${parameters.realm ?? ''}", which is no place for credentials`,
    );
  }
  const scope = parameters.scope ?? `repository:${repository.path}:pull`;
  const askedAtMs = monotonicMs();
  const answer = await ask(errand, tokenQuestion(realm, parameters.service, scope, credentials));
  if (answer.status === 401 || answer.status === 403) {
    throw failure(
      errand,
      'unauthorized',
      `${realm.host} gives no token for ${repository.registry}/${repository.path}; ${logIn(store, repository)}`,
    );
  }
  if (answer.status !== 200) throw refusal(errand, realm, answer);
  const { token, lifeS } = readToken(answer.body);
  if (token === undefined) throw failure(errand, 'bad-answer', `${realm.host} answers without a token`);
  return { authorization: `Bearer ${token}`, endsAtMs: askedAtMs + lifeS * 1_000 * TOKEN_USE };
}

/** An identity token is exchanged by OAuth 2; everybody else asks with GET, as themselves or as nobody. */
function tokenQuestion(
  realm: URL,
  service: string | undefined,
  scope: string,
  credentials: Credentials | undefined,
) {
  const named = { ...(service !== undefined && { service }), scope };
  if (credentials?.kind === 'identity-token') {
    const grant = { grant_type: 'refresh_token', refresh_token: credentials.token, client_id: CLIENT_ID };
    return {
      method: 'POST',
      url: realm,
      headers: {},
      body: new URLSearchParams({ ...grant, ...named }),
    } as const;
  }
  const url = new URL(realm);
  for (const [name, value] of Object.entries(named)) url.searchParams.set(name, value);
  if (credentials === undefined) return { method: 'GET', url, headers: {} } as const;
  url.searchParams.set('account', credentials.username);
  return { method: 'GET', url, headers: { authorization: basicOf(credentials) } } as const;
}

function readToken(body: Uint8Array): { readonly token: string | undefined; readonly lifeS: number } {
  try {
    return tokenSchema.parse(JSON.parse(Buffer.from(body).toString('utf8')));
  } catch {
    return { token: undefined, lifeS: 0 };
  }
}

function basicOf(credentials: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
}

/** The remedy, said wherever a registry does not let us in. */
export function logIn(store: CredentialStore, { registry }: Repository): string {
  return `check the name, and put credentials for ${registry} that may pull it into ${store.place} (docker login)`;
}
