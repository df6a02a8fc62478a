/**
 * What the containers of a node take, measured when somebody asks for it, and not more often than it changes. Nobody waits
 * for an engine that hangs: he is told what was measured last, and nothing once that is old.
 */

import type { Host } from '@swell/shared/adapters/host.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { Measured, Meter } from '../adapters/meter.ts';

/** Two who ask at about the same time are told the same. */
const FRESH_MS = 2_000;
const WAIT_MS = 1_000;
/** A gate that is told what was so a minute ago would take it for what is so now. */
const KEPT_MS = 20_000;

export type Measurements = ReadonlyMap<ServiceName, readonly Measured[]>;

export class ContainerWatch {
  readonly #meter: Meter;
  readonly #host: Pick<Host, 'monotonicMs' | 'after'>;
  #kept: { readonly atMs: number; readonly all: Measurements } = {
    atMs: Number.NEGATIVE_INFINITY,
    all: new Map(),
  };
  #measuring: Promise<void> | undefined;

  constructor(meter: Meter, host: Pick<Host, 'monotonicMs' | 'after'>) {
    this.#meter = meter;
    this.#host = host;
  }

  async read(services: readonly ServiceName[]): Promise<Measurements> {
    if (this.#age() > FRESH_MS) {
      this.#measuring ??= this.#measure(services).finally(() => {
        this.#measuring = undefined;
      });
      await this.#atMost(WAIT_MS, this.#measuring);
    }
    return this.#age() <= KEPT_MS ? this.#kept.all : new Map();
  }

  #age(): number {
    return this.#host.monotonicMs() - this.#kept.atMs;
  }

  /** Of a service that the engine does not tell of nothing is known; of the others, what it tells. */
  async #measure(services: readonly ServiceName[]): Promise<void> {
    const { monotonicMs } = this.#host;
    const atMs = monotonicMs();
    const measured = await Promise.allSettled(
      services.map(async (service) => [service, await this.#meter.measure(service)] as const),
    );
    const all = new Map(measured.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])));
    if (all.size > 0 || services.length === 0) this.#kept = { atMs, all };
  }

  async #atMost(ms: number, work: Promise<void>): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const callOff = this.#host.after(ms, resolve);
    await Promise.race([work, late]);
    callOff();
  }
}
