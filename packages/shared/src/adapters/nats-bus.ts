/** The bus over NATS: what {@link Bus} promises, kept on one connection. */

import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Parsed } from '../kernel/parsed.ts';
import {
  type Bus,
  BusError,
  type ConnectionState,
  type Follower,
  type FollowOptions,
  type Publication,
  type Stored,
  type StoredMessage,
  type Subscription,
} from './bus.ts';
import { Mailbox } from './mailbox.ts';
import { type BusNotice, type NatsOptions, openConnection } from './nats-connect.ts';
import { toBusError } from './nats-errors.ts';
import { NatsFollower } from './nats-follower.ts';
import { readLastValues } from './nats-last-values.ts';
import { headersOf, headersOfBroadcast, refusalIn, storedFromLeader, wireId } from './nats-messages.ts';
import { NatsSubscription } from './nats-subscription.ts';

const REQUEST_TIMEOUT_MS = 5_000;
const FAREWELL_MS = 2_000;

/** Connects, and waits until the first connection stands. Throws {@link BusError}. */
export async function connectNats(options: NatsOptions): Promise<NatsBus> {
  const connection = await openConnection(options);
  const timeout = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  const apiPrefix =
    options.apiPrefix ?? (options.domain === undefined ? '$JS.API' : `$JS.${options.domain}.API`);
  // Not asked for the account at once: JetStream may come later than the server.
  const manager = await jetstreamManager(connection, { apiPrefix, timeout, checkAPI: false });
  return new NatsBus(connection, manager, { ...options, apiPrefix, requestTimeoutMs: timeout });
}

export interface Asking {
  /** Nothing, where it is missing. */
  readonly question?: Uint8Array;
  readonly timeoutMs?: number;
}

type Settled = NatsOptions & { readonly apiPrefix: string; readonly requestTimeoutMs: number };

export class NatsBus implements Bus {
  readonly #connection: NatsConnection;
  readonly #client: JetStreamClient;
  readonly #options: Settled;
  readonly #open = new Set<{ close(): void }>();
  readonly #watchers = new Set<Mailbox<ConnectionState>>();
  readonly #cuts = new Set<() => void>();
  #state: ConnectionState = 'connected';
  /** For {@link ensureTopology}; of no use outside the adapters. */
  readonly manager: JetStreamManager;

  constructor(connection: NatsConnection, manager: JetStreamManager, options: Settled) {
    this.#connection = connection;
    this.#options = options;
    this.manager = manager;
    this.#client = jetstream(connection, { apiPrefix: options.apiPrefix, timeout: options.requestTimeoutMs });
    void this.#watch();
  }

  get connection(): ConnectionState {
    return this.#state;
  }

  /** The version of the server that we are connected to. */
  get serverVersion(): string {
    return this.#connection.info?.version ?? 'unknown';
  }

  async publish(publication: Publication): Promise<Stored> {
    const { subject, id } = publication;
    this.#needConnection(`publishing ${subject}`);
    try {
      const acknowledged = await this.#orCut(
        this.#client.publish(subject, publication.body, {
          headers: headersOf(publication),
          timeout: this.#options.requestTimeoutMs,
        }),
      );
      const stored = { sequence: acknowledged.seq, duplicate: acknowledged.duplicate };
      if (!stored.duplicate || id === undefined || bucketStream(subject) === undefined) return stored;
      // Three servers look at the id first: it was stored, and somebody may have written since.
      return await this.#ownBefore(
        { subject, id },
        new BusError('conflict', `${subject}: it stands no more`),
      );
    } catch (error) {
      if (error instanceof BusError) throw error;
      const failure = toBusError(error, `publishing ${subject}`, 'unknown-outcome');
      if (failure.code === 'conflict' && id !== undefined) return this.#ownBefore({ subject, id }, failure);
      throw failure;
    }
  }

  broadcast(subject: string, body: Uint8Array, line: string): void {
    // nats.js would keep it and send it after the reconnect; a pulse of then is a lie.
    if (this.#state === 'disconnected') return;
    try {
      this.#connection.publish(subject, body, { headers: headersOfBroadcast(line) });
    } catch (error) {
      throw toBusError(error, `broadcasting ${subject}`, 'unavailable');
    }
  }

  subscribe(subject: string): Subscription {
    const subscription = new NatsSubscription(this.#connection, subject, () =>
      this.#open.delete(subscription),
    );
    this.#open.add(subscription);
    return subscription;
  }

  async readLast(stream: string, subject: string): Promise<StoredMessage | undefined> {
    const found = await this.#askLeader(stream, subject);
    return found === null ? undefined : storedFromLeader(found);
  }

  async readLastOfEach(stream: string, subjects: readonly string[]): Promise<readonly StoredMessage[]> {
    this.#needConnection(`reading ${stream}`);
    try {
      const ground = {
        connection: this.#connection,
        manager: this.manager,
        apiPrefix: this.#options.apiPrefix,
        inboxPrefix: this.#options.inboxPrefix,
        timeoutMs: this.#options.requestTimeoutMs,
      };
      return await this.#orCut(readLastValues(ground, stream, subjects));
    } catch (error) {
      throw toBusError(error, `reading ${stream}`, 'unavailable');
    }
  }

  /**
   * Asks whoever answers on a plain subject: the body of the answer, or why there is none. Throws {@link BusError}:
   * `unavailable` where nobody answers.
   */
  async ask(
    subject: string,
    { question = new Uint8Array(), timeoutMs = this.#options.requestTimeoutMs }: Asking = {},
  ): Promise<Parsed<Uint8Array>> {
    const doing = `asking ${subject}`;
    this.#needConnection(doing);
    try {
      const asked = this.#connection.request(subject, question, { timeout: timeoutMs });
      const { data, headers } = await this.#orCut(asked);
      const refusal = refusalIn(headers);
      return refusal === undefined ? { ok: true, value: data } : { ok: false, problems: [refusal] };
    } catch (error) {
      throw toBusError(error, doing, 'unavailable');
    }
  }

  /** The sequence of the first message that was stored then or later; missing where there is none. */
  async firstSince(stream: string, sinceMs: number): Promise<number | undefined> {
    const doing = `looking into ${stream}`;
    this.#needConnection(doing);
    try {
      const first = this.manager.direct.getMessage(stream, { start_time: new Date(sinceMs) });
      return (await this.#orCut(first))?.seq;
    } catch (error) {
      throw toBusError(error, doing, 'unavailable');
    }
  }

  follow(options: FollowOptions): Follower {
    const follower = new NatsFollower(
      {
        connection: this.#connection,
        manager: this.manager,
        apiPrefix: this.#options.apiPrefix,
        inboxPrefix: this.#options.inboxPrefix,
        connected: (signal) => this.#connected(signal),
        onCut: (callback) => {
          this.#cuts.add(callback);
          return () => this.#cuts.delete(callback);
        },
        onReborn: (stream, was, is) => this.#notice({ kind: 'stream-reborn', stream, was, is }),
        onTrouble: (stream, reason) => this.#notice({ kind: 'follower-interrupted', stream, reason }),
        onClosed: () => this.#open.delete(follower),
      },
      options,
    );
    this.#open.add(follower);
    return follower;
  }

  connectionChanges(): AsyncIterable<ConnectionState> {
    return this.#newWatcher();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#open) one.close();
    if (!this.#connection.isClosed() && this.#state === 'connected') {
      // What was broadcast last should still leave; a server that does not answer is not waited for.
      const farewell = Promise.withResolvers<void>();
      const timer = setTimeout(farewell.resolve, FAREWELL_MS);
      await Promise.race([this.#connection.flush().catch(() => undefined), farewell.promise]);
      clearTimeout(timer);
    }
    await this.#connection.close();
    this.#leave();
  }

  /**
   * A conditional publish that is repeated finds its own first try in the way: the server looks at the expectation before
   * it looks at the id. So a conflict is only one if the message that stands there is not the very same.
   */
  async #ownBefore(publication: { subject: string; id: string }, conflict: BusError): Promise<Stored> {
    const stream = bucketStream(publication.subject);
    if (stream === undefined) throw conflict;
    const last = await this.#askLeader(stream, publication.subject).catch((error: unknown) => {
      // It was refused now, and nobody can say whether an earlier try was taken.
      throw new BusError('unknown-outcome', `${conflict.message}, and it cannot be read back`, {
        cause: error,
      });
    });
    if (last?.header.get('Nats-Msg-Id') === wireId(publication))
      return { sequence: last.seq, duplicate: true };
    throw conflict;
  }

  async #askLeader(stream: string, subject: string) {
    const doing = `reading the last of ${subject}`;
    this.#needConnection(doing);
    try {
      return await this.#orCut(this.manager.streams.getMessage(stream, { last_by_subj: subject }));
    } catch (error) {
      throw toBusError(error, doing, 'unavailable');
    }
  }

  /** nats.js would keep what is said now for the time after the reconnect, when nobody waits for it any more. */
  #needConnection(doing: string): void {
    if (this.#state === 'disconnected') throw new BusError('unavailable', `${doing}: not connected`);
  }

  /** An answer does not come over a connection that was lost: no use waiting for the timeout. */
  async #orCut<T>(answer: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const onCut = (): void => reject(new Error('the connection was lost'));
    this.#cuts.add(onCut);
    try {
      return await Promise.race([answer, promise]);
    } finally {
      this.#cuts.delete(onCut);
    }
  }

  async #watch(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === 'disconnect') this.#change('disconnected');
      else if (status.type === 'reconnect') this.#change('connected');
      else if (status.type === 'error') this.#notice({ kind: 'connection-error', error: status.error });
      else if (status.type === 'ldm') this.#notice({ kind: 'server-leaving', server: status.server });
    }
    this.#leave();
  }

  #change(state: ConnectionState): void {
    if (this.#state === state) return;
    this.#state = state;
    if (state === 'disconnected') for (const callback of this.#cuts) callback();
    for (const watcher of this.#watchers) watcher.put(state);
  }

  #leave(): void {
    this.#change('disconnected');
    for (const watcher of this.#watchers) watcher.finish();
    this.#watchers.clear();
  }

  async #connected(signal: AbortSignal): Promise<void> {
    const changes = this.#newWatcher();
    const onAbort = (): void => void changes.return();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      for await (const state of changes) if (state === 'connected') return;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #newWatcher(): Mailbox<ConnectionState> {
    const watcher = new Mailbox<ConnectionState>({ onLeave: () => this.#watchers.delete(watcher) });
    watcher.put(this.#state);
    if (this.#connection.isClosed()) watcher.finish();
    else this.#watchers.add(watcher);
    return watcher;
  }

  #notice(notice: BusNotice): void {
    this.#options.onNotice?.(notice);
  }
}

/** The stream of a bucket's key. */
const bucketStream = (subject: string): string | undefined => {
  const bucket = /^\$KV\.([^.]+)\./.exec(subject)?.[1];
  return bucket === undefined ? undefined : `KV_${bucket}`;
};
