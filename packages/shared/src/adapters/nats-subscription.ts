import type { NatsConnection, Subscription as RawSubscription } from '@nats-io/nats-core';
import { BusError, type HeardMessage, type Subscription } from './bus.ts';
import { Mailbox } from './mailbox.ts';
import { toBusError } from './nats-errors.ts';
import { heardFrom } from './nats-messages.ts';

/** A plain subscription; nats.js makes it anew at every reconnect. What is said in between is not heard. */
export class NatsSubscription implements Subscription {
  readonly ready: Promise<void>;
  readonly #raw: RawSubscription;
  readonly #messages: Mailbox<HeardMessage>;
  readonly #onClosed: () => void;

  constructor(connection: NatsConnection, subject: string, onClosed: () => void) {
    this.#onClosed = onClosed;
    this.#messages = new Mailbox({ onLeave: () => this.close() });
    this.#raw = connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) this.#messages.put(heardFrom(message));
        else this.#messages.fail(toBusError(error, `subscribing ${subject}`, 'unavailable'));
      },
    });
    // The connection may be closed, or the server may forbid the subject.
    void this.#raw.closed.then(() => this.#messages.finish());
    this.ready = this.#confirm(connection, subject);
    // Whoever does not wait for it hears of the same in the iteration.
    this.ready.catch(() => undefined);
  }

  close(): void {
    if (!this.#raw.isClosed()) this.#raw.unsubscribe();
    this.#messages.close();
    this.#onClosed();
  }

  [Symbol.asyncIterator](): AsyncIterator<HeardMessage> {
    return this.#messages;
  }

  /** A flush that a cut swallowed is repeated: after the reconnect the subscription goes first on the wire. */
  async #confirm(connection: NatsConnection, subject: string): Promise<void> {
    let confirmed = false;
    while (!confirmed && !this.#raw.isClosed()) {
      confirmed = await connection.flush().then(
        () => true,
        () => false,
      );
    }
    if (!this.#raw.isClosed()) return;
    const failure = await this.#raw.closed;
    throw failure instanceof Error
      ? toBusError(failure, `subscribing ${subject}`, 'unavailable')
      : new BusError('unavailable', `subscribing ${subject}: closed before the server had it`);
  }
}
