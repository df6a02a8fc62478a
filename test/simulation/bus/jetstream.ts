/** The server's streams: finds the one that a subject belongs to, lets messages expire, and copies from stream to stream. */

import type { Chance } from '../chance.ts';
import type { VirtualTime } from '../time.ts';
import { Copying } from './copying.ts';
import type { StreamShape } from './definition.ts';
import { type Backup, type Copies, type Entry, ModelStream, type Statement, type Verdict } from './stream.ts';
import { SubjectIndex } from './subjects.ts';

/** The server looks for what has expired now and then, not at the instant. */
const EXPIRY_LATE_MS = 250;

export interface JetStreamGround {
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly shapes: readonly StreamShape[];
  readonly clockMs: () => number;
  readonly copies: Copies;
}

export class ModelJetStream {
  readonly #time: VirtualTime;
  readonly #chance: Chance;
  readonly #shapes: ReadonlyMap<string, StreamShape>;
  readonly #clockMs: () => number;
  readonly #copies: Copies;
  readonly #streams = new Map<string, ModelStream>();
  readonly #bySubject = new SubjectIndex<StreamShape>();
  readonly #copyings: readonly Copying[];
  readonly #expiries = new Map<string, () => void>();
  /** Names that have been a stream's already. */
  readonly #known = new Set<string>();
  #made = 0;
  /** Where a stream begins that a coordinator makes. */
  firstSequence: (stream: string) => number = () => 1;
  #isRunning = true;
  /** Hears everything that is stored, at once. */
  onStored: (stream: ModelStream, entry: Entry) => void = () => {};
  /** Hears of every stream that is another than before, or an older one, or gone. */
  onChanged: (name: string) => void = () => {};

  constructor({ time, chance, shapes, clockMs, copies }: JetStreamGround) {
    this.#time = time;
    this.#chance = chance;
    this.#clockMs = clockMs;
    this.#copies = copies;
    this.#shapes = new Map(shapes.map((shape) => [shape.name, shape]));
    for (const shape of shapes) for (const subject of shape.subjects) this.#bySubject.add(subject, shape);
    this.#copyings = shapes.flatMap(({ name, sources }) =>
      sources.map((source) => new Copying(time, chance, this, source, name)),
    );
  }

  get(name: string): ModelStream | undefined {
    return this.#streams.get(name);
  }

  names(): readonly string[] {
    return [...this.#streams.keys()];
  }

  /** The stream that takes a subject. */
  of(subject: string): ModelStream | undefined {
    for (const { name } of this.#bySubject.find(subject)) {
      const stream = this.#streams.get(name);
      if (stream !== undefined) return stream;
    }
    return undefined;
  }

  /** Makes what is missing, as the coordinator does when it begins; returns the names. */
  ensure(): readonly string[] {
    const missing = [...this.#shapes.values()].filter(({ name }) => !this.#streams.has(name));
    for (const shape of missing) this.#make(shape, this.firstSequence(shape.name));
    return missing.map(({ name }) => name);
  }

  delete(name: string): void {
    if (this.#streams.delete(name)) this.onChanged(name);
  }

  /** Deleted and made again: empty, with sequences from 1. */
  recreate(name: string): void {
    const shape = this.#shapes.get(name);
    if (shape === undefined) throw new Error(`no stream ${name} is defined`);
    this.delete(name);
    this.#make(shape);
  }

  write(stream: ModelStream, statement: Statement): Verdict {
    const verdict = stream.append(statement, this.#clockMs());
    if (verdict.is === 'stored') {
      this.onStored(stream, verdict.entry);
      for (const copying of this.#copyings) copying.stored(stream);
      this.#awaitExpiry(stream);
    }
    return verdict;
  }

  restore(backup: Backup): void {
    const stream = this.#need(backup.stream);
    stream.restore(backup);
    this.#changed(stream);
  }

  loseTail(name: string, count: number): void {
    const stream = this.#need(name);
    stream.loseTail(count);
    this.#changed(stream);
  }

  /** The server ends. Streams in memory are gone, or, where three know of them, empty. */
  stop(): void {
    this.#isRunning = false;
    for (const callOff of this.#expiries.values()) callOff();
    this.#expiries.clear();
    for (const { shape } of this.#streams.values()) {
      if (shape.storage !== 'memory') continue;
      if (this.#copies === 1) this.delete(shape.name);
      else this.restore({ stream: shape.name, lastSequence: 0, entries: [] });
    }
  }

  start(): void {
    this.#isRunning = true;
    for (const stream of this.#streams.values()) this.#awaitExpiry(stream);
    for (const copying of this.#copyings) copying.begin();
  }

  /** The last of every stream that was stored. */
  lasts(): readonly (readonly [ModelStream, Entry])[] {
    return [...this.#streams.values()].flatMap((stream) => {
      const entry = stream.at(stream.lastSequence);
      return entry === undefined ? [] : [[stream, entry] as const];
    });
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  #make(shape: StreamShape, first = 1): void {
    this.#made += 1;
    this.#streams.set(
      shape.name,
      new ModelStream(shape, { created: this.#made, copies: this.#copies, first }),
    );
    const isAnother = this.#known.has(shape.name);
    this.#known.add(shape.name);
    for (const copying of this.#copyings) copying.made(shape.name, isAnother);
  }

  #changed(stream: ModelStream): void {
    this.onChanged(stream.shape.name);
    for (const copying of this.#copyings) copying.made(stream.shape.name, false);
  }

  #need(name: string): ModelStream {
    const stream = this.#streams.get(name);
    if (stream === undefined) throw new Error(`no stream ${name}`);
    return stream;
  }

  #awaitExpiry(stream: ModelStream): void {
    const { name, ageMaxMs } = stream.shape;
    if (ageMaxMs === Number.POSITIVE_INFINITY || this.#expiries.has(name)) return;
    const dueMs = stream.nextExpiryMs;
    if (dueMs === Number.POSITIVE_INFINITY || !this.#isRunning) return;
    const waitMs = dueMs - this.#clockMs() + this.#chance.between(1, EXPIRY_LATE_MS);
    this.#expiries.set(
      name,
      this.#time.after(waitMs, () => {
        this.#expiries.delete(name);
        if (this.#streams.get(name) === stream) this.#expire(stream);
      }),
    );
  }

  #expire(stream: ModelStream): void {
    for (const { message, isMarker } of stream.expire(this.#clockMs())) {
      // A marker goes without another.
      if (stream.shape.markerMs === undefined || isMarker) continue;
      this.write(stream, {
        subject: message.subject,
        body: new Uint8Array(),
        deleted: true,
        expired: message.sequence,
      });
    }
    this.#awaitExpiry(stream);
  }
}
