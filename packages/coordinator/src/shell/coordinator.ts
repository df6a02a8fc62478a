/** A coordinator's life: connect, ensure the bus's layout, wait for the lease, lead, and again. */

import { ensureTopology } from '@swell/shared/adapters/ensure-topology.ts';
import { systemHost } from '@swell/shared/adapters/host.ts';
import { createLogger, type Logger } from '@swell/shared/adapters/logger.ts';
import { connectNats, type NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import { startStatusServer } from '@swell/shared/shell/status-server.ts';
import { VERSION } from '@swell/shared/shell/version.ts';
import { createRegistry } from '../adapters/registry.ts';
import type { CoordinatorConfig } from './config.ts';
import { CoordinatorMetrics } from './metrics.ts';
import { serveTerms } from './terms.ts';

/** Runs until the signal aborts. Throws where going on makes no sense: refused by the bus, the status port taken. */
export async function runCoordinator(config: CoordinatorConfig, signal: AbortSignal): Promise<void> {
  const logger = createLogger({ name: 'coordinator', level: config.logLevel });
  const metrics = new CoordinatorMetrics(VERSION);
  let reason: string | undefined = 'it is not connected to the bus yet';
  let bus: NatsBus | undefined;
  await using _status = await startStatusServer({
    ...config.status,
    live: () => true,
    ready: () => {
      const why = bus?.connection === 'disconnected' ? 'the bus is out of reach' : reason;
      return why === undefined ? { ready: true } : { ready: false, reason: why };
    },
    metrics: () => metrics.registry.metrics(),
    contentType: metrics.registry.contentType,
  });
  await using connected = await connectNats({
    ...config.bus,
    firstConnectTimeoutMs: Number.POSITIVE_INFINITY,
    signal,
    onNotice: ({ kind, ...notice }) => logger.warn({ notice: kind, ...notice }, 'bus notice'),
  });
  bus = connected;
  await ensureLayout(connected, config, logger, signal);
  reason = undefined;
  const registry = createRegistry({ insecureRegistries: config.insecureRegistries });
  const { name, leaseMs, pulseEveryMs } = config;
  await serveTerms(
    { name, bus: connected, registry, host: systemHost, logger, watcher: metrics, leaseMs, pulseEveryMs },
    signal,
  );
}

/** The bus's layout as `nats/` describes it; what differs is a warning that names the field. */
async function ensureLayout(
  bus: NatsBus,
  config: CoordinatorConfig,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const { replicas, monitoringUrls } = config;
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
      await systemHost.sleep(2_000, signal);
    }
  }
}
