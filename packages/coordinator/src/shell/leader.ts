/** One term of leading: reads the bus, then keeps every service going until the lease is lost or the program ends. */

import type { Bus } from '@swell/shared/adapters/bus.ts';
import type { Host } from '@swell/shared/adapters/host.ts';
import type { Logger } from '@swell/shared/adapters/logger.ts';
import type { Registry } from '@swell/shared/adapters/registry.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { Prometheus } from '../adapters/prometheus.ts';
import type { CoordinatorEvent } from '../core/events.ts';
import type { ServiceState } from '../core/state.ts';
import { Hearing } from './hearing.ts';
import { hearHints } from './hints.ts';
import type { Term } from './leadership.ts';
import { PulseSender } from './pulse-sender.ts';
import { Questions } from './questions.ts';
import { type ServiceMachine, Services } from './services.ts';
import { Territory } from './territory.ts';

/** Whoever counts what a leader does. */
export interface LeaderWatcher {
  watch(machines: () => ReadonlyMap<ServiceName, ServiceMachine>, nowMs: () => number): void;
  handled(service: ServiceName, event: CoordinatorEvent, before: ServiceState, after: ServiceState): void;
  rejected(): void;
}

export interface LeaderOptions {
  readonly bus: Bus;
  readonly registry: Registry;
  readonly prometheus?: Prometheus;
  readonly term: Term;
  readonly logger: Logger;
  readonly host: Host;
  readonly watcher: LeaderWatcher;
  readonly pulseEveryMs: number;
}

const TICK_MS = 1_000;

/** Leads until the term ends or the signal aborts. */
export async function lead(options: LeaderOptions, signal: AbortSignal): Promise<void> {
  const { term, logger } = options;
  const ending = AbortSignal.any([signal, term.signal]);
  const leader = new Leader(options);
  let reason: unknown;
  try {
    await Promise.all([leader.run(ending), term.keep(ending)]);
  } catch (error) {
    if (!ending.aborted) {
      reason = error;
      throw error;
    }
  } finally {
    leader.close();
    reason ??= signal.aborted ? 'the program ends' : term.signal.reason;
    const why = reason instanceof Error ? reason.message : reason;
    logger.info({ term: term.number, reason: why }, 'term ended');
    await term.resign();
  }
}

class Leader {
  readonly #options: LeaderOptions;
  readonly #territory: Territory;
  readonly #services: Services;
  readonly #hearing: Hearing;
  readonly #pulse: PulseSender;
  readonly #questions: Questions;

  constructor(options: LeaderOptions) {
    this.#options = options;
    const { term, watcher, pulseEveryMs } = options;
    const territory = new Territory(term.scope);
    this.#territory = territory;
    this.#services = new Services({
      ...options,
      territory,
      onHandled: (...handled) => watcher.handled(...handled),
      onOrderStored: () => this.#pulse.soon(),
    });
    this.#hearing = new Hearing(
      { ...options, territory, onRejected: () => watcher.rejected() },
      this.#services,
    );
    this.#pulse = new PulseSender({ ...options, everyMs: pulseEveryMs }, this.#services);
    this.#questions = new Questions({ ...options, territory }, this.#services);
    watcher.watch(
      () => this.#services.machines,
      () => term.nowMs(),
    );
  }

  async run(ending: AbortSignal): Promise<void> {
    const { term, logger } = this.#options;
    const pumps = await this.#hearing.readBus();
    const ended = new Promise<void>((resolve) =>
      ending.addEventListener('abort', () => resolve(), { once: true }),
    );
    if (this.#territory.isEmpty) {
      const { scope } = this.#territory;
      const remedy = `nats kv put swell_rollouts region.<region> '{"scope":"${scope}"}'`;
      logger.warn({ term: term.number, scope, remedy }, 'no region is of this scope: nothing is led');
      return Promise.race([Promise.all(pumps), ended]).then(() => undefined);
    }
    this.#services.busRead();
    this.#questions.open();
    logger.info({ term: term.number, services: this.#services.machines.size }, 'leading');
    const going = [
      ...pumps,
      this.#hearing.hearPeople(),
      hearHints(this.#options, this.#services, ending),
      this.#tick(ending),
      this.#pulse.run(ending),
    ];
    await Promise.race([Promise.all(going), ended]);
  }

  close(): void {
    this.#questions.close();
    this.#pulse.close();
    this.#hearing.close();
    this.#services.end();
  }

  async #tick(ending: AbortSignal): Promise<void> {
    while (!ending.aborted) {
      for (const machine of this.#services.machines.values()) void machine.post({ kind: 'time-passed' });
      await this.#options.host.sleep(TICK_MS, ending);
    }
  }
}
