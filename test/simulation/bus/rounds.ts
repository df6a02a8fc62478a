/**
 * Arrivals in whole milliseconds: all that is due in one of them arrives in one happening. A message to a thousand
 * subscribers is then some tens of happenings, not a thousand, and each of those lets every promise run to its end.
 */

import type { VirtualTime } from '../time.ts';

export class Rounds {
  readonly #time: VirtualTime;
  readonly #rounds = new Map<number, (() => void)[]>();

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  get nowMs(): number {
    return this.#time.nowMs;
  }

  at(dueMs: number, arrive: () => void): void {
    const atMs = Math.ceil(dueMs);
    const round = this.#rounds.get(atMs);
    if (round !== undefined) {
      round.push(arrive);
      return;
    }
    const begun = [arrive];
    this.#rounds.set(atMs, begun);
    this.#time.after(atMs - this.#time.nowMs, () => {
      this.#rounds.delete(atMs);
      for (const call of begun) call();
    });
  }
}
