/** What the server keeps of a follower: hands over what is stored, in order, as long as stream and session are there. */

import type { FollowOptions, StoredMessage } from '@swell/shared/adapters/bus.ts';
import type { Session } from './session.ts';
import type { Entry, ModelStream } from './stream.ts';
import { matcher } from './subjects.ts';

export interface ConsumerEars {
  readonly hear: (message: StoredMessage) => void;
  /** The server has forgotten it. */
  readonly gone: () => void;
}

/** As a server takes it: places are for its clients. */
export interface ConsumerOptions extends Pick<FollowOptions, 'stream' | 'subjects'> {
  readonly from: 'last' | number;
}

export class Consumer {
  readonly stream: ModelStream;
  readonly #session: Session;
  readonly #ears: ConsumerEars;
  readonly #isWanted: (subject: string) => boolean;
  readonly #first: readonly Entry[];
  readonly #start: number;
  #isPulled = false;

  constructor(session: Session, stream: ModelStream, options: ConsumerOptions, ears: ConsumerEars) {
    this.stream = stream;
    this.#session = session;
    this.#ears = ears;
    const wanted = options.subjects.map(matcher);
    this.#isWanted = (subject) => wanted.some((is) => is(subject));
    const { from, subjects } = options;
    this.#first = from === 'last' ? stream.lastOfEach(subjects) : [];
    this.#start = from === 'last' ? stream.lastSequence + 1 : from;
  }

  /** The client wants what there is, and from now on what comes. */
  pull(): void {
    if (this.#isPulled) return;
    this.#isPulled = true;
    for (const entry of this.#first) this.#hand(entry);
    for (const entry of this.stream.since(this.#start)) this.stored(entry);
  }

  stored(entry: Entry): void {
    const { sequence, subject } = entry.message;
    if (this.#isPulled && sequence >= this.#start && this.#isWanted(subject)) this.#hand(entry);
  }

  end(): void {
    this.#session.say(this.#ears.gone);
  }

  #hand({ message }: Entry): void {
    const { hear } = this.#ears;
    this.#session.say(() => hear(message));
  }
}
