/** What clients can ask of the server, once their words have arrived there. */

import type { HeardMessage, Stored, StoredMessage } from '@swell/shared/adapters/bus.ts';
import type { Answering } from './answers.ts';
import type { Consumer, ConsumerEars, ConsumerOptions } from './consumer.ts';
import type { Session } from './session.ts';
import type { Entry, Statement } from './stream.ts';

export interface ServerDoor {
  readonly state: 'up' | 'down' | 'frozen';
  /** Words reach the server: now, when it goes on, or never. */
  receive(handle: () => void): void;
  publish(statement: Statement, size: number, answer: Answering<Stored>): void;
  broadcast(subject: string, body: Uint8Array): void;
  readLast(stream: string, subject: string, answer: Answering<Entry | undefined>): void;
  readLastOfEach(
    stream: string,
    subjects: readonly string[],
    answer: Answering<readonly StoredMessage[]>,
  ): void;
  /** Returns how to end it. */
  subscribe(session: Session, subject: string, hear: (message: HeardMessage) => void): () => void;
  follow(session: Session, options: ConsumerOptions, ears: ConsumerEars, answer: Answering<Consumer>): void;
  unfollow(consumer: Consumer): void;
}
