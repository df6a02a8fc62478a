/**
 * One direction of a TCP connection: in order, each word after a while, and all of it late when one word is. A blocked
 * pipe loses nothing: what was sent waits for the network, as the kernel makes it wait.
 */

import type { Rounds } from './rounds.ts';

interface Word {
  readonly dueMs: number;
  readonly arrive: () => void;
}

/** How many words that have arrived may lie about before they are cleared away. */
const HEAD_MAX = 1_024;

export class Pipe {
  readonly #rounds: Rounds;
  readonly #delayMs: () => number;
  #words: Word[] = [];
  #head = 0;
  #lastDueMs = 0;
  #isBlocked: boolean;
  #isOpen = true;
  #isAwaited = false;

  constructor(rounds: Rounds, delayMs: () => number, isBlocked: boolean) {
    this.#rounds = rounds;
    this.#delayMs = delayMs;
    this.#isBlocked = isBlocked;
  }

  /** How many words are on their way. */
  get length(): number {
    return this.#words.length - this.#head;
  }

  send(arrive: () => void): void {
    if (!this.#isOpen) return;
    this.#lastDueMs = Math.max(this.#lastDueMs, this.#rounds.nowMs + this.#delayMs());
    this.#words.push({ dueMs: this.#lastDueMs, arrive });
    this.#await();
  }

  block(): void {
    this.#isBlocked = true;
  }

  /** The network is back: what waited arrives in one go. */
  unblock(): void {
    this.#isBlocked = false;
    this.#await();
  }

  /** Takes nothing more; of what is on its way the first `kept` still arrive. */
  close(kept: number): void {
    this.#isOpen = false;
    this.#words.length = Math.min(this.#words.length, this.#head + kept);
  }

  #await(): void {
    const next = this.#words[this.#head];
    if (next === undefined || this.#isAwaited || this.#isBlocked) return;
    this.#isAwaited = true;
    this.#rounds.at(next.dueMs, () => {
      this.#isAwaited = false;
      this.#arrive();
    });
  }

  #arrive(): void {
    for (;;) {
      const word = this.#words[this.#head];
      if (word === undefined || this.#isBlocked || word.dueMs > this.#rounds.nowMs) break;
      this.#head += 1;
      word.arrive();
    }
    if (this.#head === this.#words.length || this.#head > HEAD_MAX) {
      this.#words = this.#words.slice(this.#head);
      this.#head = 0;
    }
    this.#await();
  }
}
