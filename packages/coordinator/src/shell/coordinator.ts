/** A coordinator's life: connect, ensure the bus's layout, wait for the lease, lead, and again. */

import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '@swell/shared/adapters/clock.ts';
import { ensureTopology } from '@swell/shared/adapters/ensure-topology.ts';
import { createLogger, type Logger } from '@swell/shared/adapters/logger.ts';
import { connectNats, type NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import { startStatusServer } from '@swell/shared/shell/status-server.ts';
import { VERSION } from '@swell/shared/shell/version.ts';
import { createRegistry, type Registry } from '../adapters/registry.ts';
import type { CoordinatorConfig } from './config.ts';
import { lead } from './leader.ts';
import { acquireLeadership } from './leadership.ts';
import { CoordinatorMetrics } from './metrics.ts';

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
  while (!signal.aborted) await serveOneTerm(connected, registry, config, metrics, logger, signal);
}

async function serveOneTerm(
  bus: NatsBus,
  registry: Registry,
  config: CoordinatorConfig,
  metrics: CoordinatorMetrics,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const { name, leaseMs, pulseEveryMs } = config;
  const leadership = { bus, clock: systemClock, coordinator: name, leaseMs };
  try {
    const term = await acquireLeadership(leadership, signal);
    logger.info({ term: term.number, coordinator: name }, 'lease taken');
    metrics.leads(true);
    await lead({ bus, registry, term, logger, metrics, pulseEveryMs }, signal);
  } catch (error) {
    if (signal.aborted) return;
    logger.error({ err: error }, 'term failed');
    await delay(leaseMs / 5, undefined, { signal }).catch(() => {});
  } finally {
    metrics.leads(false);
  }
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
      await delay(2_000, undefined, { signal });
    }
  }
}
