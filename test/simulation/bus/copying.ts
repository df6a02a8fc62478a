/**
 * One stream copies from another, a moment later: a `source` of its definition.
 *
 * It goes on behind the sequence that it copied last. Of an original that was set back while nobody looked, nothing is
 * copied before it is as long as it was; of one that was deleted and made again, everything, once that is noticed.
 */

import type { Chance } from '../chance.ts';
import type { VirtualTime } from '../time.ts';
import type { StreamSource } from './definition.ts';
import type { ModelStream, Statement, Verdict } from './stream.ts';

/** The server takes about this long to begin. */
const BEGIN_MS = 250;
/** It looks after an original that was deleted now and then only. */
const LOOKS_MS = { min: 10_000, max: 21_000 };
const COPY_MS = 2;

/** What copying needs of the streams. */
interface Streams {
  get(name: string): ModelStream | undefined;
  write(stream: ModelStream, statement: Statement): Verdict;
  readonly isRunning: boolean;
}

export class Copying {
  readonly #time: VirtualTime;
  readonly #chance: Chance;
  readonly #streams: Streams;
  readonly #source: StreamSource;
  readonly #target: string;
  /** Up to where it has copied; undefined until it has begun. */
  #copied: number | undefined;
  #lives = 0;
  #isAwaited = false;

  constructor(time: VirtualTime, chance: Chance, streams: Streams, source: StreamSource, target: string) {
    this.#time = time;
    this.#chance = chance;
    this.#streams = streams;
    this.#source = source;
    this.#target = target;
  }

  /** A stream was made, perhaps not for the first time, or it is an older one than before. */
  made(name: string, isAnother: boolean): void {
    if (name === this.#target) this.begin();
    if (name !== this.#source.stream) return;
    if (isAnother) this.#beginIn(this.#chance.between(LOOKS_MS.min, LOOKS_MS.max), () => 0);
    else this.begin();
  }

  begin(): void {
    this.#beginIn(this.#chance.between(0.5, 1.5) * BEGIN_MS, () =>
      this.#streams.get(this.#target)?.lastCopyOf(this.#source.stream),
    );
  }

  stored(stream: ModelStream): void {
    if (stream.shape.name === this.#source.stream) this.#await();
  }

  #beginIn(ms: number, behind: () => number | undefined): void {
    this.#lives += 1;
    this.#copied = undefined;
    const life = this.#lives;
    this.#time.after(ms, () => {
      if (life !== this.#lives || !this.#streams.isRunning) return;
      this.#copied = behind();
      this.#await();
    });
  }

  #await(): void {
    if (this.#copied === undefined || this.#isAwaited) return;
    this.#isAwaited = true;
    this.#time.after(this.#chance.exponential(COPY_MS), () => {
      this.#isAwaited = false;
      this.#copy();
    });
  }

  #copy(): void {
    const source = this.#streams.get(this.#source.stream);
    const target = this.#streams.get(this.#target);
    if (this.#copied === undefined || !this.#streams.isRunning) return;
    if (source === undefined || target === undefined) return;
    for (const { message, id } of source.since(this.#copied + 1)) {
      const subject = this.#source.rewrite(message.subject);
      this.#copied = message.sequence;
      if (subject === undefined) continue;
      this.#streams.write(target, {
        subject,
        body: message.body,
        deleted: message.deleted,
        origin: { stream: this.#source.stream, sequence: message.sequence },
        ...(id !== undefined && { id }),
      });
    }
  }
}
