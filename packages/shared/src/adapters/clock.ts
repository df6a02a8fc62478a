/** The two times there are: one that never jumps, to measure with, and the one that people and other machines share. */
export interface Clock {
  /** Only ever rises, at one second a second; its zero means nothing. Leases and deadlines are measured with it (I3). */
  monotonicMs(): number;
  /** Milliseconds since 1970; may jump in both directions. */
  wallMs(): number;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
};
