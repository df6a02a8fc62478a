/**
 * One life of one ephemeral consumer: pulls, and hands over what arrives as long as nothing is missing.
 * Whatever goes wrong ends it, with a reason; the follower then makes another.
 */

import type { ConsumerConfig } from '@nats-io/jetstream';
import { type Msg, type NatsConnection, nanos, type Subscription } from '@nats-io/nats-core';
import type { StoredMessage } from './bus.ts';
import { subscribeForAnswers } from './nats-answers.ts';
import { deliveredFrom } from './nats-messages.ts';

const BATCH_MAX = 500;
const REFILL_BELOW = 250;
const PULL_EXPIRES_MS = 30_000;
const HEARTBEAT_MS = 2_000;
/** A server that owes us heartbeats and is silent for this long has forgotten us. */
const SILENCE_MAX_MS = 5_500;

/** How every consumer of ours is made: in memory, unacknowledged, forgotten by the server when nobody pulls. */
export const EPHEMERAL: Partial<ConsumerConfig> = {
  ack_policy: 'none',
  mem_storage: true,
  num_replicas: 1,
  inactive_threshold: nanos(60_000),
};

export interface PullOptions {
  readonly connection: NatsConnection;
  readonly inboxPrefix: string | undefined;
  /** `$JS.API.CONSUMER.MSG.NEXT.<stream>.<consumer>` */
  readonly nextSubject: string;
  readonly onMessage: (message: StoredMessage) => void;
  /** Whether there is room for another batch. */
  readonly hasRoom: () => boolean;
}

export class Pull {
  readonly #options: PullOptions;
  readonly #inbox: string;
  readonly #subscription: Subscription;
  readonly #watchdog: NodeJS.Timeout;
  readonly #ended = Promise.withResolvers<string>();
  #asked = 0;
  #requests = 0;
  #place = 0;
  #heard = 0;
  #done = false;

  constructor(options: PullOptions) {
    this.#options = options;
    const { connection, inboxPrefix, nextSubject } = options;
    const answers = subscribeForAnswers(connection, inboxPrefix, nextSubject, (error, message) => {
      if (this.#done) return;
      if (error === null) this.#hear(message);
      else this.#fail(error);
    });
    this.#subscription = answers.subscription;
    this.#inbox = answers.inbox;
    let heardBefore = -1;
    this.#watchdog = setInterval(() => {
      if (this.#asked > 0 && this.#heard === heardBefore) this.end('silent');
      heardBefore = this.#heard;
    }, SILENCE_MAX_MS);
    this.refill();
  }

  /** Resolves with the reason once this life is over; rejects where the server forbids it. */
  get ended(): Promise<string> {
    return this.#ended.promise;
  }

  end(reason: string): void {
    this.#stop();
    this.#ended.resolve(reason);
  }

  #fail(error: Error): void {
    this.#stop();
    this.#ended.reject(error);
  }

  #stop(): void {
    this.#done = true;
    clearInterval(this.#watchdog);
    this.#subscription.unsubscribe();
  }

  /** Asks for more if there is room and little under way; called whenever room was made. */
  refill(): void {
    if (this.#done || this.#asked > REFILL_BELOW || !this.#options.hasRoom()) return;
    const batch = BATCH_MAX - this.#asked;
    this.#asked += batch;
    this.#requests += 1;
    // From here on the server owes us something, a heartbeat at least.
    this.#heard += 1;
    this.#options.connection.publish(
      this.#options.nextSubject,
      JSON.stringify({
        batch,
        expires: nanos(PULL_EXPIRES_MS),
        idle_heartbeat: nanos(HEARTBEAT_MS),
      }),
      { reply: `${this.#inbox}${this.#requests}` },
    );
  }

  #hear(message: Msg): void {
    this.#heard += 1;
    const status = message.headers?.code ?? 0;
    if (status !== 0) {
      this.#hearStatus(message, status);
      return;
    }
    const delivered = deliveredFrom(message);
    if (delivered === undefined) {
      this.end(`not a delivery: ${message.reply ?? ''}`);
      return;
    }
    if (delivered.place !== this.#place + 1) {
      this.end(`gap: delivery ${delivered.place} after ${this.#place}`);
      return;
    }
    this.#place = delivered.place;
    this.#asked -= 1;
    this.#options.onMessage(delivered.message);
    this.refill();
  }

  #hearStatus(message: Msg, status: number): void {
    switch (status) {
      case 100: {
        // The heartbeat names the last delivery: what was lost shows although nothing follows it.
        const last = message.headers?.get('Nats-Last-Consumer') ?? '';
        if (last !== '' && Number(last) > this.#place)
          this.end(`gap: server is at ${last}, we at ${this.#place}`);
        return;
      }
      case 404:
      case 408: {
        // This request is over; what it did not bring is not under way any more.
        const left = Number(message.headers?.get('Nats-Pending-Messages') ?? '');
        this.#asked = Math.max(0, this.#asked - left);
        this.refill();
        return;
      }
      default:
        this.end(`${status} ${message.headers?.description ?? ''}`.trim());
    }
  }
}
