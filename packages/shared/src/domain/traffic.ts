/**
 * How a node leaves the rotation and comes back into it, so that whoever balances the load sends nothing to a container
 * that is about to stop, and nobody else leaves before it is sent something again (Z2, B20).
 */

export interface Drain {
  /** Who asks has to have been told this often that nothing more is to be sent: a balancer's `fall`. */
  readonly checks: number;
  /** From then on the container goes on for so long: what was sent before is answered. */
  readonly timeMs: number;
  /** Then, where it can be asked, until nothing is in flight; no longer than this in all, also where nobody asks. */
  readonly maxMs: number;
  /** Answers with the number of requests that it works on. */
  readonly inFlight?: InFlight;
}

export interface InFlight {
  readonly port: number;
  readonly path: string;
}

export interface Rejoin {
  /** The slot is freed once who asks has been told this often that the node is back: a balancer's `rise`. */
  readonly checks: number;
  /** Or after this long, if nobody asks. */
  readonly maxMs: number;
  /** Its weight rises from a tenth to the whole over this time, which the slot does not wait for. */
  readonly rampMs: number;
}

/** How long a node may stay away from traffic before its container stops. */
export function longestDrainMs({ checks, timeMs, maxMs, inFlight }: Drain): number {
  return checks === 0 && inFlight === undefined ? timeMs : maxMs;
}

/** How long a node may keep its slot once it is back. */
export function longestRejoinMs({ checks, maxMs }: Rejoin): number {
  return checks === 0 ? 0 : maxMs;
}

/** What a node answers to whoever asks whether to send it anything. */
export type Rotation =
  | { readonly is: 'in'; readonly weightPercent: number }
  | { readonly is: 'draining' }
  | { readonly is: 'out'; readonly why: string }
  /** Nothing is known yet: whoever can ought to go on as before. */
  | { readonly is: 'unknown'; readonly why: string };

/** A cold container may take this much at first. */
export const FIRST_WEIGHT_PERCENT = 10;

/** Where a weight stands that began to rise so long ago: a whole number of percent, from a tenth to the whole. */
export function risingWeight(sinceMs: number, rampMs: number): number {
  const share = rampMs <= 0 ? 1 : Math.min(1, Math.max(0, sinceMs / rampMs));
  return Math.floor(FIRST_WEIGHT_PERCENT + (100 - FIRST_WEIGHT_PERCENT) * share);
}
