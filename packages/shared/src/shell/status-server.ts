/**
 * What a program tells of itself over HTTP, for orchestrators and Prometheus: `/healthz` (restart me?), `/readyz` (may
 * you count on me?), `/metrics`. Answers come from memory; nothing that a client sends is read or kept, but for what the
 * program wants to have posted.
 */

import { strict as assert } from 'node:assert';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Server } from 'node:net';

export interface StatusServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** `true`, or not alive; a string says why. */
  readonly live: () => boolean | string;
  readonly ready: () => { readonly ready: boolean; readonly reason?: string };
  readonly metrics: () => Promise<string>;
  /** Of the metrics: the registry's own. */
  readonly contentType: string;
  /** Paths of the program's own; undefined: it has no such path. */
  readonly more?: { readonly paths: string; readonly answer: (path: string) => Answer | undefined };
  /** What clients may send. */
  readonly posts?: PostOptions;
}

export interface PostOptions {
  readonly path: string;
  readonly bytesMax: number;
  readonly answer: (posted: Posted) => Answer;
}

export interface Posted {
  readonly authorization: string | undefined;
  readonly query: URLSearchParams;
  readonly body: Uint8Array;
}

export interface StatusServer extends AsyncDisposable {
  /** The port that it listens on. */
  readonly port: number;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly contentType?: string;
}

/** How long a request under way may keep a stopping program. */
const CLOSE_GRACE_MS = 1_000;

/** Listens; rejects where the address is taken or not ours. */
export async function startStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const server = createServer({ headersTimeout: 5_000, requestTimeout: 10_000 }, (request, response) => {
    void respond(options, request, response);
  });
  return listening(server, options.host, options.port, () => server.closeAllConnections());
}

/**
 * Listens; rejects where the address is taken or not ours.
 *
 * @param port 0: any free one
 * @param cut takes what is left of connections away from a server that is to end
 */
export async function listening(
  server: Server,
  host: string,
  port: number,
  cut: () => void = () => {},
): Promise<AsyncDisposable & { readonly port: number }> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  assert(typeof address === 'object' && address !== null, 'a server that listens has an address');
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      // A client that connected and never asked is not idle to Node; it must not hold the program for ever.
      const cutting = setTimeout(cut, CLOSE_GRACE_MS);
      await new Promise<void>((resolve) => server.close(() => resolve()));
      clearTimeout(cutting);
    },
  };
}

async function respond(
  options: StatusServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const answer = await answerTo(options, request).catch(
    (error: unknown): Answer => ({
      status: 500,
      body: `${error instanceof Error ? error.message : String(error)}\n`,
    }),
  );
  // A body is of no use here, however long it is: say so by hanging up after the answer.
  if (hasBody(request)) response.setHeader('connection', 'close');
  if (answer.status === 405) response.setHeader('allow', 'GET, HEAD');
  response.writeHead(answer.status, {
    'content-type': answer.contentType ?? 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(answer.body),
    'cache-control': 'no-store',
  });
  response.end(request.method === 'HEAD' ? undefined : answer.body);
}

async function answerTo(options: StatusServerOptions, request: IncomingMessage): Promise<Answer> {
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
  if (request.method === 'POST' && path === options.posts?.path)
    return answerPost(options.posts, request, new URLSearchParams(query));
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { status: 405, body: 'only GET and HEAD are answered\n' };
  }
  switch (path) {
    case '/healthz': {
      const live = options.live();
      if (live === true) return { status: 200, body: 'ok\n' };
      return { status: 503, body: `${live === false ? 'not alive' : live}\n` };
    }
    case '/readyz': {
      const { ready, reason } = options.ready();
      return ready ? { status: 200, body: 'ok\n' } : { status: 503, body: `${reason ?? 'not ready'}\n` };
    }
    case '/metrics':
      return { status: 200, body: await options.metrics(), contentType: options.contentType };
    default: {
      const { more } = options;
      const known = ['/healthz', '/readyz', '/metrics', ...(more === undefined ? [] : [more.paths])];
      return more?.answer(path) ?? { status: 404, body: `there are ${known.join(', ')}\n` };
    }
  }
}

async function answerPost(
  { bytesMax, answer }: PostOptions,
  request: IncomingMessage,
  query: URLSearchParams,
): Promise<Answer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) return { status: 413, body: `at most ${bytesMax} bytes are read\n` };
    chunks.push(chunk);
  }
  return answer({ authorization: request.headers.authorization, query, body: Buffer.concat(chunks) });
}

function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}
