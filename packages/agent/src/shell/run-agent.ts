/**
 * The agent as a program: its logger, its journal, its status port, the bus that it was told of, and the node's lease. It
 * acts while it holds that, and stands by while another one does.
 */

import type { Bus } from '@swell/shared/adapters/bus.ts';
import { systemHost } from '@swell/shared/adapters/host.ts';
import { createLogger } from '@swell/shared/adapters/logger.ts';
import { connectNats } from '@swell/shared/adapters/nats-bus.ts';
import { startStatusServer } from '@swell/shared/shell/status-server.ts';
import { VERSION } from '@swell/shared/shell/version.ts';
import { FileJournals, type Journals } from '../adapters/journal.ts';
import { LeaseFiles } from '../adapters/lease-files.ts';
import { OperatorFile } from '../adapters/operator.ts';
import { ownProcessMark } from '../adapters/own-process.ts';
import type { Holder } from '../core/node-lease.ts';
import { Agent } from './agent.ts';
import type { AgentConfig } from './config.ts';
import { ContainerMetrics } from './container-metrics.ts';
import { ContainerWatch } from './measurements.ts';
import { AgentMetrics } from './metrics.ts';
import type { EngineSource } from './open-engine.ts';
import { rotationPaths, startAgentCheck } from './rotation.ts';
import { Standby } from './standby.ts';
import { acquireTenure, type Tenure } from './tenure.ts';

/** One that stands by looks again. */
const PROOF_CONNECT_MS = 10_000;

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
  const connectBus = (ending: AbortSignal, firstConnectTimeoutMs: number): Promise<Bus> =>
    connectNats({
      ...config.bus,
      firstConnectTimeoutMs,
      signal: ending,
      onNotice: ({ kind, ...notice }) => logger.warn({ notice: kind, ...notice }, 'bus notice'),
    });
  const standby = (): Standby =>
    new Standby({
      host: systemHost,
      logger,
      openToLook: () => source.openToLook(),
      journals,
      connectBus: (ending) => connectBus(ending, PROOF_CONNECT_MS),
      say: async (word) => {
        if (me.container !== undefined) await files.saveStandbyWord(me.container, word);
      },
    });
  let current: Agent | Standby = standby();
  const metrics = new AgentMetrics(VERSION, () => current, systemHost);
  const containers = new ContainerMetrics([metrics.registry], region);
  const watch = new ContainerWatch(source.meter, systemHost);
  const told = {
    get serviceNames() {
      return current.serviceNames;
    },
    tellRotation: (service: string) => current.tellRotation(service),
  };
  await using _status = await startStatusServer({
    ...config.status,
    live: () => true,
    ready: () => current.readiness(),
    metrics: async () => {
      containers.show(await watch.read(current.serviceNames), current.states());
      return metrics.registry.metrics();
    },
    contentType: metrics.registry.contentType,
    more: rotationPaths(told),
  });
  await using _check =
    config.agentCheckPort === undefined
      ? undefined
      : await startAgentCheck({ host: config.status.host, port: config.agentCheckPort, agent: told });

  while (!signal.aborted) {
    const waiting = standby();
    current = waiting;
    const tenure = await standBy(waiting);
    logger.info({ term: tenure.term }, 'acts on its node');
    await act(tenure);
    // Only now nobody here does anything any more.
    await tenure.release();
  }

  async function standBy(waiting: Standby): Promise<Tenure> {
    const over = new AbortController();
    const proof = Promise.withResolvers<never>();
    try {
      const onWaiting = (): void => {
        const ending = AbortSignal.any([signal, over.signal]);
        waiting.prove(ending).catch((error: unknown) => ending.aborted || proof.reject(error));
      };
      const tenure = acquireTenure({ files, host: systemHost, me }, signal, onWaiting);
      return await Promise.race([tenure, proof.promise]);
    } finally {
      over.abort();
      if (me.container !== undefined) await files.forgetStandbyWord(me.container);
    }
  }

  async function act(tenure: Tenure): Promise<void> {
    await using agent: Agent = new Agent({
      region,
      node,
      labels,
      presenceEveryMs,
      host: systemHost,
      engine: source.open({
        assertHeld: () => tenure.assertHeld(),
        handOver: (container) => tenure.handOver(container),
        standbyWord: (container) => files.standbyWord(container),
        forgetStandbyWord: (container) => files.forgetStandbyWord(container),
        isOnBus: () => agent.isConnected,
        inTheMiddle: () => agent.inTheMiddle,
      }),
      operator: new OperatorFile(config.policyFile),
      journals: keptBy(tenure, journals),
      connectBus: (ending) => connectBus(ending, Number.POSITIVE_INFINITY),
      logger,
      onHandled: (...handled) => metrics.handled(...handled),
    });
    current = agent;
    const over = new AbortController();
    const kept = tenure.keep(over.signal);
    tenure.signal.addEventListener('abort', () => agent.abandon(tenure.signal.reason), { once: true });
    try {
      await agent.run(signal);
    } catch (error) {
      if (!tenure.signal.aborted) throw error;
      logger.warn({ reason: String(tenure.signal.reason) }, 'acts no more');
    } finally {
      over.abort();
      await kept;
    }
  }
}

async function holderHere({ container }: EngineSource): Promise<Holder> {
  const mark = await ownProcessMark();
  return { ...(container !== undefined && { container }), ...(mark !== undefined && { run: mark }) };
}

/** Nothing begins, and nothing is said, that was not saved by whoever acts. */
function keptBy(tenure: Tenure, journals: Journals): Journals {
  return {
    load: (service) => journals.load(service),
    async save(service, journal) {
      await tenure.assertHeld();
      await journals.save(service, journal);
    },
  };
}
