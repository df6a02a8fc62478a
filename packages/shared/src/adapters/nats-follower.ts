/**
 * Follows a stream for as long as anybody listens: over lost connections, restarts, leaders that die, consumers that
 * vanish, and streams that are deleted and made again.
 *
 * 1. Within one stream sequences rise strictly: nothing is said twice.
 * 2. Nothing is left out: every new consumer starts with the last message that was handed over.
 * 3. A stream that was made again, or set back to an older state, is told as a notice and from its beginning: sequences
 *    that fall are the sign of it in the messages themselves. It may have grown past the old place before we look: then
 *    another message stands in that place, stored at another time.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { ConsumerConfig, JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Place } from '../domain/place.ts';
import type { Follower, FollowOptions, StoredMessage } from './bus.ts';
import { Mailbox } from './mailbox.ts';
import { toBusError } from './nats-errors.ts';
import { EPHEMERAL, Pull } from './nats-pull.ts';

/** How much is fetched ahead of a slow listener. */
const AHEAD_MAX = 1_000;
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5_000;
/** A leader that has just been elected may still be reading its own log: only a lag that stays is a rewind. */
const REWIND_SIGHTINGS = 5;

const CUT = 'connection lost';
const ANOTHER = 'another stream';

/** What a follower needs of the connection it lives on. */
export interface FollowerGround {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly apiPrefix: string;
  readonly inboxPrefix: string | undefined;
  /** Resolves once connected; the signal gives up. */
  connected(signal: AbortSignal): Promise<void>;
  /** Calls back at every cut; returns how to stop that. */
  onCut(callback: () => void): () => void;
  readonly onReborn: (stream: string, was: string, is: string) => void;
  readonly onTrouble: (stream: string, reason: string) => void;
  readonly onClosed: () => void;
}

export class NatsFollower implements Follower {
  readonly #ground: FollowerGround;
  readonly #options: FollowOptions;
  readonly #messages: Mailbox<StoredMessage>;
  readonly #closing = new AbortController();
  /** When the stream that we know was made: another time is another stream. */
  #created: string | undefined;
  /** The last message handed over, by us or before us. */
  #last: Place | undefined;
  #from: 'last' | number;
  #lags = 0;
  #pull: Pull | undefined;

  constructor(ground: FollowerGround, options: FollowOptions) {
    this.#ground = ground;
    this.#options = options;
    const { from } = options;
    if (typeof from === 'object') this.#last = from;
    this.#from = typeof from === 'object' ? 1 : from;
    this.#messages = new Mailbox({ onTake: () => this.#pull?.refill(), onLeave: () => this.close() });
    void this.#run();
  }

  close(): void {
    this.#closing.abort();
    this.#pull?.end('closed');
    this.#messages.close();
    this.#ground.onClosed();
  }

  [Symbol.asyncIterator](): AsyncIterator<StoredMessage> {
    return this.#messages;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let failures = 0;
    while (!signal.aborted) {
      const before = this.#last;
      try {
        await this.#ground.connected(signal);
        if (signal.aborted) return;
        const reason = await this.#liveOnce();
        if (reason === CUT) failures = 0;
        else if (!signal.aborted) this.#ground.onTrouble(this.#options.stream, reason);
      } catch (error) {
        const failure = toBusError(error, `following ${this.#options.stream}`, 'unavailable');
        if (failure.code === 'refused') {
          this.#messages.fail(failure);
          return;
        }
        if (!signal.aborted) this.#ground.onTrouble(this.#options.stream, failure.message);
      }
      failures = this.#last === before ? failures + 1 : 0;
      await pause(Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** failures), signal);
    }
  }

  /** Makes a consumer and listens to it until it ends; says why it did. */
  async #liveOnce(): Promise<string> {
    const { connection, manager, apiPrefix, inboxPrefix } = this.#ground;
    const { stream } = this.#options;
    const consumer = await manager.consumers.add(stream, this.#consumerConfig());
    let cut = false;
    const stopWatching = this.#ground.onCut(() => {
      cut = true;
      this.#pull?.end(CUT);
    });
    try {
      // Asked after the consumer was made: one that lives in the stream of before is gone, and its pull says so.
      const verdict = this.#compare(await manager.streams.info(stream));
      if (verdict !== 'same') return verdict;
      if (cut || this.#closing.signal.aborted) return CUT;
      this.#pull = new Pull({
        connection,
        inboxPrefix,
        nextSubject: `${apiPrefix}.CONSUMER.MSG.NEXT.${stream}.${consumer.name}`,
        hasRoom: () => this.#messages.size < AHEAD_MAX,
        onMessage: (message) => this.#hand(message),
      });
      return await this.#pull.ended;
    } finally {
      stopWatching();
      this.#pull?.end('over');
      this.#pull = undefined;
      // Manners only: the server forgets a consumer that nobody pulls from.
      if (!cut && !connection.isClosed())
        manager.consumers.delete(stream, consumer.name).catch(() => undefined);
    }
  }

  #hand(message: StoredMessage): void {
    const { sequence, storedAtMs } = message;
    const last = this.#last;
    if (sequence === last?.sequence) {
      if (storedAtMs === last.storedAtMs) return;
      this.#forget(`${last.sequence} of ${at(last.storedAtMs)}`, `${sequence} of ${at(storedAtMs)}`);
      return this.#pull?.end(ANOTHER);
    }
    this.#last = { sequence, storedAtMs };
    this.#messages.put(message);
  }

  #consumerConfig(): Partial<ConsumerConfig> {
    const { subjects } = this.#options;
    const [first] = subjects;
    const start = this.#last?.sequence ?? this.#from;
    return {
      ...EPHEMERAL,
      // One filter travels in the request's subject, where permissions can see it.
      ...(subjects.length === 1 && first !== undefined
        ? { filter_subject: first }
        : { filter_subjects: [...subjects] }),
      ...(start === 'last'
        ? { deliver_policy: 'last_per_subject' }
        : { deliver_policy: 'by_start_sequence', opt_start_seq: Math.max(1, start) }),
    };
  }

  /** Is this still the stream that we know, with all that we have heard from it? If not, forgets what we know. */
  #compare(info: StreamInfo): 'same' | typeof ANOTHER | 'lags behind' {
    const known = this.#created;
    const reached = this.#last?.sequence ?? (typeof this.#from === 'number' ? this.#from - 1 : 0);
    const another = known !== undefined && known !== info.created;
    if (!another && reached > info.state.last_seq) {
      this.#lags += 1;
      if (this.#lags < REWIND_SIGHTINGS) return 'lags behind';
    } else if (!another) {
      this.#lags = 0;
      this.#created = info.created;
      return 'same';
    }
    this.#created = info.created;
    this.#forget(
      known === undefined ? `at least ${reached} messages` : `${known} at ${reached}`,
      `${info.created} at ${info.state.last_seq}`,
    );
    return ANOTHER;
  }

  #forget(was: string, is: string): void {
    this.#ground.onReborn(this.#options.stream, was, is);
    this.#lags = 0;
    this.#last = undefined;
    if (this.#from !== 'last') this.#from = 1;
  }
}

function at(ms: number): string {
  return new Date(ms).toISOString();
}

/** Waits, with jitter, so that followers of one server that went away do not come back as one. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
}
