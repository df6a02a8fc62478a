/** The ids that a stream has heard within its window: the same id again is a duplicate. */
export class IdWindow {
  readonly #windowMs: number;
  readonly #known = new Map<string, { readonly sequence: number; readonly atMs: number }>();

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  add(id: string, sequence: number, atMs: number): void {
    // Behind the others, so that the oldest come first.
    this.#known.delete(id);
    this.#known.set(id, { sequence, atMs });
  }

  /** The sequence under which the id was stored. */
  find(id: string, nowMs: number): number | undefined {
    for (const [old, { atMs }] of this.#known) {
      if (atMs + this.#windowMs > nowMs) break;
      this.#known.delete(old);
    }
    const known = this.#known.get(id);
    return known === undefined || known.atMs + this.#windowMs <= nowMs ? undefined : known.sequence;
  }

  clear(): void {
    this.#known.clear();
  }
}
