/**
 * Streams whose leader is gone for a while. What is asked then is refused, or nobody answers; a write that nobody answers may
 * have reached a majority before, and is found stored when there is a leader again.
 */

import type { Chance } from '../chance.ts';
import type { VirtualTime } from '../time.ts';
import { type Answering, no } from './answers.ts';

const REFUSED = 0.5;
const STORED_LATER = 0.5;

type Act<Value> = (answer: Answering<Value>) => void;

export class Leaders {
  readonly #time: VirtualTime;
  readonly #chance: Chance;
  /** What is stored once the stream has a leader. */
  readonly #waiting = new Map<string, { readonly untilMs: number; readonly writes: (() => void)[] }>();

  constructor(time: VirtualTime, chance: Chance) {
    this.#time = time;
    this.#chance = chance;
  }

  /** Has every stream its leader? */
  get areAll(): boolean {
    return this.#waiting.size === 0;
  }

  lose(ms: number, streams: readonly string[]): void {
    for (const stream of streams) {
      const untilMs = this.#time.nowMs + ms;
      const waiting = this.#waiting.get(stream);
      if (waiting !== undefined && waiting.untilMs >= untilMs) continue;
      const next = { untilMs, writes: waiting?.writes ?? [] };
      this.#waiting.set(stream, next);
      this.#time.after(ms, () => {
        if (this.#waiting.get(stream) !== next) return;
        this.#waiting.delete(stream);
        for (const write of next.writes) write();
      });
    }
  }

  write<Value>(stream: string, answer: Answering<Value>, act: Act<Value>): void {
    const waiting = this.#waiting.get(stream);
    if (waiting === undefined) act(answer);
    else if (this.#chance.happens(REFUSED)) answer(no('unavailable', 'no leader'));
    // Whoever wrote has given up waiting by then.
    else if (this.#chance.happens(STORED_LATER)) waiting.writes.push(() => act(() => {}));
  }

  ask<Value>(stream: string, answer: Answering<Value>, act: Act<Value>): void {
    if (!this.#waiting.has(stream)) act(answer);
    else if (this.#chance.happens(REFUSED)) answer(no('unavailable', 'no leader'));
  }
}
