/**
 * Says every effect of an agent aloud, on its standard output, before and after it; and holds the whole process still at
 * the one point where it is to die. Whoever started it kills it there, or lets it go on.
 */

import { writeSync } from 'node:fs';
import { formatPoint, type Moment, type Point } from './point.ts';

/** One effect under way: called at each of its moments. */
export type At = (moment: Moment) => void;

/** What is said of an effect; the first name is the one that it is counted by. */
export interface Announcement {
  readonly msg: typeof EFFECT;
  readonly points: readonly string[];
}

export const EFFECT = 'effect';
export const HELD = 'held';

export class Announcer {
  readonly #counts = new Map<string, number>();
  readonly #holdAt: string | undefined;

  constructor(holdAt: Point | undefined) {
    this.#holdAt = holdAt && formatPoint(holdAt);
  }

  /** An effect begins. One that does several things at once has a name for each: it is held at any of them. */
  effect(...names: readonly string[]): At {
    const counted = names.map((effect) => {
      const occurrence = (this.#counts.get(effect) ?? 0) + 1;
      this.#counts.set(effect, occurrence);
      return { effect, occurrence };
    });
    return (moment) => {
      const points = counted.map((one) => formatPoint({ ...one, moment }));
      say({ msg: EFFECT, points });
      if (this.#holdAt !== undefined && points.includes(this.#holdAt)) hold();
    };
  }

  /** An effect from its beginning to its end, however it ends. */
  async around<T>(name: string, act: () => Promise<T>): Promise<T> {
    const at = this.effect(name);
    at('before');
    try {
      return await act();
    } finally {
      at('after');
    }
  }
}

/** The process stands still with all that it was about to do: nothing moves until somebody kills it, or says SIGCONT. */
function hold(): void {
  say({ msg: HELD });
  process.kill(process.pid, 'SIGSTOP');
}

/** At once: the next moment may be the last. */
function say(line: object): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}
