/** The bus's layout as `nats/` describes it: made when it is missing, whenever that is. */

import { ensureTopology, firstSequence } from '@swell/shared/adapters/ensure-topology.ts';
import { systemHost } from '@swell/shared/adapters/host.ts';
import type { Logger } from '@swell/shared/adapters/logger.ts';
import type { NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import type { CoordinatorConfig } from './config.ts';

const RETRY_MS = 2_000;
const LOOK_EVERY_MS = 15_000;

export interface LayoutOptions {
  readonly bus: NatsBus;
  readonly config: Pick<CoordinatorConfig, 'replicas' | 'monitoringUrls'>;
  readonly logger: Logger;
  readonly lookEveryMs?: number;
}

export class Layout {
  readonly #options: LayoutOptions;
  /** What differs is told once, however often it is looked at. */
  readonly #told = new Set<string>();

  constructor(options: LayoutOptions) {
    this.#options = options;
  }

  /** Returns once everything is there. What differs is a warning that names the field. */
  async ensure(signal: AbortSignal): Promise<void> {
    const { bus, config, logger } = this.#options;
    const { monitoringUrls, replicas } = config;
    for (;;) {
      try {
        const given = replicas === undefined ? {} : { replicas };
        const { created, drift, concerns } = await ensureTopology(bus, {
          monitoringUrls,
          beginsAt: (stream) => firstSequence(stream, systemHost.wallMs()),
          ...given,
        });
        for (const stream of created) logger.info({ stream }, 'stream made');
        for (const one of drift) this.#warn(one, 'stream differs from its definition');
        for (const concern of concerns) this.#warn({ concern }, 'server is not as it should be');
        return;
      } catch (error) {
        logger.warn({ err: error }, 'the layout of the bus cannot be ensured yet');
        await systemHost.sleep(RETRY_MS, signal);
      }
    }
  }

  /**
   * Looks again after every reconnect, since a single server that was restarted has lost the streams that it held in
   * memory, and now and then: a bucket that somebody deletes would be missed by everybody, and cut nobody off.
   */
  async keep(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#keepAtReconnects(signal), this.#keepNowAndThen(signal)]);
  }

  async #keepAtReconnects(signal: AbortSignal): Promise<void> {
    for await (const state of this.#options.bus.connectionChanges()) {
      if (signal.aborted) return;
      if (state === 'connected') await this.ensure(signal);
    }
  }

  async #keepNowAndThen(signal: AbortSignal): Promise<void> {
    const { bus, lookEveryMs = LOOK_EVERY_MS } = this.#options;
    while (!signal.aborted) {
      await systemHost.sleep(lookEveryMs, signal);
      if (bus.connection === 'connected') await this.ensure(signal);
    }
  }

  #warn(fields: object, text: string): void {
    const said = JSON.stringify([text, fields]);
    if (this.#told.has(said)) return;
    this.#told.add(said);
    this.#options.logger.warn(fields, text);
  }
}
