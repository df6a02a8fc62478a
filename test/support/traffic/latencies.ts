/** How long requests took, counted by the millisecond: as small for a million as for ten. */
export class Latencies {
  readonly #counts = new Map<number, number>();
  #total = 0;

  static of(entries: Iterable<readonly [ms: number, count: number]>): Latencies {
    const latencies = new Latencies();
    for (const [ms, count] of entries) latencies.add(ms, count);
    return latencies;
  }

  add(ms: number, count = 1): void {
    const whole = Math.ceil(ms);
    this.#counts.set(whole, (this.#counts.get(whole) ?? 0) + count);
    this.#total += count;
  }

  /** Of all requests so many percent took no longer than this; 0 where there were none. */
  percentile(percent: number): number {
    let left = (this.#total * percent) / 100;
    for (const [ms, count] of this.entries()) {
      left -= count;
      if (left <= 0) return ms;
    }
    return 0;
  }

  entries(): readonly (readonly [ms: number, count: number])[] {
    return [...this.#counts].sort(([a], [b]) => a - b);
  }
}
