/**
 * Asking a service how it is, over the network. A probe always ends by its timeout, and never throws.
 */

import { request } from 'node:http';
import { connect } from 'node:net';
import type { ProbeOutcome } from '../core/container.ts';

/** Is it 2xx or 3xx? A redirect is an answer, and is not followed: it may lead to another machine. */
export function probeHttp(
  host: string,
  port: number,
  path: string,
  timeoutMs: number,
): Promise<ProbeOutcome> {
  const place = `${hostAndPort(host, port)}${path}`;
  if (!/^[\x21-\xff]*$/.test(path))
    return Promise.resolve({ healthy: false, seen: `no request can hold the path of ${place}` });
  const { promise, resolve } = Promise.withResolvers<ProbeOutcome>();
  const asked = request(
    { host, port, path, agent: false, headers: { 'user-agent': 'swell', connection: 'close' } },
    (answer) => {
      const status = answer.statusCode ?? 0;
      resolve({ healthy: status >= 200 && status < 400, seen: `HTTP ${status} from ${place}` });
      asked.destroy();
    },
  );
  asked.on('error', (error) => resolve({ healthy: false, seen: `${describe(error)} at ${place}` }));
  asked.end();
  return within(promise, timeoutMs, place, () => asked.destroy());
}

/** A whole number, alone in the answer's first few letters: how many requests a service says that it works on. */
const COUNT_LENGTH_MAX = 32;

/** Undefined: no such answer within the time. */
export function askCount(
  host: string,
  port: number,
  path: string,
  timeoutMs: number,
): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const asked = request(
    {
      host,
      port,
      path,
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
      headers: { 'user-agent': 'swell', connection: 'close' },
    },
    (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (text.length > COUNT_LENGTH_MAX) asked.destroy();
      });
      answer.on('end', () => resolve(answer.statusCode === 200 ? countIn(text) : undefined));
      answer.on('error', () => resolve(undefined));
      answer.on('close', () => resolve(undefined));
    },
  );
  asked.on('error', () => resolve(undefined));
  asked.end();
  return promise;
}

function countIn(text: string): number | undefined {
  const digits = text.trim();
  return /^\d{1,9}$/.test(digits) ? Number(digits) : undefined;
}

/** Is a connection accepted? */
export function probeTcp(host: string, port: number, timeoutMs: number): Promise<ProbeOutcome> {
  const place = hostAndPort(host, port);
  const { promise, resolve } = Promise.withResolvers<ProbeOutcome>();
  const socket = connect({ host, port });
  socket.on('connect', () => {
    resolve({ healthy: true, seen: `connected to ${place}` });
    socket.destroy();
  });
  socket.on('error', (error) => resolve({ healthy: false, seen: `${describe(error)} at ${place}` }));
  return within(promise, timeoutMs, place, () => socket.destroy());
}

/** Ends a probe by its timeout, whatever it hangs in. */
export async function within(
  outcome: Promise<ProbeOutcome>,
  timeoutMs: number,
  place: string,
  giveUp: () => void,
): Promise<ProbeOutcome> {
  const { promise: late, resolve } = Promise.withResolvers<ProbeOutcome>();
  const timer = setTimeout(
    () => resolve({ healthy: false, seen: `no answer from ${place} in ${timeoutMs} ms` }),
    timeoutMs,
  );
  try {
    return await Promise.race([outcome, late]);
  } finally {
    clearTimeout(timer);
    giveUp();
  }
}

function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** `ECONNREFUSED` says more than the sentence around it. */
function describe(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
