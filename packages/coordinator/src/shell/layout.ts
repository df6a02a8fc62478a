/** The bus's layout as `nats/` describes it: made when it is missing, whenever that is. */

import { ensureTopology } from '@swell/shared/adapters/ensure-topology.ts';
import { systemHost } from '@swell/shared/adapters/host.ts';
import type { Logger } from '@swell/shared/adapters/logger.ts';
import type { NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import type { CoordinatorConfig } from './config.ts';

const RETRY_MS = 2_000;

/** Returns once everything is there. What differs is a warning that names the field. */
export async function ensureLayout(
  bus: NatsBus,
  { replicas, monitoringUrls }: Pick<CoordinatorConfig, 'replicas' | 'monitoringUrls'>,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      const report = await ensureTopology(bus, {
        monitoringUrls,
        ...(replicas !== undefined && { replicas }),
      });
      for (const stream of report.created) logger.info({ stream }, 'stream made');
      for (const drift of report.drift) logger.warn(drift, 'stream differs from its definition');
      for (const concern of report.concerns) logger.warn({ concern }, 'server is not as it should be');
      return;
    } catch (error) {
      logger.warn({ err: error }, 'the layout of the bus cannot be ensured yet');
      await systemHost.sleep(RETRY_MS, signal);
    }
  }
}

/**
 * Looks again after every reconnect: a single server that was restarted has lost the streams that it held in memory,
 * and the term of whoever leads may outlive the restart.
 */
export async function keepLayout(
  bus: NatsBus,
  config: CoordinatorConfig,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  for await (const state of bus.connectionChanges()) {
    if (signal.aborted) return;
    if (state === 'connected') await ensureLayout(bus, config, logger, signal);
  }
}
