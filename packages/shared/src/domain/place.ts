/** What names a message of a stream for good: one that was put back gives out its sequences once more. */
export interface Place {
  readonly sequence: number;
  /** By the bus's clock. */
  readonly storedAtMs: number;
}

/** Before every message. */
export const NOWHERE: Place = { sequence: 0, storedAtMs: 0 };
