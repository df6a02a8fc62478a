/**
 * All that Swell knows of a message bus: NATS in production, a model of it in the simulation.
 *
 * Buckets are streams: key `k` of bucket `b` is subject `$KV.b.k` of stream `KV_b`, a deleted key is a message with the
 * header `KV-Operation: DEL`. So one acknowledged, conditional publish is create, update and delete in one (the KV
 * client's own calls cannot carry a header of ours, nor an id), and `nats kv` reads and writes the very same.
 */

import type { Place } from '../domain/place.ts';

/** A message as the server stored it. */
export interface StoredMessage {
  readonly subject: string;
  /** Stream sequence; of a bucket's key: its revision. */
  readonly sequence: number;
  /** The server's clock when it stored it, ms since 1970. */
  readonly storedAtMs: number;
  /** A key that was deleted or has expired. */
  readonly deleted: boolean;
  readonly body: Uint8Array;
  /** Of a message that this stream has copied from another: its sequence there. Followers tell it. */
  readonly sourceSequence?: number;
}

/** A message heard on a plain subscription; from a republished subject it knows its place. */
export interface HeardMessage {
  readonly subject: string;
  readonly body: Uint8Array;
  readonly deleted: boolean;
  /** `Nats-Sequence`: the stored message's sequence. */
  readonly sequence?: number;
  /** `Nats-Last-Sequence`: the sequence of the message before it on this subject, 0 if none. */
  readonly lastSequence?: number;
  /** Answers whoever asked; missing where nobody waits for an answer. */
  readonly answer?: (body: Uint8Array, refusal?: Refusal) => void;
}

/** Why a question is not answered, as NATS' microservices say it. */
export interface Refusal {
  /** As HTTP has them: 400 wrong question, 404 no such thing, 409 not now, 429 too much at once, 500 our fault. */
  readonly code: 400 | 404 | 409 | 429 | 500;
  readonly description: string;
}

export interface Publication {
  readonly subject: string;
  readonly body: Uint8Array;
  /** One line for whoever tails the stream. */
  readonly line: string;
  /** `Nats-Msg-Id`: the same for the same statement, so that repeating it is harmless. */
  readonly id?: string;
  /** The subject's last sequence must be this (0: there is none). */
  readonly expectLast?: number;
  /** Stores a deletion marker instead of a value. */
  readonly deletes?: boolean;
}

export interface Stored {
  readonly sequence: number;
  /** The server had this id already and stored nothing new. */
  readonly duplicate: boolean;
}

export type BusErrorCode =
  /** The expectation failed: somebody else wrote. Nothing was stored. */
  | 'conflict'
  /** No answer. It may have been stored. */
  | 'unknown-outcome'
  /** The server, the stream or its leader is not there. Nothing was stored. */
  | 'unavailable'
  /** The server said no: permission, size, limits. Repeating will not help. */
  | 'refused';

export class BusError extends Error {
  override readonly name = 'BusError';
  readonly code: BusErrorCode;
  constructor(code: BusErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
  get retryable(): boolean {
    return this.code === 'unknown-outcome' || this.code === 'unavailable';
  }
}

export interface Subscription extends AsyncIterable<HeardMessage> {
  /** Resolves once the server has it (flushed): whatever is published from now on is heard. */
  readonly ready: Promise<void>;
  close(): void;
}

export interface Follower extends AsyncIterable<StoredMessage> {
  close(): void;
}

export interface FollowOptions {
  readonly stream: string;
  readonly subjects: readonly string[];
  /**
   * `last`: the last value of every subject, then all that is new. A number: from this sequence on. A place: from behind
   * that message on; where another one stands in its place the stream was set back, and comes from its beginning.
   */
  readonly from: 'last' | number | Place;
}

export type ConnectionState = 'connected' | 'disconnected';

export interface Bus extends AsyncDisposable {
  /** Stores a message and waits for the acknowledgement. Throws {@link BusError}. */
  publish(publication: Publication): Promise<Stored>;
  /** Plain and unstored: pulses. */
  broadcast(subject: string, body: Uint8Array, line: string): void;
  /** Plain subscription. */
  subscribe(subject: string): Subscription;
  /** The last message of a subject, from the stream's leader: what it says was true when asked. Throws {@link BusError}. */
  readLast(stream: string, subject: string): Promise<StoredMessage | undefined>;
  /** The last message of each matching subject; may come from a replica and be stale. Throws {@link BusError}. */
  readLastOfEach(stream: string, subjects: readonly string[]): Promise<readonly StoredMessage[]>;
  /** Stored messages in order, without a gap; reconnects by itself. Ends when closed. */
  follow(options: FollowOptions): Follower;
  readonly connection: ConnectionState;
  /** Every change of the connection, the present state first. Ends when the bus is disposed. */
  connectionChanges(): AsyncIterable<ConnectionState>;
}
