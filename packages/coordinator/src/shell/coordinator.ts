/** A coordinator's life: connect, ensure the bus's layout, wait for the lease, lead, and again. */

import { systemHost } from '@swell/shared/adapters/host.ts';
import { createLogger } from '@swell/shared/adapters/logger.ts';
import { connectNats, type NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import { createRegistry } from '@swell/shared/adapters/registry.ts';
import { startStatusServer } from '@swell/shared/shell/status-server.ts';
import { VERSION } from '@swell/shared/shell/version.ts';
import { HttpPrometheus } from '../adapters/prometheus.ts';
import type { CoordinatorConfig } from './config.ts';
import { notifications, readToken } from './hints.ts';
import { Layout } from './layout.ts';
import { CoordinatorMetrics } from './metrics.ts';
import { serveTerms } from './terms.ts';

/** Runs until the signal aborts. Throws where going on makes no sense: refused by the bus, the status port taken. */
export async function runCoordinator(config: CoordinatorConfig, signal: AbortSignal): Promise<void> {
  const { scope } = config;
  const inScope = scope === undefined ? {} : { scope };
  const logger = createLogger({ name: 'coordinator', level: config.logLevel }).child(inScope);
  const metrics = new CoordinatorMetrics(VERSION, scope);
  let reason: string | undefined = 'it is not connected to the bus yet';
  let bus: NatsBus | undefined;
  const { notificationsTokenFile: file } = config;
  await using _status = await startStatusServer({
    ...config.status,
    live: () => true,
    ready: () => {
      const why = bus?.connection === 'disconnected' ? 'the bus is out of reach' : reason;
      return why === undefined ? { ready: true } : { ready: false, reason: why };
    },
    metrics: () => metrics.registry.metrics(),
    contentType: metrics.registry.contentType,
    ...(file !== undefined && { posts: notifications(readToken(file), () => bus, logger) }),
  });
  await using connected = await connectNats({
    ...config.bus,
    firstConnectTimeoutMs: Number.POSITIVE_INFINITY,
    signal,
    onNotice: ({ kind, ...notice }) => logger.warn({ notice: kind, ...notice }, 'bus notice'),
  });
  bus = connected;
  const layout = new Layout({ bus: connected, config, logger });
  await layout.ensure(signal);
  reason = undefined;
  layout
    .keep(signal)
    .catch((error: unknown) => logger.debug({ err: error }, 'the layout is looked after no more'));
  const registry = createRegistry({ insecureRegistries: config.insecureRegistries });
  const { name, leaseMs, pulseEveryMs } = config;
  const prometheus = config.prometheus && { prometheus: new HttpPrometheus(config.prometheus) };
  await serveTerms(
    {
      name,
      ...inScope,
      bus: connected,
      registry,
      ...prometheus,
      host: systemHost,
      logger,
      watcher: metrics,
      leaseMs,
      pulseEveryMs,
    },
    signal,
  );
}
