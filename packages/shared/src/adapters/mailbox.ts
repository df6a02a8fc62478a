/**
 * A queue between a callback and one `for await`. Ends when it is closed, at once; fails or finishes after what it still
 * holds. Leaving the loop closes it, as with a generator.
 */
export class Mailbox<T> implements AsyncIterableIterator<T> {
  /** Two stacks make a queue: what came in, and, turned over, what goes out next. */
  #in: IteratorYieldResult<T>[] = [];
  #out: IteratorYieldResult<T>[] = [];
  #end: { readonly failure?: Error } | undefined;
  #readers: PromiseWithResolvers<IteratorResult<T>>[] = [];
  readonly #onTake: (() => void) | undefined;
  readonly #onLeave: (() => void) | undefined;

  constructor(listeners: { readonly onTake?: () => void; readonly onLeave?: () => void } = {}) {
    this.#onTake = listeners.onTake;
    this.#onLeave = listeners.onLeave;
  }

  /** How many items wait. */
  get size(): number {
    return this.#in.length + this.#out.length;
  }

  put(value: T): void {
    if (this.#end !== undefined) return;
    const reader = this.#readers.shift();
    if (reader === undefined) this.#in.push({ done: false, value });
    else reader.resolve({ done: false, value });
  }

  /** Ends the iteration now; what waits is dropped. */
  close(): void {
    this.#end = {};
    this.#in = [];
    this.#out = [];
    this.#wake();
  }

  /** Ends the iteration after what waits. */
  finish(): void {
    this.#end ??= {};
    this.#wake();
  }

  /** Ends the iteration with an error, after what waits. */
  fail(failure: Error): void {
    this.#end ??= { failure };
    this.#wake();
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#out.length === 0) {
      this.#out = this.#in.toReversed();
      this.#in = [];
    }
    const item = this.#out.pop();
    if (item !== undefined) {
      this.#onTake?.();
      return Promise.resolve(item);
    }
    if (this.#end !== undefined) return this.#ended();
    const reader = Promise.withResolvers<IteratorResult<T>>();
    this.#readers.push(reader);
    return reader.promise;
  }

  return(): Promise<IteratorResult<T>> {
    this.close();
    this.#onLeave?.();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The error is told once; after it the iteration is over. */
  #ended(): Promise<IteratorResult<T>> {
    const failure = this.#end?.failure;
    this.#end = {};
    return failure === undefined
      ? Promise.resolve({ done: true, value: undefined })
      : Promise.reject(failure);
  }

  #wake(): void {
    const readers = this.#readers;
    this.#readers = [];
    for (const reader of readers) this.#ended().then(reader.resolve, reader.reject);
  }
}
