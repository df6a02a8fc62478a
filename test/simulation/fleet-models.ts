/** The programs of the simulated fleet: real coordinators and real agents, each in a process that can die. */

import type { AgentEvent } from '@swell/agent/core/events.ts';
import type { ServiceState as AgentState } from '@swell/agent/core/state.ts';
import { Agent } from '@swell/agent/shell/agent.ts';
import type { CoordinatorEvent } from '@swell/coordinator/core/events.ts';
import type { ServiceState as CoordinatorState } from '@swell/coordinator/core/state.ts';
import { serveTerms } from '@swell/coordinator/shell/terms.ts';
import { createLogger } from '@swell/shared/adapters/logger.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { Scope } from '@swell/shared/domain/scope.ts';
import type { Line } from './bus/line.ts';
import type { ModelServer } from './bus-model.ts';
import type { Chance } from './chance.ts';
import type { NodeModel } from './node-model.ts';
import { Process } from './process.ts';
import type { PrometheusModel } from './prometheus-model.ts';
import type { RegistryModel } from './registry-model.ts';
import type { VirtualTime } from './time.ts';

export const LATENCY_MS = 20;
/** Nodes behind a balancer, and how often that asks. */
const BALANCED = 0.5;
const CHECK_EVERY_MS = 2_000;
const silent = createLogger({ name: 'simulated', level: 'silent' });

export interface Ground {
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly server: ModelServer;
  /** Missing: coordinators know none. */
  readonly prometheus?: PrometheusModel;
  /** An agent has taken a step. */
  readonly onHandled: (node: NodeModel, event: AgentEvent, before: AgentState, after: AgentState) => void;
  /** A leading coordinator has taken one. */
  readonly onLed: (event: CoordinatorEvent, before: CoordinatorState) => void;
  /** A program ended by an error of its own: always a bug. */
  readonly onCrash: (name: string, error: unknown) => void;
}

export interface Running {
  readonly process: Process;
  /** Its way to the bus. */
  readonly line: Line;
  /** SIGTERM: resolves when it has ended in order. */
  stop(): Promise<void>;
  /** Its world is over: it dies, and lets go of whatever Node keeps for it. */
  abandon(): void;
}

export interface RunningAgent extends Running {
  readonly agent: Agent;
}

export function startAgent(ground: Ground, node: NodeModel, incarnation: number): RunningAgent {
  const name = `agent ${node.name}#${incarnation}`;
  const chance = ground.chance.fork(name);
  const process = new Process(name, ground.time, chance, node.skewMs);
  const stopping = new AbortController();
  const bus = ground.server.connect(process, { latencyMs: LATENCY_MS });
  const agent = new Agent({
    region: node.region,
    node: node.name,
    labels: node.labels,
    presenceEveryMs: 60_000,
    host: process.host,
    engine: node.engine(process),
    operator: node.operator(process),
    journals: node.journals(process),
    connectBus: async () => bus,
    logger: silent,
    onHandled: (_self, event, before, after) => {
      ground.onHandled(node, event, before, after);
      if (waitsForAsker(after) && before.phase.name !== after.phase.name) ask(after.self.service);
    },
  });
  const isBalanced = chance.happens(BALANCED);
  // What a balancer hears matters only then.
  const ask = (service: ServiceName): void => {
    if (!isBalanced || !agent.states().some(waitsForAsker)) return;
    agent.tellRotation(service);
    process.host.after(CHECK_EVERY_MS, () => ask(service));
  };
  const ended = agent.run(stopping.signal).then(
    () => agent[Symbol.asyncDispose](),
    (error: unknown) => process.isAlive && ground.onCrash(name, error),
  );
  return {
    process,
    line: bus.line,
    agent,
    async stop() {
      stopping.abort();
      await ended;
      process.kill();
    },
    abandon() {
      process.kill();
      stopping.abort();
    },
  };
}

function waitsForAsker({ phase }: AgentState): boolean {
  return phase.name === 'draining' || phase.name === 'rejoining';
}

export function startCoordinator(
  ground: Ground,
  registry: RegistryModel,
  name: string,
  incarnation: number,
  scope?: Scope,
): Running {
  const itself = `${name}#${incarnation}`;
  const chance = ground.chance.fork(itself);
  const process = new Process(itself, ground.time, chance, chance.between(-3_600_000, 3_600_000));
  const stopping = new AbortController();
  const bus = ground.server.connect(process, { latencyMs: LATENCY_MS });
  const ended = (async () => {
    await serveTerms(
      {
        name: itself,
        ...(scope !== undefined && { scope }),
        bus,
        registry: registry.seenBy(process),
        ...(ground.prometheus !== undefined && { prometheus: ground.prometheus.seenBy(process) }),
        host: process.host,
        logger: silent,
        watcher: {
          watch: () => {},
          handled: (_service, event, before) => ground.onLed(event, before),
          rejected: () => {},
          leads: () => {},
        },
        leaseMs: 10_000,
        pulseEveryMs: 10_000,
      },
      stopping.signal,
    );
  })().catch((error: unknown) => process.isAlive && ground.onCrash(name, error));
  return {
    process,
    line: bus.line,
    async stop() {
      stopping.abort();
      await ended;
      process.kill();
    },
    abandon() {
      process.kill();
      stopping.abort();
    },
  };
}
