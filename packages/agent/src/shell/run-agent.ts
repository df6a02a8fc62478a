/** The agent as a program: its logger, its journal, its status port, and the bus that it was told of. */

import { systemHost } from '@swell/shared/adapters/host.ts';
import { createLogger } from '@swell/shared/adapters/logger.ts';
import { connectNats } from '@swell/shared/adapters/nats-bus.ts';
import { startStatusServer } from '@swell/shared/shell/status-server.ts';
import { VERSION } from '@swell/shared/shell/version.ts';
import type { Engine } from '../adapters/engine.ts';
import { FileJournals } from '../adapters/journal.ts';
import { OperatorFile } from '../adapters/operator.ts';
import { Agent } from './agent.ts';
import type { AgentConfig } from './config.ts';
import { AgentMetrics } from './metrics.ts';
import { rotationPaths, startAgentCheck } from './rotation.ts';

/** Runs until the signal aborts and every service has come to rest. */
export async function runAgent(config: AgentConfig, engine: Engine, signal: AbortSignal): Promise<void> {
  const { region, node, labels, presenceEveryMs } = config;
  const logger = createLogger({ name: 'agent', level: config.logLevel }).child({ node });
  const metrics: AgentMetrics = new AgentMetrics(VERSION, () => agent, systemHost);
  await using agent: Agent = new Agent({
    region,
    node,
    labels,
    presenceEveryMs,
    host: systemHost,
    engine,
    operator: new OperatorFile(config.policyFile),
    journals: await FileJournals.open(config.stateDir),
    connectBus: (ending) =>
      connectNats({
        ...config.bus,
        firstConnectTimeoutMs: Number.POSITIVE_INFINITY,
        signal: ending,
        onNotice: ({ kind, ...notice }) => logger.warn({ notice: kind, ...notice }, 'bus notice'),
      }),
    logger,
    onHandled: (...handled) => metrics.handled(...handled),
  });
  await using _status = await startStatusServer({
    ...config.status,
    live: () => true,
    ready: () => agent.readiness(),
    metrics: () => metrics.registry.metrics(),
    contentType: metrics.registry.contentType,
    more: rotationPaths(agent),
  });
  await using _check =
    config.agentCheckPort === undefined
      ? undefined
      : await startAgentCheck({ host: config.status.host, port: config.agentCheckPort, agent });
  await agent.run(signal);
}
