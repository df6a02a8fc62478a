/** The engine that an agent works on, which containers of it are its own, and which of them it lives in. */

import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '@swell/shared/adapters/clock.ts';
import type { Logger } from '@swell/shared/adapters/logger.ts';
import { isName } from '@swell/shared/domain/names.ts';
import Docker from 'dockerode';
import {
  COMPOSE_PROJECT_LABEL,
  DockerEngine,
  type DockerEngineOptions,
  type Scope,
  STACK_LABEL,
} from '../adapters/docker/docker-engine.ts';
import { Dockerd } from '../adapters/docker/dockerd.ts';
import { SERVICE_LABEL } from '../adapters/docker/memo.ts';
import { type Acting, type Own, SelfEngine } from '../adapters/docker/self/self-engine.ts';
import { guard } from '../adapters/docker/swap/guard.ts';
import { DockerMeter } from '../adapters/docker/watch/docker-meter.ts';
import type { Engine } from '../adapters/engine.ts';
import { MemoryEngine, MemoryNode } from '../adapters/memory-engine.ts';
import { MemoryMeter } from '../adapters/memory-meter.ts';
import { keepMemoryStatus, MEMORY_STATUS_FILE } from '../adapters/memory-status.ts';
import type { Meter } from '../adapters/meter.ts';
import { ownContainerId } from '../adapters/own-process.ts';
import type { AgentConfig, MemoryMachine } from './config.ts';

const RETRY_MS = 2_000;

/** An agent that lost its node's lease opens another one when it acts again. */
export interface EngineSource {
  /** The id of the container that this process runs in. */
  readonly container?: string;
  open(acting: Acting): Engine;
  /** Of one that stands by: it looks, and does nothing. */
  openToLook(): Engine;
  /** Tells what the containers take, whoever acts. */
  readonly meter: Meter;
}

/** Waits for a dockerd that is silent: which containers are this agent's own is not to be guessed. */
export async function openEngine(
  config: AgentConfig,
  logger: Logger,
  signal: AbortSignal,
): Promise<EngineSource> {
  if (config.engine.kind === 'memory') return memoryEngine(config.engine, config.stateDir);
  const docker = new Docker();
  const container = config.container ?? (await ownContainerId());
  const dockerd = new Dockerd(docker);
  const labels = await labelsOf(dockerd, container ?? hostname(), logger, signal);
  const scope = scopeIn(config) ?? projectIn(labels);
  const onConcern = (concern: string): void => logger.warn({ concern }, 'engine notice');
  const { diskReserve, stateDir } = config;
  const options = {
    docker,
    diskReserve,
    onConcern,
    ...(scope !== undefined && { scope }),
    ...(container !== undefined && { ownContainer: container }),
  };
  const own = container === undefined ? undefined : ownIn(container, labels, scope);
  const look = (): DockerEngine => new DockerEngine(options satisfies DockerEngineOptions);
  return {
    ...(container !== undefined && { container }),
    open(acting) {
      const engine = new DockerEngine({ ...options, onStep: guard(acting) });
      if (own === undefined) return engine;
      return new SelfEngine({ engine, dockerd, own, stateDir, acting, ...systemClock });
    },
    openToLook: look,
    meter: new DockerMeter(docker, dockerd, look()),
  };
}

/** Its machine lives as long as the agent; what it runs stands in a file of the state directory. */
function memoryEngine({ containers, sick, workMs }: MemoryMachine, stateDir: string): EngineSource {
  const running = Object.entries(containers).map(([service, digest]) => [service, { up: true, digest }]);
  const node = new MemoryNode(Object.fromEntries(running));
  for (const digest of sick) node.ailments.sick.add(digest);
  keepMemoryStatus(node, join(stateDir, MEMORY_STATUS_FILE));
  const open = (): Engine => new MemoryEngine(node, () => delay(workMs));
  return { open, openToLook: open, meter: new MemoryMeter(node) };
}

function scopeIn({ scope: { stack, project } }: AgentConfig): Scope | undefined {
  if (stack !== undefined) return { label: STACK_LABEL, value: stack };
  return project === undefined ? undefined : { label: COMPOSE_PROJECT_LABEL, value: project };
}

type Labels = Readonly<Record<string, string>>;

/** The Compose project that this agent runs in; undefined: every container with a service's label is its own. */
function projectIn({ [COMPOSE_PROJECT_LABEL]: value }: Labels): Scope | undefined {
  return value === undefined ? undefined : { label: COMPOSE_PROJECT_LABEL, value };
}

/** Undefined: it is no service of its own node, and is updated by hand. */
function ownIn(id: string, labels: Labels, scope: Scope | undefined): Own | undefined {
  const { [SERVICE_LABEL]: service = '' } = labels;
  const isInScope = scope === undefined || labels[scope.label] === scope.value;
  return isInScope && isName(service) ? { id, service } : undefined;
}

/**
 * Of the container that this agent runs in. Where its id cannot be seen it is asked for by its host name, which is its short
 * id unless somebody set another one.
 */
async function labelsOf(
  dockerd: Dockerd,
  name: string,
  logger: Logger,
  signal: AbortSignal,
): Promise<Labels> {
  for (;;) {
    try {
      // Undefined: not in a container, or in one of another dockerd.
      return (await dockerd.container(name))?.Config.Labels ?? {};
    } catch (error) {
      logger.warn({ err: error }, 'the engine does not answer');
      await delay(RETRY_MS, undefined, { signal });
    }
  }
}
