/** One container on a network of its own: replaced by Swell's engine, or stopped and started as the bound of what can be. */

import { setTimeout as delay } from 'node:timers/promises';
import type { PinnedImage } from '@swell/shared/domain/image.ts';
import { DockerEngine } from '../../../packages/agent/src/adapters/docker/docker-engine.ts';
import { TEST_LABEL, WEB_PORT } from '../../support/docker.ts';
import { type Ground, versionOf } from './ground.ts';
import type { Way } from './way.ts';

const SERVICE = 'web';
const PROBE = { kind: 'http', port: WEB_PORT, path: '/' } as const;
const PROBE_EVERY_MS = 100;
const PROBES_MAX = 200;

export interface Single extends AsyncDisposable {
  readonly bridge: string;
  readonly swap: Way;
  readonly bound: Way;
}

export async function openSingle(ground: Ground, port: number): Promise<Single> {
  const { docker, label, images } = ground;
  const name = `swell-${label}`;
  const bridge = `swb-${label.slice(-8)}`;
  const labels = { [TEST_LABEL]: label };
  await docker.createNetwork({
    Name: name,
    Labels: labels,
    Options: { 'com.docker.network.bridge.name': bridge },
  });
  const [first] = images;
  const container = await docker.createContainer({
    name,
    Image: `${first.repository}:${first.tag}`,
    Labels: { ...labels, 'swell.service': SERVICE },
    ExposedPorts: { [`${WEB_PORT}/tcp`]: {} },
    HostConfig: {
      NetworkMode: name,
      PortBindings: { [`${WEB_PORT}/tcp`]: [{ HostPort: `${port}` }] },
      RestartPolicy: { Name: 'unless-stopped' },
    },
  });
  await container.start();
  const engine = new DockerEngine({
    docker,
    scope: { label: TEST_LABEL, value: label },
    auth: async () => undefined,
  });
  let attempts = 0;
  return {
    bridge,
    swap: {
      port,
      async makeReady() {
        const image = next(images, attempts);
        await engine.stageImage(image, AbortSignal.timeout(60_000));
        return versionOf(image);
      },
      async replace() {
        const image = next(images, attempts);
        attempts += 1;
        await engine.prepareSwap({
          service: SERVICE,
          attempt: `1.update.${attempts}`,
          target: { kind: 'release', image },
          lastGood: 'running',
        });
        await engine.cutOver(SERVICE);
        await untilHealthy(engine);
        await engine.commitSwap(SERVICE);
      },
    },
    bound: {
      port,
      // The same as before.
      makeReady: async () => versionOf(next(images, attempts + 1)),
      async replace() {
        await docker.getContainer(name).stop();
        await docker.getContainer(name).start();
      },
    },
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}

function next(images: Ground['images'], attempts: number): PinnedImage {
  return images[attempts % 2 === 0 ? 1 : 0];
}

async function untilHealthy(engine: DockerEngine): Promise<void> {
  for (let tries = 0; tries < PROBES_MAX; tries += 1) {
    if ((await engine.probe(SERVICE, PROBE, 2_000)).healthy) return;
    await delay(PROBE_EVERY_MS);
  }
  throw new Error('the new container did not become healthy');
}
