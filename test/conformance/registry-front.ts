/** A door before a real registry that can be shut, get stuck, have had enough, and hand out another image than is asked for. */

import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { freePorts } from '../support/ports.ts';

/**
 * - `stall`: of what is large only the beginning comes.
 * - `tooManyRequests`: it has had enough, and says or does not say for how long.
 */
export type FrontDoes =
  | 'answer'
  | 'lie'
  | 'nothing'
  | 'stall'
  | { readonly tooManyRequests: { readonly retryAfter?: string } };

const LARGE_BYTES = 500_000;
/** containerd tells nothing of a layer before it has a mebibyte of it. */
const BEGINNING_BYTES = 2_000_000;

export interface RegistryFront extends AsyncDisposable {
  /** `127.0.0.1:<port>`, the same however often it is shut. */
  readonly host: string;
  does(what: FrontDoes): Promise<void>;
}

/**
 * @param behind the real registry
 * @param decoy the tag of the image that it hands out when it lies
 */
export async function openFront(behind: { readonly host: string }, decoy: string): Promise<RegistryFront> {
  let isLying = false;
  let isStalling = false;
  let refusal: { readonly retryAfter?: string } | undefined;
  const [hostname = '', port] = behind.host.split(':');
  const server = createServer((asked, answer) => pass(asked, answer));

  function pass(asked: IncomingMessage, answer: ServerResponse): void {
    const { method = 'GET', url = '/' } = asked;
    if (refusal !== undefined && url.includes('/manifests/')) return refuse(answer, refusal.retryAfter);
    // Of a repository whose images bear a tag each, one answers for all.
    const path = isLying ? url.replace(/manifests\/sha256:[0-9a-f]{64}$/, `manifests/${decoy}`) : url;
    const headers = { ...asked.headers };
    const onward = request({ hostname, port, method, path, headers }, (said) => {
      answer.writeHead(said.statusCode ?? 502, said.headers);
      const isStuck = isStalling && Number(said.headers['content-length']) > LARGE_BYTES;
      if (isStuck) pipeBeginning(said, answer);
      else said.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    asked.pipe(onward);
  }

  function refuse(answer: ServerResponse, retryAfter: string | undefined): void {
    answer.writeHead(429, {
      'content-type': 'application/json',
      ...(retryAfter !== undefined && { 'retry-after': retryAfter }),
    });
    answer.end('{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}');
  }

  const listen = (at: number): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject).listen(at, '127.0.0.1', resolve);
    return promise;
  };
  const shut = (): Promise<void> => {
    if (!server.listening) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    server.closeAllConnections();
    return promise;
  };

  const [own = 0] = await freePorts(1);
  await listen(own);
  return {
    host: `127.0.0.1:${own}`,
    async does(what) {
      isLying = what === 'lie';
      isStalling = what === 'stall';
      refusal = typeof what === 'object' ? what.tooManyRequests : undefined;
      if (what === 'nothing') await shut();
      else if (!server.listening) await listen(own);
    },
    [Symbol.asyncDispose]: shut,
  };
}

function pipeBeginning(from: IncomingMessage, to: ServerResponse): void {
  let sent = 0;
  from.on('data', (chunk: Buffer) => {
    to.write(chunk);
    sent += chunk.length;
    if (sent >= BEGINNING_BYTES) from.pause();
  });
}
