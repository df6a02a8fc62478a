/**
 * What Prometheus answers to a query for one number, over its HTTP API (`/api/v1/query`). Whatever is no such number, or no
 * answer at all, says so in words; nothing is thrown but the caller's own abort.
 */

import { readFile } from 'node:fs/promises';
import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { shortLine } from '@swell/shared/kernel/printable.ts';
import { z } from 'zod';

export type QueryAnswer =
  | { readonly is: 'value'; readonly value: number }
  | { readonly is: 'none'; readonly why: string };

export interface Prometheus {
  query(query: string, signal: AbortSignal): Promise<QueryAnswer>;
}

export interface PrometheusOptions {
  /** What comes before `/api/v1/query`. */
  readonly url: string;
  /** The file of a bearer token, or of `user:password`; read for each question, so that it may be renewed. */
  readonly login?: { readonly kind: 'token' | 'password'; readonly file: string };
  /** A file of certificates to trust, instead of the machine's own. */
  readonly caFile?: string;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
/** Prometheus itself works on twenty queries at once. */
const AT_ONCE = 8;
/** An answer is one number; one of megabytes asks for something else. */
const BODY_BYTES_MAX = 1_048_576;
/** It may become the reason for a pause, which the record keeps. */
const QUOTED_MAX = 300;

const sample = z.tuple([z.number(), z.string()]);
const answerSchema = z.object({
  status: z.string(),
  error: z.string().optional(),
  data: z
    .discriminatedUnion('resultType', [
      z.object({ resultType: z.literal('scalar'), result: sample }),
      z.object({ resultType: z.literal('vector'), result: z.array(z.object({ value: sample.optional() })) }),
      z.object({ resultType: z.literal('matrix') }),
      z.object({ resultType: z.literal('string') }),
    ])
    .optional(),
});

interface Reply {
  readonly status: number;
  readonly body: string;
}

export class HttpPrometheus implements Prometheus {
  readonly #options: PrometheusOptions;
  readonly #url: URL;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor(options: PrometheusOptions) {
    this.#options = options;
    this.#url = new URL(`${options.url.replace(/\/+$/, '')}/api/v1/query`);
    const kept = { keepAlive: true, maxSockets: AT_ONCE };
    this.#agent = this.#url.protocol === 'https:' ? new HttpsAgent(kept) : new HttpAgent(kept);
  }

  async query(query: string, signal: AbortSignal): Promise<QueryAnswer> {
    const { timeoutMs = TIMEOUT_MS } = this.#options;
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      return readAnswer(await this.#post(query, AbortSignal.any([signal, timeout])));
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const why = timeout.aborted ? `no answer in ${timeoutMs} ms` : reasonOf(error);
      return { is: 'none', why: `Prometheus at ${this.#url.host}: ${why}` };
    }
  }

  async #post(query: string, signal: AbortSignal): Promise<Reply> {
    const { caFile } = this.#options;
    const body = new URLSearchParams({ query }).toString();
    const options: RequestOptions & { readonly ca?: Buffer } = {
      method: 'POST',
      agent: this.#agent,
      signal,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': Buffer.byteLength(body),
        ...(await this.#authorization()),
      },
      ...(caFile !== undefined && { ca: await readFile(caFile) }),
    };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const ask = this.#url.protocol === 'https:' ? httpsRequest : httpRequest;
    ask(this.#url, options, resolve).on('error', reject).end(body);
    const answer = await promise;
    return { status: answer.statusCode ?? 0, body: await readBody(answer) };
  }

  async #authorization(): Promise<{ readonly authorization?: string }> {
    const { login } = this.#options;
    if (login === undefined) return {};
    const secret = (await readFile(login.file, 'utf8')).trim();
    return login.kind === 'token'
      ? { authorization: `Bearer ${secret}` }
      : { authorization: `Basic ${Buffer.from(secret).toString('base64')}` };
  }
}

async function readBody(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > BODY_BYTES_MAX) throw new Error(`its answer is longer than ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readAnswer({ status, body }: Reply): QueryAnswer {
  const read = answerSchema.safeParse(jsonOf(body));
  if (status !== 200 || !read.success || read.data.status !== 'success') {
    const said = read.data?.error === undefined ? '' : `: ${shortLine(read.data.error, QUOTED_MAX)}`;
    return {
      is: 'none',
      why: `Prometheus answers ${status}${said || (status === 200 ? ', and not what was asked' : '')}`,
    };
  }
  const { data } = read.data;
  switch (data?.resultType) {
    case 'scalar':
      return { is: 'value', value: numberOf(data.result[1]) };
    case 'vector': {
      const [first, ...others] = data.result;
      if (first === undefined) return { is: 'none', why: 'no data' };
      if (others.length > 0)
        return { is: 'none', why: `${data.result.length} samples, where one is wanted: aggregate them` };
      if (first.value === undefined) return { is: 'none', why: 'a histogram, where a number is wanted' };
      return { is: 'value', value: numberOf(first.value[1]) };
    }
    default:
      return { is: 'none', why: `a ${data?.resultType ?? 'nothing'}, where a number is wanted` };
  }
}

/** As Prometheus writes numbers: `+Inf`, `NaN`. What is none is not a number; nothing at all would be 0 to JavaScript. */
function numberOf(text: string): number {
  if (text.trim() === '') return Number.NaN;
  const infinite = /^([+-]?)Inf$/.exec(text);
  if (infinite === null) return Number(text);
  return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  const isUntrusted = /SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)/.test(code);
  const remedy = isUntrusted ? '; name its certificate authority in SWELL_PROMETHEUS_TLS_CA' : '';
  return `${error.message === '' ? code : error.message}${remedy}`;
}
