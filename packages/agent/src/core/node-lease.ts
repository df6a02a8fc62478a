/**
 * The node's lease: of all agents that share a state directory only its holder acts. Terms are numbered, and a number is
 * given once, whatever happens; it is the fencing token. A holder renews; a rival judges by its own monotonic clock
 * whether it still does, as coordinators do among themselves (decision 9).
 *
 * 1. Who takes term n + 1 has seen term n unrenewed for a whole lease, or knows that its holder is dead, or is meant by it.
 * 2. A holder believes in its term until a lease after it began its last renewal; a renewal that ended later is none.
 */

/** A process as this machine's kernel tells it from all others; its number alone is given again. */
export interface ProcessMark {
  /** Drawn by the kernel at every boot. */
  readonly boot: string;
  readonly pidNamespace: string;
  readonly pid: number;
  readonly startedAt: string;
}

export interface Holder {
  /** The id of its container, where it runs in one. */
  readonly container?: string;
  /** Missing: it was named by the holder before, and has not taken the lease yet. */
  readonly run?: ProcessMark;
}

export interface NodeLease {
  readonly term: number;
  /** Missing: nobody can read what stands there. */
  readonly holder?: Holder;
  readonly renewals: number;
  /** Given back: the next one need not wait. */
  readonly released?: true;
}

/** A lease, and since when it has been seen unrenewed. */
export interface Sighting {
  readonly lease: NodeLease;
  readonly sinceMs: number;
}

export const NODE_LEASE_MS = 10_000;

export function sight(before: Sighting | undefined, lease: NodeLease, nowMs: number): Sighting {
  const isSame = before?.lease.term === lease.term && before.lease.renewals === lease.renewals;
  return isSame ? before : { lease, sinceMs: nowMs };
}

/**
 * May `me` take the next term?
 *
 * @param isSeen there is a process here with the holder's mark: of this very machine and namespace that is the holder
 */
export function mayTake({ lease, sinceMs }: Sighting, me: Holder, isSeen: boolean, nowMs: number): boolean {
  if (lease.released === true || nowMs - sinceMs > NODE_LEASE_MS) return true;
  return lease.holder !== undefined && (isMeant(lease.holder, me) || isDead(lease.holder, me, isSeen));
}

/** The one before has named `me`. */
function isMeant({ container, run }: Holder, me: Holder): boolean {
  return run === undefined && container !== undefined && container === me.container;
}

/** Whoever runs now in the same container, or can look, knows; of all others only time tells. */
function isDead({ container, run }: Holder, me: Holder, isSeen: boolean): boolean {
  if (run === undefined || me.run === undefined) return false;
  const { boot, pidNamespace } = me.run;
  if (run.boot === boot && run.pidNamespace === pidNamespace) return !isSeen;
  return container !== undefined && container === me.container;
}
