/**
 * The Docker engine on a real dockerd, with images from a real registry. The middle part kills it at every step that its
 * planner takes, and lets a fresh one find its way from the marks alone.
 */

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { PinnedImage } from '@swell/shared/domain/image.ts';
import type Docker from 'dockerode';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { DockerEngine } from '../../packages/agent/src/adapters/docker/docker-engine.ts';
import type { RegistryAuthSource } from '../../packages/agent/src/adapters/docker/images/registry-auth.ts';
import type { OnStep } from '../../packages/agent/src/adapters/docker/swap/swap.ts';
import type { SwapOrder } from '../../packages/agent/src/core/container.ts';
import {
  buildImage,
  removeByLabel,
  removeContainers,
  TEST_LABEL,
  testDocker,
  WEB_PORT,
} from '../support/docker.ts';
import { ACCOUNT, type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { describeWithDocker } from '../support/needs.ts';
import { shown } from '../support/shown.ts';
import { isWell } from '../support/swapping.ts';

const RUN = randomUUID().slice(0, 8);
const SERVICE = 'web';
const NAME = `swell-test-${RUN}`;
const SCOPE = { label: TEST_LABEL, value: RUN };

describeWithDocker('the Docker engine', () => {
  const docker = testDocker();
  let registry: DockerRegistry;
  let v1: PinnedImage;
  let v2: PinnedImage;
  let sick: PinnedImage;
  let broken: PinnedImage;

  const build = (tag: string, more: object = {}) =>
    buildImage(docker, { repository: `${registry.host}/web`, tag, version: tag, label: RUN, ...more });

  beforeAll(async () => {
    registry = await startDockerRegistry();
    v1 = await build('v1');
    v2 = await build('v2');
    sick = await build('sick', { behaviour: 'sick' });
    broken = await build('broken', { behaviour: 'cannot-start' });
  });

  afterEach(async () => {
    await removeContainers(docker, RUN);
  });

  afterAll(async () => {
    await removeByLabel(docker, RUN);
    await registry[Symbol.asyncDispose]();
  });

  const newEngine = (onStep?: OnStep) =>
    new DockerEngine({
      docker,
      scope: SCOPE,
      auth: async () => undefined,
      ...(onStep !== undefined && { onStep }),
    });

  const order = (image: PinnedImage, more: Partial<SwapOrder> = {}): SwapOrder => ({
    service: SERVICE,
    attempt: '7.update.1',
    target: { kind: 'release', image },
    lastGood: 'running',
    ...more,
  });

  /** The service as an operator would have started it. */
  async function runService(image: PinnedImage, policy = 'unless-stopped'): Promise<string> {
    await docker.getImage(await imageId(docker, image)).tag({ repo: image.repository, tag: 'current' });
    const container = await docker.createContainer({
      name: NAME,
      Image: `${image.repository}:current`,
      Labels: { [TEST_LABEL]: RUN, 'swell.service': SERVICE },
      HostConfig: { RestartPolicy: { Name: policy } },
    });
    await container.start();
    return container.id;
  }

  async function swapTo(engine: DockerEngine, image: PinnedImage, attempt: string): Promise<void> {
    await engine.stageImage(image, AbortSignal.timeout(60_000));
    await engine.prepareSwap(order(image, { attempt }));
    await engine.cutOver(SERVICE);
    await engine.commitSwap(SERVICE);
  }

  it('brings a service to another image, and keeps the way back', async () => {
    await using engine = newEngine();
    await runService(v1);
    await engine.stageImage(v2, AbortSignal.timeout(60_000));
    expect(await engine.services()).toEqual([SERVICE]);
    expect(await engine.observe(SERVICE)).toEqual({ state: 'running', digests: [v1.digest] });

    await engine.prepareSwap(order(v2));
    const swap = { attempt: '7.update.1', target: v2.digest };
    expect(await engine.observe(SERVICE)).toMatchObject({
      digests: [v1.digest],
      swap: { progress: 'prepared', ...swap },
    });
    expect(await version(docker)).toBe('v1');

    await engine.cutOver(SERVICE);
    expect(await engine.observe(SERVICE)).toMatchObject({
      digests: [v2.digest],
      swap: { progress: 'cut-over', ...swap },
    });
    expect(await isWell(engine, SERVICE)).toBe(true);

    await engine.commitSwap(SERVICE);
    expect(await engine.observe(SERVICE)).toEqual({
      state: 'running',
      digests: [v2.digest],
      lastGood: { digest: v1.digest },
    });
    await expectSettled(docker, v2, 'unless-stopped');
    expect(await version(docker)).toBe('v2');
  });

  it('goes back from a sick image to the very container that ran before', async () => {
    await using engine = newEngine();
    const before = await runService(v1, 'on-failure');
    await engine.stageImage(sick, AbortSignal.timeout(60_000));
    await engine.prepareSwap(order(sick));
    await engine.cutOver(SERVICE);
    expect(await isWell(engine, SERVICE)).toBe(false);

    await engine.undoSwap(SERVICE);
    expect((await expectSettled(docker, v1, 'on-failure')).Id).toBe(before);
    expect(await engine.observe(SERVICE)).toEqual({ state: 'running', digests: [v1.digest] });
  });

  it('goes back from an image that does not start', async () => {
    await using engine = newEngine();
    const before = await runService(v1);
    await engine.stageImage(broken, AbortSignal.timeout(60_000));
    await engine.prepareSwap(order(broken));
    await expect(engine.cutOver(SERVICE)).rejects.toMatchObject({ code: 'start-failed', retryable: false });
    await engine.undoSwap(SERVICE);
    expect((await expectSettled(docker, v1, 'unless-stopped')).Id).toBe(before);
  });

  it('returns to the last good image without a registry, and keeps it as the last good one', async () => {
    await using engine = newEngine();
    await runService(v1);
    await swapTo(engine, sick, '7.update.1');
    await engine.prepareSwap(
      order(sick, { attempt: '7.return.1', target: { kind: 'last-good' }, lastGood: 'unchanged' }),
    );
    await engine.cutOver(SERVICE);
    await engine.commitSwap(SERVICE);
    await expectSettled(docker, v1, 'unless-stopped');
    expect(await engine.observe(SERVICE)).toEqual({
      state: 'running',
      digests: [v1.digest],
      lastGood: { digest: v1.digest },
    });
  });

  it('shows its login to a registry that wants one', async () => {
    await using guarded = await startDockerRegistry({ login: 'basic' });
    const login = { username: ACCOUNT.username, password: ACCOUNT.password, serveraddress: guarded.host };
    const image = await buildImage(
      docker,
      { repository: `${guarded.host}/private`, tag: 'v1', version: 'v1', label: RUN },
      login,
    );
    await docker.getImage(`${image.repository}:v1`).remove();
    const staged = async (auth: RegistryAuthSource) => {
      await using engine = new DockerEngine({ docker, scope: SCOPE, auth });
      await engine.stageImage(image, AbortSignal.timeout(60_000));
    };
    await expect(staged(async () => undefined)).rejects.toMatchObject({ code: 'image-missing' });
    await staged(async (repository) => (repository === image.repository ? login : undefined));
    const { RepoDigests } = await docker.getImage(`${image.repository}@${image.digest}`).inspect();
    expect(RepoDigests).toContain(`${image.repository}@${image.digest}`);
  });

  it('says that a registry cannot be reached, and ends a pull that is given up', async () => {
    await using engine = newEngine();
    const nowhere = { ...v1, repository: '127.0.0.1:1/web' };
    await expect(engine.stageImage(nowhere, AbortSignal.timeout(60_000))).rejects.toMatchObject({
      code: 'pull-failed',
      retryable: true,
    });
    await expect(engine.stageImage(nowhere, AbortSignal.abort())).rejects.toMatchObject({
      code: 'pull-failed',
    });
  });

  it('refuses a digest that nobody has', async () => {
    await using engine = newEngine();
    await runService(v1);
    const nobody = { ...v1, digest: `sha256:${'0'.repeat(64)}` };
    await expect(engine.stageImage(nobody, AbortSignal.timeout(60_000))).rejects.toMatchObject({
      code: 'image-missing',
    });
    await expect(engine.prepareSwap(order(nobody))).rejects.toMatchObject({ code: 'image-missing' });
    await expectSettled(docker, v1, 'unless-stopped');
  });

  it.each(['unless-stopped', 'always', 'no'])(
    'ends in one good container wherever it dies, under restart policy %s',
    async (policy) => {
      await using patient = newEngine();
      await patient.stageImage(v2, AbortSignal.timeout(60_000));
      const points = await boundaries(policy, v2);
      expect(points.length).toBeGreaterThan(20);
      for (const point of points) {
        const outcome = await dieAndRecover(policy, v2, point);
        expect({ point, outcome }).toEqual({ point, outcome: expect.stringMatching(/^v[12]$/) });
      }
    },
  );

  it('ends on the old container wherever it dies on the way back from a sick image', async () => {
    await using patient = newEngine();
    await patient.stageImage(sick, AbortSignal.timeout(60_000));
    const points = await boundaries('unless-stopped', sick);
    expect(points.some((point) => point.startsWith('mark-failed'))).toBe(true);
    for (const point of points) {
      const outcome = await dieAndRecover('unless-stopped', sick, point);
      expect({ point, outcome }).toEqual({ point, outcome: 'v1' });
    }
  });

  /** An update as an agent does it, with the engine told to die at some point. */
  async function update(engine: DockerEngine, image: PinnedImage): Promise<void> {
    await engine.prepareSwap(order(image));
    await engine.cutOver(SERVICE);
    await ((await isWell(engine, SERVICE)) ? engine.commitSwap(SERVICE) : engine.undoSwap(SERVICE));
  }

  /** What an agent does with what it finds after a start. */
  async function recover(engine: DockerEngine): Promise<void> {
    const { swap } = await engine.observe(SERVICE);
    if (swap === undefined) return;
    if (swap.progress === 'prepared') return engine.undoSwap(SERVICE);
    if (swap.progress === 'committed') return engine.commitSwap(SERVICE);
    await ((await isWell(engine, SERVICE)) ? engine.commitSwap(SERVICE) : engine.undoSwap(SERVICE));
  }

  /** Every step of a whole update, before and after, in order. */
  async function boundaries(policy: string, image: PinnedImage): Promise<readonly string[]> {
    const seen: string[] = [];
    await using engine = newEngine((step, moment) => {
      seen.push(`${step} ${moment}`);
    });
    await runService(v1, policy);
    await update(engine, image);
    await removeContainers(docker, RUN);
    return seen;
  }

  /** Dies at a point, recovers with a fresh engine, and says which version serves in the end. */
  async function dieAndRecover(policy: string, image: PinnedImage, point: string): Promise<string> {
    await runService(v1, policy);
    const before = await configuration(docker);
    await using mortal = newEngine((step, moment) => {
      if (`${step} ${moment}` === point) throw new Error('killed');
    });
    await expect(update(mortal, image)).rejects.toThrow('killed');
    await using fresh = newEngine();
    await recover(fresh);
    expect((await fresh.observe(SERVICE)).swap).toBeUndefined();
    const [container] = await listContainers(docker);
    await expectSettled(docker, container?.ImageID === (await imageId(docker, v1)) ? v1 : image, policy);
    expect(await configuration(docker)).toEqual(before);
    const served = await version(docker);
    await removeContainers(docker, RUN);
    return served;
  }
});

function listContainers(docker: Docker): Promise<readonly Docker.ContainerInfo[]> {
  return docker.listContainers({ all: true, filters: { label: [`${TEST_LABEL}=${RUN}`] } });
}

async function imageId(docker: Docker, image: PinnedImage): Promise<string> {
  return (await docker.getImage(`${image.repository}@${image.digest}`).inspect()).Id;
}

/** Exactly one container, under its name, running, with its restart policy and its image. */
async function expectSettled(
  docker: Docker,
  image: PinnedImage,
  policy: string,
): Promise<Docker.ContainerInspectInfo> {
  const found = await listContainers(docker);
  const [one] = await Promise.all(found.map(({ Id }) => docker.getContainer(Id).inspect()));
  if (one === undefined) throw new Error('there is no container');
  const { Name, Image, State, HostConfig } = one;
  expect({
    count: found.length,
    Name,
    Image,
    running: State.Running,
    policy: HostConfig.RestartPolicy?.Name,
  }).toEqual({
    count: 1,
    Name: `/${NAME}`,
    Image: await imageId(docker, image),
    running: true,
    policy,
  });
  expect((await docker.getImage(`${image.repository}:current`).inspect()).Id).toBe(Image);
  return one;
}

/** What an operator would miss if it changed. */
async function configuration(docker: Docker): Promise<object> {
  return shown(await docker.getContainer(NAME).inspect());
}

/** What the service's container serves now, asked at its own address. */
async function version(docker: Docker): Promise<string> {
  const { NetworkSettings } = await docker.getContainer(NAME).inspect();
  const [network] = Object.values(NetworkSettings.Networks);
  // Its server listens a moment after the container runs.
  for (let tries = 0; ; tries += 1) {
    try {
      const answer = await fetch(`http://${network?.IPAddress}:${WEB_PORT}/`, {
        headers: { connection: 'close' },
      });
      return await answer.text();
    } catch (error) {
      if (tries > 1_000) throw error;
      await delay(20);
    }
  }
}
