/** How far a run is: one line that is rewritten in a terminal, a line now and then elsewhere. */

import type { Tally } from './summary.ts';

const SPARSE_MS = 30_000;

export class Progress {
  readonly #seeds: number;
  readonly #out: NodeJS.WriteStream;
  #saidAtMs = performance.now();

  constructor(seeds: number, out: NodeJS.WriteStream) {
    this.#seeds = seeds;
    this.#out = out;
  }

  lived(tally: Tally): void {
    const isDue = performance.now() - this.#saidAtMs > SPARSE_MS;
    if (!this.#out.isTTY && !isDue) return;
    this.#saidAtMs = performance.now();
    this.#out.write(this.#out.isTTY ? `\r\u001b[K${this.#line(tally)}` : `${this.#line(tally)}\n`);
  }

  /** Something else is said: the line makes room. */
  clear(): void {
    if (this.#out.isTTY) this.#out.write('\r\u001b[K');
  }

  #line(tally: Tally): string {
    const leftMs = (tally.tookMs / tally.seeds) * (this.#seeds - tally.seeds);
    return (
      `${tally.seeds} of ${this.#seeds} seeds, ${tally.nodeUpdates} node-updates (${tally.perSecond}/s), ` +
      `${tally.violations} violations, about ${Math.ceil(leftMs / 60_000)} min left`
    );
  }
}
