/** Which messages of people have been taken already, though their stream may have been put back meanwhile. */

import type { Place } from '@swell/shared/domain/place.ts';

/**
 * Is it another message than all that were taken? Its sequence is higher, or, where the stream was put back, it was stored
 * later. A server's clock that was set back only hides the second, and then it is taken for a repetition.
 */
export function isNew(at: Place, taken: Place): boolean {
  return hasFreeNumber(at, taken) || at.storedAtMs > taken.storedAtMs;
}

/** Has no message before it had its sequence? */
export function hasFreeNumber(at: Place, taken: Place): boolean {
  return at.sequence > taken.sequence;
}

export function withTaken(taken: Place, at: Place): Place {
  return {
    sequence: Math.max(taken.sequence, at.sequence),
    storedAtMs: Math.max(taken.storedAtMs, at.storedAtMs),
  };
}

/** The end of an answer's id: whoever asked finds it by the sequence, and no other answer has the same. */
export function markOf({ sequence, storedAtMs }: Place): string {
  return `${sequence}-${storedAtMs}`;
}
