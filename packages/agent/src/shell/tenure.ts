/**
 * The time in which this agent holds the node's lease: from its taking to its loss, its return, or its handing over. The
 * rules are in `core/node-lease.ts`; a holder that has slept past its own time takes the next term, and goes on if nobody
 * was there in between.
 */

import type { Host } from '@swell/shared/adapters/host.ts';
import type { LeaseFiles } from '../adapters/lease-files.ts';
import {
  type Holder,
  mayTake,
  NODE_LEASE_MS,
  type ProcessMark,
  type Sighting,
  sight,
} from '../core/node-lease.ts';

const LOOK_EVERY_MS = NODE_LEASE_MS / 5;
const RENEW_EVERY_MS = NODE_LEASE_MS / 5;

/** Another agent acts on this node now, or is about to. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

export interface TenureOptions {
  readonly files: LeaseFiles;
  readonly host: Host;
  readonly me: Holder;
  /** Of a process of this very boot and namespace: does it still run? */
  readonly isAlive: (mark: ProcessMark) => Promise<boolean>;
}

/**
 * Waits until the lease can be taken, and takes it. Throws the signal's reason.
 *
 * @param onWaiting called once, where somebody else holds it
 */
export async function acquireTenure(
  options: TenureOptions,
  signal: AbortSignal,
  onWaiting: () => void,
): Promise<Tenure> {
  const { files, host, me, isAlive } = options;
  let seen: Sighting | undefined;
  for (;;) {
    signal.throwIfAborted();
    const before = seen;
    seen = sight(before, await files.read(), host.monotonicMs());
    const { run } = seen.lease.holder ?? {};
    const isSeen = run !== undefined && (await isAlive(run));
    if (mayTake(seen, me, isSeen, host.monotonicMs())) {
      const sentAtMs = host.monotonicMs();
      const term = seen.lease.term + 1;
      const isOurs = await files.take({ term, holder: me, renewals: 0 });
      if (isOurs) return new Tenure(options, term, sentAtMs);
    }
    if (before === undefined) onWaiting();
    await host.sleep(LOOK_EVERY_MS, signal);
  }
}

export class Tenure {
  readonly #options: TenureOptions;
  readonly #ended = new AbortController();
  #term: number;
  #renewals = 0;
  #untilMs: number;
  #renewing: Promise<void> | undefined;
  #handing: Promise<unknown> | undefined;

  constructor(options: TenureOptions, term: number, sentAtMs: number) {
    this.#options = options;
    this.#term = term;
    this.#untilMs = sentAtMs + NODE_LEASE_MS;
  }

  get term(): number {
    return this.#term;
  }

  /** Aborted as soon as this agent may act no more, with a {@link LeaseLost}. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Before whatever must not be done by two: throws {@link LeaseLost} unless the lease is held at this moment. */
  async assertHeld(): Promise<void> {
    if (this.#options.host.monotonicMs() >= this.#untilMs) await this.#renew();
    this.#ended.signal.throwIfAborted();
  }

  /** Renews until the lease is lost or the signal says to stop. */
  async keep(signal: AbortSignal): Promise<void> {
    const ending = AbortSignal.any([signal, this.signal]);
    while (!ending.aborted) {
      await this.#options.host.sleep(RENEW_EVERY_MS, ending).catch(() => {});
      // A disk that is full for a moment: the term runs on, and whoever is about to act is told.
      if (!ending.aborted) await this.#renew().catch(() => {});
    }
  }

  /** Names who holds it next. From here on this agent does nothing; it takes the lease again if that one does not. */
  async handOver(container: string): Promise<void> {
    await this.assertHeld();
    await this.#end(`the node's lease was handed over to the container ${container}`);
    this.#handing = this.#options.files.take({ term: this.#term + 1, holder: { container }, renewals: 0 });
    await this.#handing;
  }

  /** Gives it back, so that the next one need not wait for its end. Nothing of it is being written any more once it resolves. */
  async release(): Promise<void> {
    const isOurs = !this.signal.aborted && this.#options.host.monotonicMs() < this.#untilMs;
    await this.#end("the node's lease was given back");
    await this.#handing?.catch(() => {});
    if (!isOurs) return;
    const { files, me } = this.#options;
    await files.take({ term: this.#term + 1, holder: me, renewals: 0, released: true });
  }

  /** One at a time, as two would write the same draft. */
  async #renew(): Promise<void> {
    this.#renewing ??= this.#renewOnce().finally(() => {
      this.#renewing = undefined;
    });
    await this.#renewing;
  }

  async #renewOnce(): Promise<void> {
    if (this.signal.aborted) return;
    const { files, host, me } = this.#options;
    const sentAtMs = host.monotonicMs();
    const term = this.#term;
    if (sentAtMs < this.#untilMs) {
      this.#renewals += 1;
      if (!(await files.renew({ term, holder: me, renewals: this.#renewals }))) return this.#lose();
      // What ended later than the term might have, a rival need not have seen.
      if (host.monotonicMs() < this.#untilMs) {
        this.#untilMs = sentAtMs + NODE_LEASE_MS;
        return;
      }
    }
    if (!this.signal.aborted) await this.#takeNext();
  }

  async #takeNext(): Promise<void> {
    const { files, host, me } = this.#options;
    const sentAtMs = host.monotonicMs();
    const term = this.#term + 1;
    if (!(await files.take({ term, holder: me, renewals: 0 }))) return this.#lose();
    this.#term = term;
    this.#renewals = 0;
    this.#untilMs = sentAtMs + NODE_LEASE_MS;
  }

  #lose(): void {
    this.#ended.abort(new LeaseLost("another agent has taken the node's lease"));
  }

  /** Nothing is being written any more once it resolves. */
  async #end(why: string): Promise<void> {
    this.#ended.abort(new LeaseLost(why));
    await this.#renewing?.catch(() => {});
  }
}
