/** The leader's pulse: every now and then, and soon after an order has changed. */

import type { Bus } from '@swell/shared/adapters/bus.ts';
import type { Host } from '@swell/shared/adapters/host.ts';
import type { Logger } from '@swell/shared/adapters/logger.ts';
import type { Region, ServiceName } from '@swell/shared/domain/names.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import type { Pulse } from '@swell/shared/protocol/pulse.ts';
import { pulseSubject } from '@swell/shared/protocol/subjects.ts';
import { isVouchedFor } from '../core/orders.ts';
import type { Term } from './leadership.ts';
import type { Services } from './services.ts';

const SOON_MS = 50;

export interface PulseOptions {
  readonly bus: Bus;
  readonly host: Host;
  readonly term: Term;
  readonly logger: Logger;
  readonly everyMs: number;
}

export class PulseSender {
  readonly #options: PulseOptions;
  readonly #services: Services;
  /** What calls off the pulse that is due soon. */
  #callOff: (() => void) | undefined;

  constructor(options: PulseOptions, services: Services) {
    this.#options = options;
    this.#services = services;
  }

  async run(ending: AbortSignal): Promise<void> {
    const { host, everyMs } = this.#options;
    while (!ending.aborted) {
      this.#send();
      await host.sleep(everyMs, ending);
    }
  }

  /** An order has changed: whoever missed it should learn that he did. */
  soon(): void {
    this.#callOff ??= this.#options.host.after(SOON_MS, () => {
      this.#callOff = undefined;
      this.#send();
    });
  }

  close(): void {
    this.#callOff?.();
  }

  /** B13. Only who surely leads stands behind the waves. */
  #send(): void {
    const { bus, term, logger } = this.#options;
    if (!term.isHeld) return;
    for (const [region, orders] of this.#standing()) {
      const pulse: Pulse = { term: term.number, orders };
      const line = `${region}: term ${term.number}, ${Object.keys(orders).length} services`;
      try {
        bus.broadcast(pulseSubject(region), encode(pulse), line);
      } catch (error) {
        logger.debug({ err: error, region }, 'no pulse');
      }
    }
  }

  /** By region, the revisions of every service's orders. */
  #standing(): ReadonlyMap<Region, Pulse['orders']> {
    const regions = new Map<Region, Record<ServiceName, Pulse['orders'][ServiceName]>>();
    for (const [service, { state }] of this.#services.machines) {
      for (const [region, { revision }] of state.waves) {
        if (!isVouchedFor(state, region)) continue;
        const orders = regions.get(region) ?? {};
        orders[service] = { wave: revision, halt: state.halt.revision };
        regions.set(region, orders);
      }
    }
    return regions;
  }
}
