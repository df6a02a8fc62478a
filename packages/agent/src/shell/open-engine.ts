/** The engine that an agent works on, and which containers of it are its own. */

import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@swell/shared/adapters/logger.ts';
import Docker from 'dockerode';
import {
  COMPOSE_PROJECT_LABEL,
  DockerEngine,
  type Scope,
  STACK_LABEL,
} from '../adapters/docker/docker-engine.ts';
import { statusOf } from '../adapters/docker/dockerd.ts';
import type { Engine } from '../adapters/engine.ts';
import { MemoryEngine, MemoryNode } from '../adapters/memory-engine.ts';
import { keepMemoryStatus, MEMORY_STATUS_FILE } from '../adapters/memory-status.ts';
import type { AgentConfig, MemoryMachine } from './config.ts';

const RETRY_MS = 2_000;

/** Waits for a dockerd that is silent: which containers are this agent's own is not to be guessed. */
export async function openEngine(config: AgentConfig, logger: Logger, signal: AbortSignal): Promise<Engine> {
  if (config.engine.kind === 'memory') return memoryEngine(config.engine, config.stateDir);
  const docker = new Docker();
  const scope = scopeIn(config) ?? (await ownProject(docker, logger, signal));
  const onConcern = (concern: string): void => logger.warn({ concern }, 'engine notice');
  const { diskReserve } = config;
  return new DockerEngine({ docker, diskReserve, onConcern, ...(scope !== undefined && { scope }) });
}

/** Its machine lives as long as the agent; what it runs stands in a file of the state directory. */
function memoryEngine({ containers, sick, workMs }: MemoryMachine, stateDir: string): Engine {
  const running = Object.entries(containers).map(([service, digest]) => [service, { up: true, digest }]);
  const node = new MemoryNode(Object.fromEntries(running));
  for (const digest of sick) node.ailments.sick.add(digest);
  keepMemoryStatus(node, join(stateDir, MEMORY_STATUS_FILE));
  return new MemoryEngine(node, () => delay(workMs));
}

function scopeIn({ scope: { stack, project } }: AgentConfig): Scope | undefined {
  if (stack !== undefined) return { label: STACK_LABEL, value: stack };
  return project === undefined ? undefined : { label: COMPOSE_PROJECT_LABEL, value: project };
}

/**
 * The Compose project that this agent runs in; undefined: every container with a service's label is its own. A container's
 * host name is its short id, unless somebody set another one.
 */
async function ownProject(docker: Docker, logger: Logger, signal: AbortSignal): Promise<Scope | undefined> {
  for (;;) {
    try {
      const { Config } = await docker.getContainer(hostname()).inspect();
      const { [COMPOSE_PROJECT_LABEL]: value } = Config.Labels;
      return value === undefined ? undefined : { label: COMPOSE_PROJECT_LABEL, value };
    } catch (error) {
      // Not in a container, or one of another dockerd.
      if (statusOf(error) === 404) return undefined;
      logger.warn({ err: error }, 'the engine does not answer');
      await delay(RETRY_MS, undefined, { signal });
    }
  }
}
