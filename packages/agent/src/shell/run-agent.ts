/** The agent as a program: its logger, its journal, its status port, the bus that it was told of, and the node's lease. */

import { systemHost } from '@swell/shared/adapters/host.ts';
import { createLogger } from '@swell/shared/adapters/logger.ts';
import { connectNats } from '@swell/shared/adapters/nats-bus.ts';
import type { Rotation } from '@swell/shared/domain/traffic.ts';
import { startStatusServer } from '@swell/shared/shell/status-server.ts';
import { VERSION } from '@swell/shared/shell/version.ts';
import { FileJournals } from '../adapters/journal.ts';
import { LeaseFiles } from '../adapters/lease-files.ts';
import { OperatorFile } from '../adapters/operator.ts';
import { isAlive, ownProcessMark } from '../adapters/own-process.ts';
import type { Holder } from '../core/node-lease.ts';
import type { Agent } from './agent.ts';
import type { AgentConfig } from './config.ts';
import { ContainerMetrics } from './container-metrics.ts';
import { ContainerWatch } from './measurements.ts';
import { AgentMetrics } from './metrics.ts';
import type { EngineSource } from './open-engine.ts';
import { rotationPaths, startAgentCheck } from './rotation.ts';
import type { Standby } from './standby.ts';
import { takeTurns } from './taking-turns.ts';

/** Runs until the signal aborts and every service has come to rest. */
export async function runAgent(
  config: AgentConfig,
  source: EngineSource,
  signal: AbortSignal,
): Promise<void> {
  const { region, node, labels, presenceEveryMs, stateDir } = config;
  const logger = createLogger({ name: 'agent', level: config.logLevel }).child({ node });
  const journals = await FileJournals.open(stateDir);
  const me = await holderHere(source);
  const files = await LeaseFiles.open(stateDir, `${me.container?.slice(0, 12) ?? 'process'}.${process.pid}`);
  let current: Agent | Standby | undefined;
  const told = {
    get isConnected() {
      return current?.isConnected ?? false;
    },
    get serviceNames() {
      return current?.serviceNames ?? [];
    },
    states: () => current?.states() ?? [],
    tellRotation: (service: string): Rotation | undefined => current?.tellRotation(service),
    readiness: () => current?.readiness() ?? { ready: false, reason: 'it has just begun' },
  };
  const metrics = new AgentMetrics(VERSION, () => told, systemHost);
  const containers = new ContainerMetrics([metrics.registry], region);
  const watch = new ContainerWatch(source.meter, systemHost);
  await using _status = await startStatusServer({
    ...config.status,
    live: () => true,
    ready: () => told.readiness(),
    metrics: async () => {
      containers.show(await watch.read(told.serviceNames), told.states());
      return metrics.registry.metrics();
    },
    contentType: metrics.registry.contentType,
    more: rotationPaths(told),
  });
  await using _check =
    config.agentCheckPort === undefined
      ? undefined
      : await startAgentCheck({ host: config.status.host, port: config.agentCheckPort, agent: told });

  await takeTurns(
    {
      region,
      node,
      labels,
      presenceEveryMs,
      host: systemHost,
      logger,
      operator: new OperatorFile(config.policyFile),
      onHandled: (...handled) => metrics.handled(...handled),
      files,
      me,
      isAlive,
      journals,
      source,
      connectBus: (ending, firstConnectTimeoutMs) =>
        connectNats({
          ...config.bus,
          firstConnectTimeoutMs,
          signal: ending,
          onNotice: ({ kind, ...notice }) => logger.warn({ notice: kind, ...notice }, 'bus notice'),
        }),
      onTurn: (next) => {
        current = next;
      },
    },
    signal,
  );
}

async function holderHere({ container }: EngineSource): Promise<Holder> {
  const mark = await ownProcessMark();
  return { ...(container !== undefined && { container }), ...(mark !== undefined && { run: mark }) };
}
