/** The engine that an agent works on, and which containers of it are its own. */

import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import {
  COMPOSE_PROJECT_LABEL,
  DockerEngine,
  type Scope,
  STACK_LABEL,
} from '../adapters/docker/docker-engine.ts';
import type { Engine } from '../adapters/engine.ts';
import { MemoryEngine, MemoryNode } from '../adapters/memory-engine.ts';
import { keepMemoryStatus, MEMORY_STATUS_FILE } from '../adapters/memory-status.ts';
import type { AgentConfig, MemoryMachine } from './config.ts';

/** @param onConcern told of what an operator ought to know */
export async function openEngine(config: AgentConfig, onConcern: (concern: string) => void): Promise<Engine> {
  if (config.engine.kind === 'memory') return memoryEngine(config.engine, config.stateDir);
  const docker = new Docker();
  const scope = await scopeOf(config, docker);
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

/** What was configured; else the Compose project that this agent runs in; else every container with a service's label. */
async function scopeOf({ scope }: AgentConfig, docker: Docker): Promise<Scope | undefined> {
  if (scope.stack !== undefined) return { label: STACK_LABEL, value: scope.stack };
  const project = scope.project ?? (await ownProject(docker));
  return project === undefined ? undefined : { label: COMPOSE_PROJECT_LABEL, value: project };
}

/** A container's host name is its short id, unless somebody set another one. */
async function ownProject(docker: Docker): Promise<string | undefined> {
  try {
    const { Config } = await docker.getContainer(hostname()).inspect();
    return Config.Labels[COMPOSE_PROJECT_LABEL];
  } catch {
    return undefined;
  }
}
