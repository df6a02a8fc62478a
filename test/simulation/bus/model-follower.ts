/** Follows a stream of the model as `nats-follower.ts` follows a real one: in order, without a gap, over every fault. */

import type { Follower, FollowOptions, StoredMessage } from '@swell/shared/adapters/bus.ts';
import type { Host } from '@swell/shared/adapters/host.ts';
import { Mailbox } from '@swell/shared/adapters/mailbox.ts';
import type { Place } from '@swell/shared/domain/place.ts';
import type { Chance } from '../chance.ts';
import type { Answer } from './answers.ts';
import type { Consumer } from './consumer.ts';
import type { ServerDoor } from './server-door.ts';
import type { Session } from './session.ts';

const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5_000;
/** The real one waits for a heartbeat for so long. */
const SILENCE_MAX_MS = 5_500;
/** A leader that has just been elected may still be reading its own log: only a lag that stays is a rewind. */
const REWIND_SIGHTINGS = 5;

export interface ModelFollowerGround {
  readonly server: ServerDoor;
  readonly host: Host;
  readonly chance: Chance;
  readonly session: () => Session | undefined;
  /** Resolves once the connection stands. */
  readonly connected: () => Promise<void>;
  /** Calls back when the connection is lost; returns how to stop that. */
  readonly onCut: (callback: () => void) => () => void;
  readonly onReborn: (stream: string) => void;
  readonly closed: () => void;
}

export class ModelFollower implements Follower {
  readonly #ground: ModelFollowerGround;
  readonly #options: FollowOptions;
  readonly #messages: Mailbox<StoredMessage>;
  /** When the stream that we know was made. */
  #created: number | undefined;
  /** The last message handed over, by us or before us. */
  #last: Place | undefined;
  #from: 'last' | number;
  #lags = 0;
  #isClosed = false;
  #endLife: (() => void) | undefined;

  constructor(ground: ModelFollowerGround, options: FollowOptions) {
    this.#ground = ground;
    this.#options = options;
    const { from } = options;
    if (typeof from === 'object') this.#last = from;
    this.#from = typeof from === 'object' ? 1 : from;
    this.#messages = new Mailbox({ onLeave: () => this.close() });
    void this.#run();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#endLife?.();
    this.#messages.close();
    this.#ground.closed();
  }

  [Symbol.asyncIterator](): AsyncIterator<StoredMessage> {
    return this.#messages;
  }

  async #run(): Promise<void> {
    const { connected, host, chance } = this.#ground;
    let failures = 0;
    while (!this.#isClosed) {
      const before = this.#last;
      await connected();
      const session = this.#ground.session();
      if (session !== undefined) await this.#liveOnce(session);
      failures = this.#last === before ? failures + 1 : 0;
      if (session?.isOpen === false) failures = 0;
      if (!this.#isClosed)
        await host.sleep(Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** failures) * (0.5 + chance.next()));
    }
  }

  /** Makes a consumer and listens to it until it ends, or the connection does. */
  async #liveOnce(session: Session): Promise<void> {
    const { server, host } = this.#ground;
    const { promise, resolve } = Promise.withResolvers<void>();
    let consumer: Consumer | undefined;
    let isOver = false;
    this.#endLife = () => {
      isOver = true;
      resolve();
    };
    const end = this.#endLife;
    const callOff = host.after(SILENCE_MAX_MS, end);
    const options = { ...this.#options, from: this.#last?.sequence ?? this.#from };
    const ears = {
      hear: (message: StoredMessage) => {
        if (!isOver && !this.#hand(message)) end();
      },
      gone: end,
    };
    const answered = (answer: Answer<Consumer>, lastSequence: number): void => {
      callOff();
      if (isOver || answer.is === 'no' || !this.#isSame(answer.value.stream.created, lastSequence))
        return end();
      const pulled = answer.value;
      consumer = pulled;
      session.ask(() => server.receive(() => pulled.pull()));
    };
    const stopWatching = this.#ground.onCut(end);
    session.ask(() =>
      server.receive(() =>
        server.follow(session, options, ears, (answer) => {
          const lastSequence = answer.is === 'yes' ? answer.value.stream.lastSequence : 0;
          session.say(() => answered(answer, lastSequence));
        }),
      ),
    );
    await promise;
    stopWatching();
    callOff();
    const made = consumer;
    if (made !== undefined) session.ask(() => server.receive(() => server.unfollow(made)));
  }

  /** Is it of the stream that we know? If not, forgets what we know. */
  #hand(message: StoredMessage): boolean {
    const { sequence, storedAtMs } = message;
    const last = this.#last;
    if (sequence === last?.sequence) {
      if (storedAtMs === last.storedAtMs) return true;
      this.#forget();
      return false;
    }
    this.#last = { sequence, storedAtMs };
    this.#messages.put(message);
    return true;
  }

  /** Is this still the stream that we know, with all that we have heard from it? If not, forgets what we know. */
  #isSame(created: number, lastSequence: number): boolean {
    const known = this.#created;
    const reached = this.#last?.sequence ?? (typeof this.#from === 'number' ? this.#from - 1 : 0);
    const another = known !== undefined && known !== created;
    if (!another && reached > lastSequence) {
      this.#lags += 1;
      if (this.#lags < REWIND_SIGHTINGS) return false;
    } else if (!another) {
      this.#lags = 0;
      this.#created = created;
      return true;
    }
    this.#created = created;
    this.#forget();
    return false;
  }

  #forget(): void {
    this.#ground.onReborn(this.#options.stream);
    this.#lags = 0;
    this.#last = undefined;
    if (this.#from !== 'last') this.#from = 1;
  }
}
