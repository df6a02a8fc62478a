/** Opening a connection to NATS: who we are, where the servers are, how patient we are. */

import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Authenticator,
  connect,
  credsAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from '@nats-io/transport-node';
import { unreachable } from '../kernel/unreachable.ts';
import { BusError } from './bus.ts';
import { toBusError } from './nats-errors.ts';

/** How we say who we are. Files are read again at every connection, so that renewed credentials are taken. */
export type NatsLogin =
  | { readonly kind: 'credentials'; readonly file: string }
  | { readonly kind: 'nkey'; readonly seedFile: string }
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'token'; readonly token: string };

export interface NatsTls {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  /** The server wants TLS before it says anything. */
  readonly handshakeFirst?: boolean;
}

/** What a program may want to log of the connection's life; none of it asks for an answer. */
export type BusNotice =
  /** The server, or the way to it, complained. */
  | { readonly kind: 'connection-error'; readonly error: Error }
  /** The server is about to go; we move by ourselves. */
  | { readonly kind: 'server-leaving'; readonly server: string }
  /** A follower lost its consumer, and makes another. */
  | { readonly kind: 'follower-interrupted'; readonly stream: string; readonly reason: string }
  /** The stream is not the one it was: deleted and made again, or set back. */
  | { readonly kind: 'stream-reborn'; readonly stream: string; readonly was: string; readonly is: string };

export interface NatsOptions {
  readonly servers: readonly string[];
  /** Shown in the server's list of connections. */
  readonly name: string;
  readonly login?: NatsLogin;
  readonly tls?: NatsTls;
  /** The JetStream domain, e.g. of a hub that is asked over a leaf node. */
  readonly domain?: string;
  /** The JetStream API's prefix, e.g. of an account's import; instead of a domain. */
  readonly apiPrefix?: string;
  readonly inboxPrefix?: string;
  /** How long a publish or a question waits for its answer. */
  readonly requestTimeoutMs?: number;
  /** How long to try for the first connection; `Infinity` never gives up. */
  readonly firstConnectTimeoutMs?: number;
  /** Between two tries for a connection, to which up to as much again and the jitter are added. */
  readonly reconnectWaitMs?: number;
  readonly reconnectJitterMs?: number;
  /** Two pings without an answer are a lost connection. */
  readonly pingIntervalMs?: number;
  readonly onNotice?: (notice: BusNotice) => void;
  /** Gives up waiting for the first connection. */
  readonly signal?: AbortSignal;
}

const DIAL_TIMEOUT_MS = 5_000;
const FIRST_CONNECT_TIMEOUT_MS = 30_000;
const RECONNECT_WAIT_MS = 500;
const RECONNECT_JITTER_MS = 3_000;
const PING_INTERVAL_MS = 20_000;

/** The first connection, after as many tries as it takes. Throws {@link BusError}. */
export async function openConnection(options: NatsOptions): Promise<NatsConnection> {
  const patienceMs = options.firstConnectTimeoutMs ?? FIRST_CONNECT_TIMEOUT_MS;
  const startedMs = performance.now();
  const dialling = connectionOptions(options);
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await connect(dialling);
    } catch (error) {
      const failure = toBusError(error, `connecting to ${whereabouts(options)}`, 'unavailable');
      if (failure.code === 'refused') throw failure;
      const spentMs = performance.now() - startedMs;
      const waitMs = Math.min(2_000, 100 * 2 ** attempt) * (0.5 + Math.random());
      if (spentMs + waitMs > patienceMs) {
        throw new BusError('unavailable', `${failure.message} (tried for ${Math.round(spentMs)} ms)`, {
          cause: error,
        });
      }
      await delay(waitMs, undefined, options.signal === undefined ? {} : { signal: options.signal });
    }
  }
}

function connectionOptions(options: NatsOptions): NodeConnectionOptions {
  return {
    servers: [...options.servers],
    name: options.name,
    timeout: DIAL_TIMEOUT_MS,
    reconnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: options.reconnectWaitMs ?? RECONNECT_WAIT_MS,
    reconnectJitter: options.reconnectJitterMs ?? RECONNECT_JITTER_MS,
    reconnectJitterTLS: options.reconnectJitterMs ?? RECONNECT_JITTER_MS,
    // Credentials that expired are renewed by somebody else: being refused twice is no reason to give up for ever.
    ignoreAuthErrorAbort: true,
    pingInterval: options.pingIntervalMs ?? PING_INTERVAL_MS,
    maxPingOut: 2,
    noAsyncTraces: true,
    ...(options.login === undefined ? {} : { authenticator: authenticatorFor(options.login) }),
    ...(options.tls === undefined ? {} : { tls: { ...options.tls } }),
    ...(options.inboxPrefix === undefined ? {} : { inboxPrefix: options.inboxPrefix }),
  };
}

function authenticatorFor(login: NatsLogin): Authenticator {
  switch (login.kind) {
    case 'credentials':
      return credsAuthenticator(() => readFileSync(login.file));
    case 'nkey':
      return nkeyAuthenticator(() => readSeed(login.seedFile));
    case 'password':
      return usernamePasswordAuthenticator(login.user, login.password);
    case 'token':
      return tokenAuthenticator(login.token);
    default:
      return unreachable(login);
  }
}

/** A seed file may end in a line break; a seed does not. */
const readSeed = (file: string): Uint8Array => new TextEncoder().encode(readFileSync(file, 'utf8').trim());

/** The servers without what may stand before their `@`. */
const whereabouts = (options: NatsOptions): string =>
  options.servers.map((server) => server.replace(/\/\/[^@/]*@/, '//')).join(', ');
