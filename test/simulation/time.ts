/**
 * Virtual time: nothing happens but what is due next. After each happening all promises that it settled have run to
 * their ends, since nothing in the simulated world waits for anything real; so one seed gives one history.
 */

interface Due {
  readonly atMs: number;
  /** Happenings of one instant keep the order in which they were asked for. */
  readonly order: number;
  call: (() => void) | undefined;
}

export class VirtualTime {
  #nowMs: number;
  #order = 0;
  readonly #heap: Due[] = [];

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Calls once, `delayMs` from now; returns what calls it off. */
  after(delayMs: number, call: () => void): () => void {
    const due: Due = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order, call };
    this.#order += 1;
    this.#push(due);
    return () => {
      due.call = undefined;
    };
  }

  /** Lets time pass until `isOver`, or until nothing is due before `untilMs`. Returns whether it was over. */
  async run(untilMs: number, isOver: () => boolean = () => false): Promise<boolean> {
    await inTurns(() => !isOver() && this.#happen(untilMs));
    return isOver();
  }

  /** What is due next happens; false where nothing is before `untilMs`, which it is then. */
  #happen(untilMs: number): boolean {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > untilMs) {
        this.#nowMs = untilMs;
        return false;
      }
      this.#pop();
      if (next.call === undefined) continue;
      this.#nowMs = next.atMs;
      next.call();
      return true;
    }
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.push(due) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent] as Due, due)) break;
      heap[at] = heap[parent] as Due;
      at = parent;
    }
    heap[at] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      if (left >= heap.length) break;
      const child = right < heap.length && isBefore(heap[right] as Due, heap[left] as Due) ? right : left;
      if (isBefore(last, heap[child] as Due)) break;
      heap[at] = heap[child] as Due;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Turns of the event loop that are asked for together cost one look at the outside world. */
const TURNS_AT_ONCE = 256;

/** Calls once in each turn of the event loop, after all promises that can settle have, until it returns false or throws. */
function inTurns(call: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const turn = (): void => {
      if (isOver) return;
      try {
        isOver = !call();
        if (isOver) resolve();
      } catch (error) {
        isOver = true;
        reject(error);
      }
    };
    const ask = (): void => {
      if (isOver) return;
      for (let at = 0; at < TURNS_AT_ONCE; at += 1) setImmediate(turn);
      setImmediate(ask);
    };
    ask();
  });
}
