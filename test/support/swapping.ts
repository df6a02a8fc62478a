/** What an agent's core orders of its engine in a swap, for tests that have an engine and no agent. */

import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { DockerEngine } from '../../packages/agent/src/adapters/docker/docker-engine.ts';
import { WEB_PORT } from './docker.ts';

const PATIENCE_MS = 60_000;
const HEALTH = { kind: 'http', port: WEB_PORT, path: '/health' } as const;

/** One container has gone over, and so many are left: it is found well, and the next one follows; or all go back. */
export async function goOn(engine: DockerEngine, service: ServiceName, left: number): Promise<void> {
  if (!(await isWell(engine, service))) return engine.undoSwap(service);
  if (left > 0) return goOn(engine, service, await engine.cutOver(service, left - 1));
  return engine.commitSwap(service);
}

/** What its container says of itself. Its server listens a moment after the container runs. */
export async function isWell(engine: DockerEngine, service: ServiceName): Promise<boolean> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const { healthy, seen } = await engine.probe(service, HEALTH, PATIENCE_MS);
    if (!seen.includes('ECONNREFUSED') || performance.now() > deadline) return healthy;
    await delay(20);
  }
}

/** What an agent does with what it finds after a start. */
export async function recover(engine: DockerEngine, service: ServiceName): Promise<void> {
  const { swap } = await engine.observe(service);
  if (swap === undefined) return;
  if (swap.progress === 'prepared') return engine.undoSwap(service);
  if (swap.progress === 'committed') return engine.commitSwap(service);
  await goOn(engine, service, swap.left ?? 0);
}
