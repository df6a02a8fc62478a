/**
 * Which of several coordinators leads: a lease in the bucket `swell_rollouts`, renewed by conditional writes. A rival
 * takes it once it has seen it unrenewed for its whole length by its own monotonic clock (as Kubernetes' leader election
 * does), so no two clocks have to agree; and since every order of ours is written with an expected revision, a leader
 * who has not noticed yet can do no harm.
 */

import { type Bus, BusError } from '@swell/shared/adapters/bus.ts';
import type { Host } from '@swell/shared/adapters/host.ts';
import { NOWHERE, type Place } from '@swell/shared/domain/place.ts';
import type { Scope } from '@swell/shared/domain/scope.ts';
import { decode, encode } from '@swell/shared/protocol/codec.ts';
import { type Lease, leaseSchema } from '@swell/shared/protocol/records.ts';
import { leaseKey, STREAMS } from '@swell/shared/protocol/subjects.ts';

export interface LeadershipOptions {
  readonly bus: Bus;
  readonly host: Host;
  readonly coordinator: string;
  /** Missing: the global one. In each scope somebody leads. */
  readonly scope?: Scope;
  readonly leaseMs: number;
  /** A lease that nobody can read holds nobody back, and is told (I13). */
  readonly onUnreadable: (problems: readonly string[]) => void;
}

/** What stands under the lease's key, and when this process first saw it so. */
interface Sighting {
  readonly revision: number;
  readonly lease: Lease | undefined;
  readonly sinceMs: number;
}

/** Waits until the lease can be taken, and takes it. Throws the signal's reason. */
export async function acquireLeadership(options: LeadershipOptions, signal: AbortSignal): Promise<Term> {
  let seen: Sighting | undefined;
  for (;;) {
    signal.throwIfAborted();
    try {
      seen = await look(options, seen);
      if (isVacant(seen, options)) return await Term.begin(options, seen.revision, seen.lease);
    } catch (error) {
      if (!(error instanceof BusError) || error.code === 'refused') throw error;
    }
    await options.host.sleep(options.leaseMs / 5, signal);
  }
}

async function look(
  { bus, host, scope, onUnreadable }: LeadershipOptions,
  before: Sighting | undefined,
): Promise<Sighting> {
  const message = await bus.readLast(STREAMS.rollouts, leaseKey(scope));
  const revision = message?.sequence ?? 0;
  if (before?.revision === revision) return before;
  const parsed = message === undefined || message.deleted ? undefined : decode(message.body, leaseSchema);
  if (parsed?.ok === false) onUnreadable(parsed.problems);
  return { revision, lease: parsed?.ok === true ? parsed.value : undefined, sinceMs: host.monotonicMs() };
}

function isVacant({ lease, sinceMs }: Sighting, { host, coordinator }: LeadershipOptions): boolean {
  if (lease === undefined || lease.leaseMs === 0) return true;
  // Under our own name it is ours, from before a restart; or that of a namesake, who would renew it by then.
  const waitMs = lease.coordinator === coordinator ? lease.leaseMs / 2 : lease.leaseMs;
  return host.monotonicMs() - sinceMs > waitMs;
}

/** A time of leading: from the lease's taking to the first failure to keep it. */
export class Term {
  readonly #options: LeadershipOptions;
  readonly #ended = new AbortController();
  #lease: Lease;
  #revision: number;
  /** By our own clock, counted from before the last successful write: nobody else can hold it earlier. */
  #untilMs: number;
  /** What our monotonic clock shows where the leader's time is 0. */
  readonly #zeroMs: number;

  private constructor(options: LeadershipOptions, lease: Lease, written: Written) {
    this.#options = options;
    this.#lease = lease;
    this.#revision = written.revision;
    this.#untilMs = written.sentAtMs + lease.leaseMs;
    this.#zeroMs = written.heardAtMs - Math.max(written.storedAtMs, lease.atMs);
  }

  static async begin(options: LeadershipOptions, revision: number, before: Lease | undefined): Promise<Term> {
    const lease: Lease = {
      coordinator: options.coordinator,
      // A lease that was deleted, or that nobody can read: the revision is beyond every term that there was.
      term: (before?.term ?? revision) + 1,
      leaseMs: options.leaseMs,
      atMs: before?.atMs ?? 0,
      releasesRead: before?.releasesRead ?? NOWHERE,
      controlsRead: before?.controlsRead ?? NOWHERE,
    };
    return new Term(options, lease, await write(options, lease, revision));
  }

  get number(): number {
    return this.#lease.term;
  }

  get scope(): Scope | undefined {
    return this.#options.scope;
  }

  get coordinator(): string {
    return this.#lease.coordinator;
  }

  /** Of our newest write to the lease. */
  get revision(): number {
    return this.#revision;
  }

  /** How far the messages of people have been read and their consequences saved. */
  get read(): { readonly releases: Place; readonly controls: Place } {
    return { releases: this.#lease.releasesRead, controls: this.#lease.controlsRead };
  }

  /** Aborted once we lead no more, with the reason. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  get isHeld(): boolean {
    return !this.#ended.signal.aborted && this.#options.host.monotonicMs() < this.#untilMs;
  }

  /**
   * The leaders' time, in ms since 1970: a term takes it from the bus when it begins, or from the leader before where
   * that one's was later, and carries it on by its own monotonic clock. However the bus's clock jumps, it never goes back.
   */
  nowMs(): number {
    return Math.round(this.#options.host.monotonicMs() - this.#zeroMs);
  }

  /** What was read last, wherever it stands: a stream that was set back is read again from its beginning. */
  hasRead(what: 'releases' | 'controls', { sequence, storedAtMs }: Place): void {
    const key = what === 'releases' ? 'releasesRead' : 'controlsRead';
    this.#lease = { ...this.#lease, [key]: { sequence, storedAtMs } };
  }

  /** Leads no more, for a reason that somebody else found. */
  depose(reason: string): void {
    this.#ended.abort(new Error(reason));
  }

  /** Renews until it fails for good, or the signal says to stop. */
  async keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#ended.signal.aborted) {
      await this.#options.host
        .sleep(this.#options.leaseMs / 3, AbortSignal.any([signal, this.signal]))
        .catch(() => {});
      if (!signal.aborted && !this.#ended.signal.aborted) await this.#renew();
    }
  }

  /** Gives the lease back, so that the next one need not wait for its end. */
  async resign(): Promise<void> {
    const isOurs = this.#options.host.monotonicMs() < this.#untilMs;
    this.#ended.abort(new Error('resigned'));
    if (!isOurs) return;
    await write(this.#options, { ...this.#lease, leaseMs: 0, atMs: this.nowMs() }, this.#revision).catch(
      () => {},
    );
  }

  async #renew(): Promise<void> {
    try {
      const lease = { ...this.#lease, atMs: this.nowMs() };
      const written = await write(this.#options, lease, this.#revision);
      this.#revision = written.revision;
      this.#untilMs = written.sentAtMs + this.#lease.leaseMs;
    } catch (error) {
      const isLost = !(error instanceof BusError) || !error.retryable;
      if (isLost)
        this.depose(`the lease was lost: ${error instanceof Error ? error.message : String(error)}`);
      else if (!this.isHeld) this.depose('the lease ran out while the bus was out of reach');
    }
  }
}

interface Written {
  readonly revision: number;
  readonly sentAtMs: number;
  /** By the bus's clock. */
  readonly storedAtMs: number;
  /** By our monotonic clock, when that was read. */
  readonly heardAtMs: number;
}

async function write(
  { bus, host, scope }: LeadershipOptions,
  lease: Lease,
  expect: number,
): Promise<Written> {
  const sentAtMs = host.monotonicMs();
  const { sequence } = await bus.publish({
    subject: leaseKey(scope),
    body: encode(lease),
    line: `${lease.coordinator} leads${scope === undefined ? '' : ` scope ${scope}`}, term ${lease.term}`,
    id: `${lease.term}.${expect}.${lease.coordinator}`,
    expectLast: expect,
  });
  const heardAtMs = host.monotonicMs();
  const stored = await bus.readLast(STREAMS.rollouts, leaseKey(scope));
  if (stored?.sequence !== sequence)
    throw new BusError('conflict', 'another coordinator has taken the lease');
  return { revision: sequence, sentAtMs, storedAtMs: stored.storedAtMs, heardAtMs };
}
