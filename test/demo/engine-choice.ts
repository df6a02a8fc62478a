/** Real containers where they can be had and reached, else none at all: and why. */

import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { ensureDocker } from '../../scripts/setup/docker.ts';
import { ensureTools } from '../../scripts/setup/tools.ts';
import { buildLocalImage, removeByLabel, TEST_LABEL, testDocker, WEB_PORT } from '../support/docker.ts';

export type EngineChoice = { readonly kind: 'docker' } | { readonly kind: 'memory'; readonly reason: string };

const REACH_TIMEOUT_MS = 8_000;

/** Gets what either engine needs. Throws where the bus or the registry cannot be had: without them there is no fleet. */
export async function chooseEngine(
  { memory }: { readonly memory: boolean },
  say: (line: string) => void,
): Promise<EngineChoice> {
  // First: a tool may come out of an image.
  const docker = memory ? undefined : await ensureDocker(say);
  await ensureTools(['nats-server', 'nats', 'docker-registry'], say);
  if (docker === undefined) return { kind: 'memory', reason: 'as --memory asks' };
  if (!docker.available) return { kind: 'memory', reason: docker.reason };
  try {
    await ensureTools(['busybox'], say);
    await reachContainer(testDocker());
    return { kind: 'docker' };
  } catch (error) {
    return { kind: 'memory', reason: (error as Error).message.replaceAll(/\s*\n\s*/g, '; ') };
  }
}

/**
 * Agents ask containers at their own addresses. Where Docker runs in a machine of its own, as on a Mac, these lead
 * nowhere from here; better to know before than to see every release fail.
 */
async function reachContainer(docker: Docker): Promise<void> {
  const label = `reach-${process.pid}`;
  const repository = `swell-demo-${label}`;
  try {
    await buildLocalImage(docker, { repository, tag: 'look', version: 'look', label });
    const made = await docker.createContainer({
      Image: `${repository}:look`,
      Labels: { [TEST_LABEL]: label },
    });
    await made.start();
    const { NetworkSettings } = await made.inspect();
    const address = Object.values(NetworkSettings.Networks)[0]?.IPAddress;
    const late = AbortSignal.timeout(REACH_TIMEOUT_MS);
    while (!(await isReached(`http://${address}:${WEB_PORT}/`, late))) {
      if (late.aborted) throw new Error(`containers are not reached from here at their address (${address})`);
      await delay(100);
    }
  } finally {
    await removeByLabel(docker, label);
  }
}

async function isReached(address: string, signal: AbortSignal): Promise<boolean> {
  try {
    const answer = await fetch(address, { signal });
    return answer.ok;
  } catch {
    return false;
  }
}
