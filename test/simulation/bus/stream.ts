/** A stream as it lies on the server's disk: entries in order, the past of every subject, the ids of the last while. */

import type { StoredMessage } from '@swell/shared/adapters/bus.ts';
import type { StreamShape } from './definition.ts';
import { IdWindow } from './id-window.ts';
import { hasWildcard, matcher } from './subjects.ts';

/** What is to be stored. */
export interface Statement {
  readonly subject: string;
  readonly body: Uint8Array;
  readonly deleted: boolean;
  /** As it went over the wire. */
  readonly id?: string;
  readonly expectLast?: number;
  /** Of what was copied from another stream. */
  readonly origin?: { readonly stream: string; readonly sequence: number };
  /** Made by the server, because a subject's last message expired: the one with this sequence. */
  readonly expired?: number;
}

export interface Entry {
  readonly message: StoredMessage;
  readonly id: string | undefined;
  /** The sequence before it on its subject, 0 if none. */
  readonly lastSequence: number;
  readonly origin: Statement['origin'];
  readonly isMarker: boolean;
}

export type Verdict =
  | { readonly is: 'stored'; readonly entry: Entry }
  | { readonly is: 'duplicate'; readonly sequence: number }
  | { readonly is: 'conflict'; readonly last: number };

/** One server keeps every stream, or three keep each. */
export type Copies = 1 | 3;

/** How a stream once was. */
export interface Backup {
  readonly stream: string;
  readonly lastSequence: number;
  readonly entries: readonly Entry[];
}

/** How much of what is gone a replica that is behind may still show. */
const GONE_KEPT = 256;
const EMPTY_MAX = 1_024;

export class ModelStream {
  readonly shape: StreamShape;
  /** Another stream of the same name has another. */
  readonly created: number;
  readonly #ids: IdWindow;
  readonly #copies: Copies;
  #entries: (Entry | undefined)[] = [];
  /** The sequence of the first place in `#entries`. */
  #base: number;
  /** The first place that is not empty, if any is. */
  #first = 0;
  #bySubject = new Map<string, number[]>();
  #gone: Entry[] = [];

  constructor(
    shape: StreamShape,
    { created, copies, first }: { readonly created: number; readonly copies: Copies; readonly first: number },
  ) {
    this.shape = shape;
    this.created = created;
    this.#copies = copies;
    this.#base = first;
    this.#ids = new IdWindow(shape.duplicateWindowMs);
  }

  get lastSequence(): number {
    return this.#base + this.#entries.length - 1;
  }

  append(statement: Statement, nowMs: number): Verdict {
    const { subject, id, expectLast } = statement;
    const last = this.#bySubject.get(subject)?.at(-1) ?? 0;
    const known = id === undefined ? undefined : this.#ids.find(id, nowMs);
    const isDuplicate = known !== undefined;
    const isConflict = expectLast !== undefined && expectLast !== last;
    // One server looks at the expectation first; of three the leader knows the id before it looks any further.
    if (isConflict && !(isDuplicate && this.#copies === 3)) return { is: 'conflict', last };
    if (isDuplicate) return { is: 'duplicate', sequence: known };
    const sequence = this.lastSequence + 1;
    const entry: Entry = {
      message: {
        subject,
        sequence,
        storedAtMs: Math.floor(nowMs),
        deleted: statement.deleted,
        body: statement.body,
        ...(statement.origin !== undefined && { sourceSequence: statement.origin.sequence }),
      },
      id,
      lastSequence: statement.expired ?? last,
      origin: statement.origin,
      isMarker: statement.expired !== undefined,
    };
    this.#put(entry);
    return { is: 'stored', entry };
  }

  at(sequence: number): Entry | undefined {
    return this.#entries[sequence - this.#base];
  }

  /** The last of a subject; as it was when the stream ended with `upTo`. */
  last(subject: string, upTo = Number.POSITIVE_INFINITY): Entry | undefined {
    const sequence = this.#bySubject.get(subject)?.findLast((one) => one <= upTo);
    if (sequence !== undefined) return this.at(sequence);
    if (upTo >= this.lastSequence) return undefined;
    return this.#gone.findLast(({ message }) => message.subject === subject && message.sequence <= upTo);
  }

  /** The last of each subject that matches, in the order of their storing. */
  lastOfEach(patterns: readonly string[], upTo = Number.POSITIVE_INFINITY): readonly Entry[] {
    const subjects = new Set(patterns.filter((pattern) => !hasWildcard(pattern)));
    const wild = patterns.filter(hasWildcard).map(matcher);
    if (wild.length > 0) {
      for (const subject of this.#bySubject.keys()) if (wild.some((is) => is(subject))) subjects.add(subject);
    }
    return [...subjects]
      .map((subject) => this.last(subject, upTo))
      .filter((entry) => entry !== undefined)
      .sort((a, b) => a.message.sequence - b.message.sequence);
  }

  /** All that is kept from a sequence on. */
  *since(sequence: number): Generator<Entry> {
    for (let at = Math.max(sequence, this.#base + this.#first); at <= this.lastSequence; at += 1) {
      const entry = this.at(at);
      if (entry !== undefined) yield entry;
    }
  }

  /** With which sequence the stream ended at that time. */
  endAt(ms: number): number {
    let sequence = this.lastSequence;
    while (sequence >= this.#base && (this.at(sequence)?.message.storedAtMs ?? Infinity) > ms) sequence -= 1;
    return sequence;
  }

  /** The copy that came last from a stream: where the server goes on copying. */
  lastCopyOf(stream: string): number {
    for (let at = this.lastSequence; at >= this.#base; at -= 1) {
      const origin = this.at(at)?.origin;
      if (origin?.stream === stream) return origin.sequence;
    }
    return 0;
  }

  /** When the next entry is too old. */
  get nextExpiryMs(): number {
    const first = this.#entries[this.#first];
    return first === undefined ? Number.POSITIVE_INFINITY : this.#expiryMs(first);
  }

  /** Takes out what is too old; returns those that were the last of their subjects. */
  expire(nowMs: number): readonly Entry[] {
    const lasts: Entry[] = [];
    while (this.nextExpiryMs <= nowMs) {
      const entry = this.#entries[this.#first] as Entry;
      if (this.#bySubject.get(entry.message.subject)?.at(-1) === entry.message.sequence) lasts.push(entry);
      this.#remove(entry.message.sequence);
    }
    return lasts;
  }

  backup(): Backup {
    return { stream: this.shape.name, lastSequence: this.lastSequence, entries: [...this.since(1)] };
  }

  /** Becomes what it was: a backup that is put back, or a disk that lost its end. */
  restore(backup: Backup): void {
    this.#entries = [];
    this.#first = 0;
    this.#bySubject = new Map();
    this.#gone = [];
    this.#ids.clear();
    this.#base = backup.entries[0]?.message.sequence ?? backup.lastSequence + 1;
    for (const entry of backup.entries) {
      this.#entries.length = entry.message.sequence - this.#base;
      this.#put(entry);
    }
    this.#entries.length = backup.lastSequence - this.#base + 1;
    this.#trim();
  }

  /** The last `count` acknowledged messages vanish, as after a power cut. */
  loseTail(count: number): void {
    const lastSequence = Math.max(0, this.lastSequence - count);
    const entries = [...this.since(1)].filter(({ message }) => message.sequence <= lastSequence);
    this.restore({ stream: this.shape.name, lastSequence, entries });
  }

  #put(entry: Entry): void {
    const { subject, sequence, storedAtMs } = entry.message;
    this.#entries.push(entry);
    if (entry.id !== undefined) this.#ids.add(entry.id, sequence, storedAtMs);
    const kept = this.#bySubject.get(subject);
    if (kept === undefined) {
      this.#bySubject.set(subject, [sequence]);
      return;
    }
    kept.push(sequence);
    if (kept.length > this.shape.historyMax) this.#remove(kept[0] as number);
  }

  #remove(sequence: number): void {
    const entry = this.at(sequence);
    if (entry === undefined) return;
    this.#entries[sequence - this.#base] = undefined;
    const { subject } = entry.message;
    const kept = this.#bySubject.get(subject);
    kept?.splice(kept.indexOf(sequence), 1);
    if (kept?.length === 0) this.#bySubject.delete(subject);
    this.#gone.push(entry);
    if (this.#gone.length > 2 * GONE_KEPT) this.#gone = this.#gone.slice(-GONE_KEPT);
    this.#trim();
  }

  /** Empty places at the head are cleared away once they are many. */
  #trim(): void {
    const entries = this.#entries;
    while (this.#first < entries.length && entries[this.#first] === undefined) this.#first += 1;
    if (this.#first <= EMPTY_MAX || this.#first < entries.length / 2) return;
    this.#entries = entries.slice(this.#first);
    this.#base += this.#first;
    this.#first = 0;
  }

  #expiryMs({ message, isMarker }: Entry): number {
    const { ageMaxMs, markerMs } = this.shape;
    return message.storedAtMs + (isMarker ? Math.min(ageMaxMs, markerMs ?? ageMaxMs) : ageMaxMs);
  }
}
