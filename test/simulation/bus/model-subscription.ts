import { BusError, type HeardMessage, type Subscription } from '@swell/shared/adapters/bus.ts';
import { Mailbox } from '@swell/shared/adapters/mailbox.ts';
import type { ServerDoor } from './server-door.ts';
import type { Session } from './session.ts';

export interface SubscriptionGround {
  readonly subject: string;
  readonly server: ServerDoor;
  /** The connection that stands. */
  readonly session: () => Session | undefined;
  readonly closed: () => void;
}

/** A plain subscription, made anew at every reconnect. What is said in between is not heard. */
export class ModelSubscription implements Subscription {
  readonly #ground: SubscriptionGround;
  readonly #messages: Mailbox<HeardMessage>;
  readonly #confirmed = Promise.withResolvers<void>();
  #isClosed = false;
  #end: (() => void) | undefined;

  constructor(ground: SubscriptionGround) {
    this.#ground = ground;
    this.#messages = new Mailbox({ onLeave: () => this.close() });
    // Whoever does not wait for it hears of the same in the iteration.
    this.#confirmed.promise.catch(() => undefined);
    this.attach();
  }

  get ready(): Promise<void> {
    return this.#confirmed.promise;
  }

  /** Tells the server, over the connection that stands. */
  attach(): void {
    const { server, subject } = this.#ground;
    const session = this.#ground.session();
    if (session === undefined || this.#isClosed) return;
    session.ask(() =>
      server.receive(() => {
        this.#end = server.subscribe(session, subject, (message) => this.#messages.put(message));
        session.say(() => this.#confirmed.resolve());
      }),
    );
  }

  close(): void {
    const { server } = this.#ground;
    if (this.#isClosed) return;
    this.#ground.session()?.ask(() => server.receive(() => this.#end?.()));
    this.finish();
  }

  finish(): void {
    this.#isClosed = true;
    this.#messages.close();
    this.#confirmed.reject(
      new BusError('unavailable', `${this.#ground.subject}: closed before the server had it`),
    );
    this.#ground.closed();
  }

  [Symbol.asyncIterator](): AsyncIterator<HeardMessage> {
    return this.#messages;
  }
}
