/**
 * One question over HTTP and its whole answer: time limits, redirects, and every way in which it can fail turned into a
 * {@link RegistryError} that names the reference.
 */

import type { Clock } from './clock.ts';
import { RegistryError } from './registry-error.ts';

/** On whose behalf a question is asked. */
export interface Errand {
  /** What is being resolved, as a person wrote it. */
  readonly reference: string;
  /** This registry may be spoken to without TLS. */
  readonly insecure: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

export interface Question {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: URLSearchParams;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

const REDIRECTS_MAX = 5;
/** Nobody waits for ever because a registry, or a proxy before it, miscounts. */
const RETRY_AFTER_MAX_MS = 86_400_000;
/** Registries refuse larger manifests themselves. */
const BODY_BYTES_MAX = 4 * 1024 * 1024;

/** Asks, and follows redirects of a GET or HEAD. The caller's abort is thrown as it is; all else as RegistryError. */
export async function ask(errand: Errand, question: Question): Promise<Answer> {
  let { url, headers } = question;
  for (let hops = 0; hops <= REDIRECTS_MAX; hops++) {
    const answer = await askOnce(errand, { ...question, url, headers });
    const location = answer.headers.get('location');
    if (!isRedirect(answer.status) || location === null || question.method === 'POST') return answer;
    const target = redirectTarget(url, location);
    if (target === undefined) {
      throw failure(
        errand,
        'bad-answer',
        `${url.host} redirects to ${location}, which is not safe to follow`,
      );
    }
    // Who we are is for the registry alone, not for the storage that it points to.
    if (target.origin !== url.origin) headers = without(headers, 'authorization');
    url = target;
  }
  throw failure(errand, 'bad-answer', `${question.url.host} redirects more than ${REDIRECTS_MAX} times`);
}

async function askOnce(errand: Errand, { method, url, headers, body }: Question): Promise<Answer> {
  const timeout = AbortSignal.timeout(errand.timeoutMs);
  try {
    const response = await fetch(url, {
      method,
      headers,
      redirect: 'manual',
      signal: AbortSignal.any([errand.signal, timeout]),
      ...(body !== undefined && { body }),
    });
    return { status: response.status, headers: response.headers, body: await read(errand, response) };
  } catch (error) {
    if (errand.signal.aborted) throw errand.signal.reason;
    if (error instanceof RegistryError) throw error;
    if (timeout.aborted) {
      throw failure(errand, 'unavailable', `${url.host} did not answer within ${errand.timeoutMs} ms`, {
        cause: error,
      });
    }
    throw failure(
      errand,
      'unavailable',
      `${url.host} cannot be reached (${rootCause(error)})${tlsRemedy(error)}`,
      {
        cause: error,
      },
    );
  }
}

async function read(errand: Errand, response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > BODY_BYTES_MAX) {
      throw failure(errand, 'bad-answer', `the answer is longer than ${BODY_BYTES_MAX} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Where a redirect leads; `undefined` where it leaves HTTP, or TLS for less. */
export function redirectTarget(from: URL, location: string): URL | undefined {
  const target = URL.parse(location, from.href);
  if (target?.protocol === 'https:') return target;
  return target?.protocol === 'http:' && from.protocol === 'http:' ? target : undefined;
}

/** What an answer that is neither success nor a challenge means. */
export function refusal(errand: Errand, url: URL, answer: Answer): RegistryError {
  const said = `${url.host} answers ${answer.status}${detail(answer.body)}`;
  const retryAfterMs = retryAfter(answer.headers, errand.clock.wallMs()) ?? usedUp(answer.headers);
  if (answer.status === 429) {
    const wait = retryAfterMs === undefined ? '' : ` for ${Math.ceil(retryAfterMs / 1_000)} s`;
    return failure(errand, 'rate-limited', `${said}: too many requests; it is left alone${wait}`, {
      retryAfterMs,
    });
  }
  if (answer.status === 408 || answer.status >= 500)
    return failure(errand, 'unavailable', said, { retryAfterMs });
  return failure(errand, 'bad-answer', said);
}

/** The error for this errand; its message begins with the reference and ends with what to do. */
export function failure(
  errand: Errand,
  code: RegistryError['code'],
  problem: string,
  options?: { readonly cause?: unknown; readonly retryAfterMs?: number | undefined },
): RegistryError {
  return new RegistryError(code, `cannot resolve ${errand.reference}: ${problem}`, options);
}

/** `Retry-After`: seconds, or a date. */
export function retryAfter(headers: Headers, nowMs: number): number | undefined {
  const text = headers.get('retry-after')?.trim();
  if (text === undefined || text === '') return undefined;
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(RETRY_AFTER_MAX_MS, Math.max(0, waitMs));
}

/**
 * Docker Hub's count of what may still be asked, `ratelimit-remaining: 0;w=21600`: once it is used up, how long it takes
 * until one more is free. Its window slides.
 */
export function usedUp(headers: Headers): number | undefined {
  const [, remaining, windowS] =
    /^(\d{1,9});w=(\d{1,9})$/.exec(headers.get('ratelimit-remaining') ?? '') ?? [];
  if (remaining === undefined || Number(remaining) > 0) return undefined;
  const limit = Number(/^\d{1,9}/.exec(headers.get('ratelimit-limit') ?? '')?.[0] ?? 1);
  return Math.min(RETRY_AFTER_MAX_MS, (Number(windowS) * 1_000) / Math.max(1, limit));
}

/** The first message of a registry's error document, for people. */
function detail(body: Uint8Array): string {
  const message = /"message"\s*:\s*"([^"\\]{1,200})"/.exec(Buffer.from(body).toString('utf8', 0, 2_000))?.[1];
  return message === undefined ? '' : ` (${message})`;
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

function without(headers: Readonly<Record<string, string>>, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([key]) => key.toLowerCase() !== name));
}

/** fetch says only "fetch failed"; why stands in the cause of its cause. */
function rootCause(error: unknown): string {
  let deepest = error;
  while (deepest instanceof Error && deepest.cause instanceof Error) deepest = deepest.cause;
  if (!(deepest instanceof Error)) return String(deepest);
  const code = errorCode(deepest);
  return deepest.message === '' ? (code ?? deepest.name) : deepest.message;
}

function tlsRemedy(error: unknown): string {
  const code = error instanceof Error ? errorCode(error.cause) : undefined;
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return '; if it speaks plain HTTP on purpose, list it as an insecure registry';
  }
  const untrusted = code !== undefined && /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code);
  return untrusted ? '; give its certificate authority to the coordinator with NODE_EXTRA_CA_CERTS' : '';
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
