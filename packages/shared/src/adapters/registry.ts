/** Asks an image registry (OCI distribution, Docker v2) which bytes a reference means. Pulls nothing. */

import { createHash } from 'node:crypto';
import { DIGEST_PATTERN, type Digest, type ImageReference } from '../domain/image.ts';
import { type Clock, systemClock } from './clock.ts';
import { createAuthorizer, logIn, type Repository } from './registry-auth.ts';
import { type CredentialStore, dockerCredentials } from './registry-credentials.ts';
import { type Answer, ask, type Errand, failure, refusal, usedUp } from './registry-http.ts';

export interface Registry {
  /**
   * The digest of what the reference names now: of the index where the image has several platforms. A reference that
   * has a digest keeps it, if the registry has that.
   *
   * @throws RegistryError, or the signal's reason
   */
  resolve(image: ImageReference, signal: AbortSignal): Promise<Digest>;

  /**
   * As {@link resolve}, for whoever asks again and again: with it comes for how long the registry wants to be left alone.
   *
   * @throws RegistryError, or the signal's reason
   */
  look(image: ImageReference, signal: AbortSignal): Promise<Sight>;
}

export interface Sight {
  readonly digest: Digest;
  /** Missing: it may be asked as often as we like. */
  readonly restMs?: number;
}

export interface RegistryOptions {
  /** Registries (`host` or `host:port`) that are spoken to in plain HTTP, as the local machine's are anyway. */
  readonly insecureRegistries?: readonly string[];
  /** Docker's own where it is missing. */
  readonly credentials?: CredentialStore;
  /** For each question. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
}

/** All four, always: a registry converts to a type that it believes we know, and the digest is then another one. */
const MANIFEST_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

export function createRegistry(options: RegistryOptions = {}): Registry {
  const clock = options.clock ?? systemClock;
  const store = options.credentials ?? dockerCredentials();
  const authorizer = createAuthorizer(store, () => clock.monotonicMs());

  /** One question for a manifest, with a login where the registry wants one. */
  async function askForManifest(
    errand: Errand,
    repository: Repository,
    method: 'GET' | 'HEAD',
    url: URL,
  ): Promise<Answer> {
    const headers = { accept: MANIFEST_TYPES.join(', ') };
    const known = authorizer.known(`${repository.registry}/${repository.path}`);
    const first = await ask(errand, {
      method,
      url,
      headers: known === undefined ? headers : { ...headers, authorization: known },
    });
    if (first.status !== 401) return first;
    const authorization = await authorizer.answer(errand, repository, first);
    return ask(errand, { method, url, headers: { ...headers, authorization } });
  }

  async function look(image: ImageReference, signal: AbortSignal): Promise<Sight> {
    const repository = splitRepository(image.repository);
    const origin = registryOrigin(repository.registry, options.insecureRegistries ?? []);
    const errand: Errand = {
      reference: describe(image),
      insecure: origin.startsWith('http:'),
      timeoutMs: options.timeoutMs ?? 10_000,
      signal,
      clock,
    };
    const wanted = image.digest ?? image.tag ?? 'latest';
    const url = URL.parse(`/v2/${repository.path}/manifests/${wanted}`, origin);
    if (url === null) {
      throw failure(
        errand,
        'not-found',
        `${repository.registry} is no address of a registry; check the name`,
      );
    }
    const head = await askForManifest(errand, repository, 'HEAD', url);
    // Some registries do not answer HEAD, and some proxies drop the header: then the bytes themselves tell.
    const named =
      head.status === 405 ? null : digestNamed(errand, expectManifest(errand, repository, url, head));
    if (named !== null) return sight(kept(errand, image.digest, named), head);
    const get = expectManifest(errand, repository, url, await askForManifest(errand, repository, 'GET', url));
    const counted = `sha256:${createHash('sha256').update(get.body).digest('hex')}`;
    return sight(
      kept(errand, image.digest, kept(errand, digestNamed(errand, get) ?? undefined, counted)),
      get,
    );
  }

  return { look, resolve: async (image, signal) => (await look(image, signal)).digest };

  function expectManifest(errand: Errand, repository: Repository, url: URL, answer: Answer): Answer {
    if (answer.status === 404) {
      throw failure(errand, 'not-found', `${url.host} has no such tag or digest; push it, or check the name`);
    }
    if (answer.status === 401 || answer.status === 403) {
      throw failure(
        errand,
        'unauthorized',
        `${url.host} answers ${answer.status}; ${logIn(store, repository)}`,
      );
    }
    if (answer.status !== 200) throw refusal(errand, url, answer);
    const type = answer.headers.get('content-type')?.split(';', 1)[0]?.trim() ?? 'no type';
    if (!MANIFEST_TYPES.includes(type)) {
      throw failure(
        errand,
        'bad-answer',
        `${url.host} answers with ${type}, which is no manifest of an image; check the name, and any proxy on the way`,
      );
    }
    return answer;
  }
}

/** Where a registry's API is: plain HTTP only on this machine or where an operator allowed it. */
export function registryOrigin(registry: string, insecureRegistries: readonly string[]): string {
  if (registry === 'docker.io') return 'https://registry-1.docker.io';
  const host = registry.replace(/:\d+$/, '');
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(host);
  const insecure = local || insecureRegistries.includes(registry) || insecureRegistries.includes(host);
  return `${insecure ? 'http' : 'https'}://${registry}`;
}

function splitRepository(repository: string): Repository {
  const slash = repository.indexOf('/');
  return { registry: repository.slice(0, slash), path: repository.slice(slash + 1) };
}

function sight(digest: Digest, { headers }: Answer): Sight {
  const restMs = usedUp(headers);
  return { digest, ...(restMs !== undefined && { restMs }) };
}

function digestNamed(errand: Errand, answer: Answer): Digest | null {
  const digest = answer.headers.get('docker-content-digest');
  if (digest !== null && !DIGEST_PATTERN.test(digest)) {
    throw failure(
      errand,
      'bad-answer',
      `the registry names the digest "${digest}", which is none of SHA-256`,
    );
  }
  return digest;
}

/** The digest found, which must be the one expected where there is one. */
function kept(errand: Errand, expected: Digest | undefined, found: Digest): Digest {
  if (expected === undefined || expected === found) return found;
  throw failure(errand, 'bad-answer', `the registry gives ${found} for ${expected}: do not trust it`);
}

function describe(image: ImageReference): string {
  const tag = image.tag ?? (image.digest === undefined ? 'latest' : undefined);
  return `${image.repository}${tag === undefined ? '' : `:${tag}`}${image.digest === undefined ? '' : `@${image.digest}`}`;
}
