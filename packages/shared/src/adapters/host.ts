/** What the machine lends a program besides files and sockets: its clocks, its timers, its chance. The simulation lends its own. */

import { setTimeout as delay } from 'node:timers/promises';
import { type Clock, systemClock } from './clock.ts';

export interface Host extends Clock {
  /** Rejects with the signal's reason once that aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls once, later; returns what calls it off. */
  after(ms: number, call: () => void): () => void;
  /** Evenly between 0 and 1, for jitter. */
  random(): number;
}

/** What a timer of the platform can wait for, 24 days; asked for more, it would fire at once. */
const WAIT_MAX_MS = 2 ** 31 - 1;

export const systemHost: Host = {
  ...systemClock,
  sleep: (ms, signal) => delay(Math.min(ms, WAIT_MAX_MS), undefined, signal === undefined ? {} : { signal }),
  after(ms, call) {
    const timeout = setTimeout(call, Math.min(ms, WAIT_MAX_MS));
    return () => clearTimeout(timeout);
  },
  random: () => Math.random(),
};
