/** One program's connection to the model: what `nats-bus.ts` does with nats.js, in virtual time. */

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
} from '@swell/shared/adapters/bus.ts';
import { Mailbox } from '@swell/shared/adapters/mailbox.ts';
import type { Chance } from '../chance.ts';
import type { Process } from '../process.ts';
import { type Answering, errorOf } from './answers.ts';
import type { Line } from './line.ts';
import { ModelFollower } from './model-follower.ts';
import { ModelSubscription } from './model-subscription.ts';
import type { ServerDoor } from './server-door.ts';
import type { Session } from './session.ts';
import type { Entry } from './stream.ts';
import { isPublishable } from './subjects.ts';
import { bucketStream, kindOf, PAYLOAD_MAX, sizeOnWire, statementOf, wireId } from './wire.ts';

export interface ModelBusOptions {
  /** The average way of one word, in one direction. */
  readonly latencyMs: number;
  readonly requestTimeoutMs?: number;
  readonly reconnectWaitMs?: number;
  readonly reconnectJitterMs?: number;
  /** Two pings without an answer are a lost connection. */
  readonly pingIntervalMs?: number;
  /** A stream is not the one that a follower knew. */
  readonly onReborn?: (stream: string) => void;
}

export interface ModelBusGround {
  readonly server: ServerDoor;
  readonly line: Line;
  readonly process: Process;
  readonly chance: Chance;
  readonly closed: () => void;
}

const DEFAULTS = {
  requestTimeoutMs: 5_000,
  reconnectWaitMs: 500,
  reconnectJitterMs: 3_000,
  pingIntervalMs: 20_000,
  onReborn: (): void => {},
};
const DIAL_TIMEOUT_MS = 5_000;

export class ModelBus implements Bus {
  /** The world's handle on the network: partitions, cuts, latency. */
  readonly line: Line;
  readonly #ground: ModelBusGround;
  readonly #options: Required<ModelBusOptions>;
  readonly #subscriptions = new Set<ModelSubscription>();
  readonly #followers = new Set<ModelFollower>();
  readonly #watchers = new Set<Mailbox<ConnectionState>>();
  readonly #cuts = new Set<() => void>();
  #state: ConnectionState = 'disconnected';
  /** May be broken already: we learn of it a moment later. */
  #standing: Session | undefined;
  #isDisposed = false;
  #silence: (() => void) | undefined;

  constructor(ground: ModelBusGround, options: ModelBusOptions) {
    this.#ground = ground;
    this.#options = { ...DEFAULTS, ...options };
    this.line = ground.line;
    this.line.onCut = () => this.#onCut();
    this.line.onSilence = () => this.#onSilence();
    this.line.onHealed = () => this.#callOffSilence();
    if (this.#isReachable) this.#stand();
    else this.#dial();
  }

  get connection(): ConnectionState {
    return this.#state;
  }

  publish(publication: Publication): Promise<Stored> {
    const { subject } = publication;
    return this.#ground.process.effect(`publish ${kindOf(subject)}`, () => this.#publish(publication));
  }

  broadcast(subject: string, body: Uint8Array, _line: string): void {
    const { server, process } = this.#ground;
    void process.effect(`broadcast ${kindOf(subject)}`, async () => {
      if (this.#state === 'connected') this.#ask(() => server.broadcast(subject, body));
    });
  }

  subscribe(subject: string): Subscription {
    const { server } = this.#ground;
    const subscription = new ModelSubscription({
      subject,
      server,
      session: () => this.#session,
      closed: () => this.#subscriptions.delete(subscription),
    });
    if (this.#isDisposed) subscription.finish();
    else this.#subscriptions.add(subscription);
    return subscription;
  }

  readLast(stream: string, subject: string): Promise<StoredMessage | undefined> {
    return this.#ground.process.effect(
      `read ${stream}`,
      async () => (await this.#readLast(stream, subject))?.message,
    );
  }

  readLastOfEach(stream: string, subjects: readonly string[]): Promise<readonly StoredMessage[]> {
    const { server, process } = this.#ground;
    return process.effect(`read-each ${stream}`, () =>
      this.#question<readonly StoredMessage[]>(`reading ${stream}`, 'unavailable', (answer) =>
        server.readLastOfEach(stream, subjects, answer),
      ),
    );
  }

  follow(options: FollowOptions): Follower {
    const { server, process, chance } = this.#ground;
    const follower = new ModelFollower(
      {
        server,
        host: process.host,
        chance,
        session: () => this.#session,
        connected: () => this.#connected(),
        onCut: (callback) => {
          this.#cuts.add(callback);
          return () => this.#cuts.delete(callback);
        },
        onReborn: this.#options.onReborn,
        closed: () => this.#followers.delete(follower),
      },
      options,
    );
    if (this.#isDisposed) follower.close();
    else this.#followers.add(follower);
    return follower;
  }

  connectionChanges(): AsyncIterable<ConnectionState> {
    const watcher = new Mailbox<ConnectionState>({ onLeave: () => this.#watchers.delete(watcher) });
    watcher.put(this.#state);
    if (this.#isDisposed) watcher.finish();
    else this.#watchers.add(watcher);
    return watcher;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#callOffSilence();
    for (const one of [...this.#subscriptions, ...this.#followers]) one.close();
    // What was said last still leaves.
    this.line.giveUp(Number.POSITIVE_INFINITY);
    this.#change('disconnected');
    for (const watcher of this.#watchers) watcher.finish();
    this.#watchers.clear();
    this.#ground.closed();
    return Promise.resolve();
  }

  async #publish(publication: Publication): Promise<Stored> {
    const { server } = this.#ground;
    const { subject, id } = publication;
    const doing = `publishing ${subject}`;
    if (!isPublishable(subject)) throw new BusError('refused', `${doing}: not a subject`);
    if (publication.body.length > PAYLOAD_MAX) throw new BusError('refused', `${doing}: too large`);
    const statement = statementOf(publication);
    const size = sizeOnWire(publication);
    try {
      const stored = await this.#question<Stored>(doing, 'unknown-outcome', (answer) =>
        server.publish(statement, size, answer),
      );
      if (!stored.duplicate || bucketStream(subject) === undefined) return stored;
      throw new BusError('conflict', `${doing}: it stands no more`);
    } catch (error) {
      if (!(error instanceof BusError) || error.code !== 'conflict' || id === undefined) throw error;
      return this.#ownBefore({ subject, id }, error);
    }
  }

  /** As the real one: a conflict, or a duplicate of old, is only one if what stands there is not the very same statement. */
  async #ownBefore(publication: { subject: string; id: string }, conflict: BusError): Promise<Stored> {
    const stream = bucketStream(publication.subject);
    if (stream === undefined) throw conflict;
    const last = await this.#readLast(stream, publication.subject).catch((error: unknown) => {
      throw new BusError('unknown-outcome', `${conflict.message}, and it cannot be read back`, {
        cause: error,
      });
    });
    if (last?.id === wireId(publication)) return { sequence: last.message.sequence, duplicate: true };
    throw conflict;
  }

  #readLast(stream: string, subject: string): Promise<Entry | undefined> {
    const { server } = this.#ground;
    return this.#question<Entry | undefined>(`reading the last of ${subject}`, 'unavailable', (answer) =>
      server.readLast(stream, subject, answer),
    );
  }

  /** A request with an answer, a timeout, and an end when the connection ends. */
  #question<Value>(
    doing: string,
    onSilence: 'unknown-outcome' | 'unavailable',
    request: (answer: Answering<Value>) => void,
  ): Promise<Value> {
    const session = this.#session;
    if (session === undefined) return Promise.reject(new BusError('unavailable', `${doing}: not connected`));
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    const silent = (reason: string) => (): void => {
      over();
      reject(new BusError(onSilence, `${doing}: ${reason}`));
    };
    const onCut = silent('the connection was lost');
    const callOff = this.#ground.process.host.after(this.#options.requestTimeoutMs, silent('timeout'));
    const over = (): void => {
      callOff();
      this.#cuts.delete(onCut);
    };
    this.#cuts.add(onCut);
    this.#ask(() =>
      request((answer) =>
        session.say(() => {
          over();
          if (answer.is === 'yes') resolve(answer.value);
          else reject(errorOf(doing, answer));
        }),
      ),
    );
    return promise;
  }

  #ask(arrive: () => void): void {
    const { server } = this.#ground;
    this.#session?.ask(() => server.receive(arrive));
  }

  get #session(): Session | undefined {
    return this.#state === 'connected' ? this.#standing : undefined;
  }

  get #isReachable(): boolean {
    return this.#ground.server.state === 'up' && !this.line.isBlocked;
  }

  #stand(): void {
    this.#standing = this.line.open();
    this.#state = 'connected';
    // Subscriptions are on the wire before anybody hears that we are back.
    for (const subscription of this.#subscriptions) subscription.attach();
    for (const watcher of this.#watchers) watcher.put('connected');
  }

  #onCut(): void {
    if (this.#isDisposed) return;
    this.#callOffSilence();
    this.#change('disconnected');
    this.#dial();
  }

  /** Pings go out and nothing comes back: at the third the connection is given up. */
  #onSilence(): void {
    const { process, chance } = this.#ground;
    if (this.#silence !== undefined || this.#session === undefined) return;
    const { pingIntervalMs } = this.#options;
    this.#silence = process.host.after(chance.between(2, 3) * pingIntervalMs, () => {
      this.#silence = undefined;
      // Kernels go on trying to bring what was said.
      this.line.giveUp(chance.happens(0.5) ? 0 : Number.POSITIVE_INFINITY);
      this.#onCut();
    });
  }

  #callOffSilence(): void {
    this.#silence?.();
    this.#silence = undefined;
  }

  #dial(): void {
    const { process, server, chance } = this.#ground;
    const { reconnectWaitMs, reconnectJitterMs } = this.#options;
    const isSilent = this.line.isBlocked || server.state === 'frozen';
    const tryMs = isSilent ? DIAL_TIMEOUT_MS : chance.exponential(4 * this.line.latencyMs);
    process.host.after(tryMs, () => {
      if (this.#isDisposed || this.#state === 'connected') return;
      if (!isSilent && this.#isReachable) return this.#stand();
      process.host.after(reconnectWaitMs * (1 + chance.next()) + chance.next() * reconnectJitterMs, () =>
        this.#dial(),
      );
    });
  }

  #change(state: ConnectionState): void {
    if (this.#state === state) return;
    this.#state = state;
    if (state === 'disconnected') for (const callback of this.#cuts) callback();
    for (const watcher of this.#watchers) watcher.put(state);
  }

  async #connected(): Promise<void> {
    for await (const state of this.connectionChanges()) if (state === 'connected') return;
  }
}
