/**
 * A swap that cannot be undone, of two replicas on a real dockerd (B19): it dies after every step, and until a new container
 * was started there is only the way back, from then on only the way forward.
 */

import { randomUUID } from 'node:crypto';
import type { PinnedImage } from '@swell/shared/domain/image.ts';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { DockerEngine } from '../../packages/agent/src/adapters/docker/docker-engine.ts';
import type { OnStep } from '../../packages/agent/src/adapters/docker/swap/swap.ts';
import { EngineError } from '../../packages/agent/src/adapters/engine.ts';
import { updateOrder } from '../fidelity/ground.ts';
import { buildImage, removeByLabel, removeContainers, TEST_LABEL, testDocker } from '../support/docker.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { describeWithDocker } from '../support/needs.ts';

const RUN = randomUUID().slice(0, 8);
const SERVICE = 'web';
const NAMES = ['web-1', 'web-2'] as const;

describeWithDocker('a swap that cannot be undone', () => {
  const docker = testDocker();
  let registry: DockerRegistry;
  let v1: PinnedImage;
  let v2: PinnedImage;
  let broken: PinnedImage;

  beforeAll(async () => {
    registry = await startDockerRegistry();
    const build = (tag: string, more: object = {}) =>
      buildImage(docker, { repository: `${registry.host}/web`, tag, version: tag, label: RUN, ...more });
    v1 = await build('v1');
    v2 = await build('v2');
    broken = await build('broken', { behaviour: 'cannot-start' });
  });

  afterEach(() => removeContainers(docker, RUN));

  afterAll(async () => {
    await removeByLabel(docker, RUN);
    await registry[Symbol.asyncDispose]();
  });

  it('stops all old containers before it starts a new one, and none of them starts again', async () => {
    const steps: string[] = [];
    const count = await swapOnce((step, moment) => {
      if (moment === 'after') steps.push(step);
    });
    const starting = steps.indexOf('start-new');
    expect(count).toBe(0);
    expect(steps.slice(0, starting).filter((step) => step === 'stop-old')).toHaveLength(2);
    expect(steps.slice(starting)).toEqual(['start-new', 'disarm-old', 'restore-new-policy', 'start-new']);
  });

  it('is undone by the next engine before a new container was started, and carried on after it', async () => {
    const ways: string[] = [];
    for (let point = 0; ; point += 1) {
      let seen = 0;
      const died = await swapOnce((_, moment) => {
        if (moment === 'after' && seen++ === point) throw new Error('killed');
      }).then(
        () => false,
        () => true,
      );
      ways.push(await recovered());
      await removeContainers(docker, RUN);
      if (!died) break;
    }
    const back = ways.indexOf('forth');
    expect(back).toBeGreaterThan(10);
    expect(ways).toEqual(ways.map((_, index) => (index < back ? 'back' : 'forth')));
  });

  it('is not undone either where no container of the image can be started', async () => {
    await expect(swapOnce(() => {}, broken)).rejects.toMatchObject({ code: 'start-failed' });
    await using engine = newEngine();
    await expect(engine.undoSwap(SERVICE)).rejects.toMatchObject({ code: 'irreversible' });
    // Asked on, it comes to the other one, and knows that all have gone over.
    await expect(engine.cutOver(SERVICE, 0)).rejects.toMatchObject({ code: 'start-failed' });
    expect(await engine.cutOver(SERVICE, 0)).toBe(0);
    // A newer release takes the place of what is there.
    await engine.commitSwap(SERVICE);
    expect((await engine.observe(SERVICE)).swap).toBeUndefined();
  });

  const newEngine = (onStep: OnStep = () => {}) =>
    new DockerEngine({
      docker,
      scope: { label: TEST_LABEL, value: RUN },
      auth: async () => undefined,
      onStep,
    });

  /** Up to the start of the new containers; how many are left. */
  async function swapOnce(onStep: OnStep, image = v2): Promise<number> {
    // A swap moves the name by which a container's image is known.
    const { repository, digest } = v1;
    await docker.getImage(`${repository}@${digest}`).tag({ repo: repository, tag: 'current' });
    for (const name of NAMES) {
      const made = await docker.createContainer({
        name: `${RUN}-${name}`,
        Image: `${repository}:current`,
        Labels: { 'swell.service': SERVICE, [TEST_LABEL]: RUN },
        HostConfig: { RestartPolicy: { Name: 'always' } },
      });
      await made.start();
    }
    await using engine = newEngine(onStep);
    await engine.stageImage(image, AbortSignal.timeout(60_000));
    await engine.prepareSwap({ ...updateOrder(SERVICE, image), irreversible: true });
    return await engine.cutOver(SERVICE, 0);
  }

  /** What a fresh engine makes of it, as the core asks it to; and no container has another restart policy than before. */
  async function recovered(): Promise<'back' | 'forth'> {
    await using engine = newEngine();
    const { swap } = await engine.observe(SERVICE);
    const isOver = swap?.progress === 'cut-over';
    const undoing = await engine.undoSwap(SERVICE).then(
      () => 'undone',
      (error: unknown) => (error instanceof EngineError ? error.code : error),
    );
    expect(undoing).toBe(isOver ? 'irreversible' : 'undone');
    if (isOver) await engine.cutOver(SERVICE, 0);
    await engine.commitSwap(SERVICE);
    const all = await docker.listContainers({ all: true, filters: { label: [`${TEST_LABEL}=${RUN}`] } });
    const inspected = await Promise.all(all.map(({ Id }) => docker.getContainer(Id).inspect()));
    const { Id } = await docker.getImage(`${v1.repository}@${(isOver ? v2 : v1).digest}`).inspect();
    expect(
      inspected.map(({ Name, State, Image, HostConfig }) => [
        Name.slice(RUN.length + 2),
        State.Running,
        Image === Id,
        HostConfig.RestartPolicy?.Name,
      ]),
    ).toEqual(expect.arrayContaining(NAMES.map((name) => [name, true, true, 'always'])));
    expect(inspected).toHaveLength(NAMES.length);
    return isOver ? 'forth' : 'back';
  }
});
