/**
 * Several containers that belong together, on a real dockerd: replicas of a service, which go over one after the other
 * (Z4), and containers that live in the namespaces of another one, which are made anew with it (N8).
 */

import { randomUUID } from 'node:crypto';
import type { PinnedImage } from '@swell/shared/domain/image.ts';
import type Docker from 'dockerode';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DockerEngine } from '../../packages/agent/src/adapters/docker/docker-engine.ts';
import type { OnStep } from '../../packages/agent/src/adapters/docker/swap/swap.ts';
import { returnOrder, updateOrder } from '../fidelity/ground.ts';
import {
  buildImage,
  removeByLabel,
  removeContainers,
  TEST_LABEL,
  testDocker,
  WEB_PORT,
} from '../support/docker.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { describeWithDocker } from '../support/needs.ts';
import { shown } from '../support/shown.ts';
import { goOn, isWell, recover } from '../support/swapping.ts';

const RUN = randomUUID().slice(0, 8);
const SERVICE = 'web';
const SCOPE = { label: TEST_LABEL, value: RUN };
const NAME = `swell-test-${RUN}`;

interface Wish {
  readonly image?: PinnedImage;
  /** Missing: none. */
  readonly service?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly host?: Docker.HostConfig;
  readonly isStopped?: boolean;
}

describeWithDocker('several containers', () => {
  const docker = testDocker();
  let registry: DockerRegistry;
  let v1: PinnedImage;
  let v2: PinnedImage;
  let sick: PinnedImage;
  let helper: PinnedImage;

  const build = (tag: string, more: object = {}) =>
    buildImage(docker, { repository: `${registry.host}/web`, tag, version: tag, label: RUN, ...more });

  beforeAll(async () => {
    registry = await startDockerRegistry();
    v1 = await build('v1');
    v2 = await build('v2');
    sick = await build('sick', { behaviour: 'sick' });
    helper = await build('helper', { dockerfile: ['CMD ["sleep", "600"]'] });
  });

  afterEach(async () => {
    await removeContainers(docker, RUN);
  });

  afterAll(async () => {
    await removeByLabel(docker, RUN);
    await registry[Symbol.asyncDispose]();
  });

  const newEngine = (onStep: OnStep = () => {}) =>
    new DockerEngine({ docker, scope: SCOPE, auth: async () => undefined, onStep });

  async function run(name: string, { image = v1, service, labels, host, isStopped }: Wish): Promise<string> {
    const container = await docker.createContainer({
      name: `${NAME}-${name}`,
      Image: `${image.repository}:${await current(image)}`,
      Labels: { [TEST_LABEL]: RUN, ...(service !== undefined && { 'swell.service': service }), ...labels },
      HostConfig: { RestartPolicy: { Name: 'unless-stopped' }, ...host },
    });
    if (isStopped !== true) await container.start();
    return container.id;
  }

  /** Where the release's image is known: a swap moves it. */
  async function current(image: PinnedImage): Promise<string> {
    const tag = image === helper ? 'helper' : 'current';
    const known = docker.getImage(`${image.repository}@${image.digest}`);
    await known.tag({ repo: image.repository, tag });
    return tag;
  }

  /** All that there are, by their names without what they have in common. */
  async function all(): Promise<ReadonlyMap<string, Docker.ContainerInspectInfo>> {
    const found = await docker.listContainers({ all: true, filters: { label: [`${TEST_LABEL}=${RUN}`] } });
    const inspected = await Promise.all(found.map(({ Id }) => docker.getContainer(Id).inspect()));
    return new Map(
      inspected
        .map((one) => [one.Name.slice(NAME.length + 2), one] as const)
        .sort(([a], [b]) => a.localeCompare(b)),
    );
  }

  async function overview() {
    const images = new Map(
      await Promise.all(
        Object.entries({ v1, v2, sick, helper }).map(async ([name, { repository, digest }]) => {
          const { Id } = await docker.getImage(`${repository}@${digest}`).inspect();
          return [Id, name] as const;
        }),
      ),
    );
    return [...(await all())].map(([name, { Image, State, HostConfig }]) => {
      const policy = HostConfig.RestartPolicy?.Name === 'unless-stopped' ? '' : ', another policy';
      return `${name}: ${images.get(Image)}, ${State.Status}${policy}`;
    });
  }

  /** As the core does it: one goes over, is found well, and the next one follows. */
  async function update(engine: DockerEngine, image: PinnedImage): Promise<void> {
    await engine.stageImage(image, AbortSignal.timeout(60_000));
    await engine.prepareSwap(updateOrder(SERVICE, image));
    await goOn(engine, SERVICE, await engine.cutOver(SERVICE));
  }

  /** Dies after every step of an update in turn, and recovers each time with a fresh engine. */
  async function dieEverywhere(begin: () => Promise<void>, image: PinnedImage): Promise<readonly string[][]> {
    const steps: string[] = [];
    await begin();
    await update(
      newEngine((step, moment) => {
        if (moment === 'after') steps.push(step);
      }),
      image,
    );
    const ends: string[][] = [];
    for (const point of steps.keys()) {
      await removeContainers(docker, RUN);
      await begin();
      let seen = 0;
      const mortal = newEngine((_, moment) => {
        if (moment === 'after' && seen++ === point) throw new Error('killed');
      });
      await expect(update(mortal, image)).rejects.toThrow('killed');
      await using fresh = newEngine();
      await recover(fresh, SERVICE);
      expect((await fresh.observe(SERVICE)).swap).toBeUndefined();
      ends.push([steps[point] ?? '', ...(await overview())]);
    }
    return ends;
  }

  describe('replicas of a service', () => {
    const runReplicas = async (count: number, image = v1): Promise<void> => {
      for (let number = 1; number <= count; number += 1)
        await run(`web-${number}`, { service: SERVICE, image });
    };

    it('go over one after the other, and all but one serve throughout', async () => {
      await runReplicas(3);
      const serving: number[] = [];
      await using engine = newEngine(async () => {
        const running = await docker.listContainers({ filters: { label: [`${TEST_LABEL}=${RUN}`] } });
        serving.push(running.length);
      });
      expect(await engine.observe(SERVICE)).toEqual({ state: 'running', digests: [v1.digest] });
      await engine.stageImage(v2, AbortSignal.timeout(60_000));
      await engine.prepareSwap(updateOrder(SERVICE, v2));
      expect(await engine.observe(SERVICE)).toMatchObject({
        digests: [v1.digest],
        swap: { progress: 'prepared' },
      });

      expect(await engine.cutOver(SERVICE)).toBe(2);
      const one = await engine.observe(SERVICE);
      expect(one).toMatchObject({ state: 'running', digests: [], swap: { progress: 'cut-over', left: 2 } });
      // Asked again, as after an answer that was lost, it is the same one.
      expect(await engine.cutOver(SERVICE)).toBe(2);
      expect(await isWell(engine, SERVICE)).toBe(true);
      expect(await engine.cutOver(SERVICE, 1)).toBe(1);
      expect(await engine.cutOver(SERVICE, 1)).toBe(1);
      expect(await engine.cutOver(SERVICE, 0)).toBe(0);
      expect(await isWell(engine, SERVICE)).toBe(true);
      await engine.commitSwap(SERVICE);

      expect(await overview()).toEqual(['web-1: v2, running', 'web-2: v2, running', 'web-3: v2, running']);
      const { lastGood, ...settled } = await engine.observe(SERVICE);
      expect(settled).toEqual({ state: 'running', digests: [v2.digest] });
      expect(lastGood).toEqual({ digest: v1.digest });
      expect(Math.min(...serving)).toBe(2);
    });

    it('all go back to what they were, where the first is not well; the others are not touched', async () => {
      await runReplicas(3);
      const before = await all();
      await using engine = newEngine();
      await update(engine, sick);
      const after = await all();
      expect([...after.values()].map(({ Id }) => Id)).toEqual([...before.values()].map(({ Id }) => Id));
      expect(await overview()).toEqual(['web-1: v1, running', 'web-2: v1, running', 'web-3: v1, running']);
      const startedAt = (name: string) => [before, after].map((one) => one.get(name)?.State.StartedAt);
      expect(new Set(startedAt('web-2')).size).toBe(1);
      expect(new Set(startedAt('web-3')).size).toBe(1);
    });

    it('go back to their last good image together', async () => {
      await runReplicas(2);
      await using engine = newEngine();
      await update(engine, v2);
      await engine.prepareSwap(returnOrder(SERVICE));
      await goOn(engine, SERVICE, await engine.cutOver(SERVICE));
      expect(await overview()).toEqual(['web-1: v1, running', 'web-2: v1, running']);
    });

    it('that somebody stopped stay so', async () => {
      await runReplicas(2);
      const idle = await run('web-3', { service: SERVICE, isStopped: true });
      await using engine = newEngine();
      await update(engine, v2);
      expect(await overview()).toEqual(['web-1: v2, running', 'web-2: v2, running', 'web-3: v1, created']);
      expect((await all()).get('web-3')?.Id).toBe(idle);
    });

    it('that are paused stand against it, by name', async () => {
      await runReplicas(2);
      await docker.getContainer(`${NAME}-web-2`).pause();
      await using engine = newEngine();
      const obstacle = `${NAME}-web-2 is paused`;
      expect(await engine.observe(SERVICE)).toMatchObject({ obstacle });
      await engine.stageImage(v2, AbortSignal.timeout(60_000));
      await expect(engine.prepareSwap(updateOrder(SERVICE, v2))).rejects.toMatchObject({
        code: 'not-carried',
      });
    });

    it('end on one image wherever it dies', async () => {
      const ends = await dieEverywhere(() => runReplicas(2), v2);
      expect(ends.length).toBeGreaterThan(25);
      const on = (version: string) => [`web-1: ${version}, running`, `web-2: ${version}, running`];
      for (const [step, ...end] of ends)
        expect({ step, end: [on('v1'), on('v2')] }).toEqual({ step, end: expect.arrayContaining([end]) });
    });
  });

  describe('containers that live in the namespaces of a service', () => {
    /** A log shipper, a second one in its process namespace that depends on it, and one that is stopped. */
    const runStack = async (): Promise<void> => {
      const composed = (service: string, more: object = {}) => ({
        'com.docker.compose.project': RUN,
        'com.docker.compose.service': service,
        ...more,
      });
      const lead = await run('web', { service: SERVICE, labels: composed('web') });
      const home = { NetworkMode: `container:${lead}` };
      const dependsOn = { 'com.docker.compose.depends_on': 'ship:service_started:false' };
      await run('audit', { image: helper, labels: composed('audit', dependsOn), host: home });
      const ship = await run('ship', {
        image: helper,
        service: 'ship',
        labels: composed('ship'),
        host: home,
      });
      await run('trace', { image: helper, host: { PidMode: `container:${ship}` } });
      await run('idle', { image: helper, host: home, isStopped: true });
    };
    const STACK = [
      'audit: helper, running',
      'idle: helper, created',
      'ship: helper, running',
      'trace: helper, running',
    ];

    /** Does it see the service at its own loopback? */
    async function reaches(name: string): Promise<string> {
      const exec = await docker.getContainer(`${NAME}-${name}`).exec({
        Cmd: ['/bin/busybox', 'wget', '-qO-', `http://127.0.0.1:${WEB_PORT}/`],
        AttachStdout: true,
      });
      const stream = await exec.start({});
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).subarray(8).toString();
    }

    async function homes() {
      const found = await all();
      const names = new Map([...found].map(([name, { Id }]) => [Id, name]));
      return [...found].flatMap(([name, { HostConfig }]) =>
        [HostConfig.NetworkMode, HostConfig.PidMode].flatMap((mode) =>
          mode?.startsWith('container:') === true ? [`${name} in ${names.get(mode.slice(10))}`] : [],
        ),
      );
    }

    it('are made anew with it, in the order in which they depend on each other', async () => {
      await runStack();
      const before = await all();
      const steps: string[] = [];
      const engine = newEngine(async (step, moment) => {
        if (moment === 'after' && /^(?:stop-old|start-new)$/.test(step)) {
          const up = await docker.listContainers({ filters: { label: [`${TEST_LABEL}=${RUN}`] } });
          steps.push(
            up
              .map(({ Names }) => Names[0]?.slice(NAME.length + 2) ?? '')
              .sort()
              .join(' '),
          );
        }
      });
      await update(engine, v2);
      expect(await overview()).toEqual([...STACK, 'web: v2, running']);
      expect(await homes()).toEqual(['audit in web', 'idle in web', 'ship in web', 'trace in ship']);
      expect(await reaches('ship')).toBe('v2');
      // Whoever depends on another one stops before it, and starts after it.
      const isUp = (name: string) =>
        steps.map((up) => up.split(' ').some((one) => one.split('.')[0] === name));
      const inOrder = ['web', 'ship', 'audit', 'trace'].map((name) => isUp(name).filter(Boolean).length);
      expect(inOrder[0]).toBeGreaterThan(inOrder[1] ?? 0);
      expect(inOrder[1]).toBeGreaterThan(inOrder[2] ?? 0);
      const after = await all();
      for (const name of ['audit', 'idle', 'ship', 'trace']) {
        const [was, is] = [before.get(name), after.get(name)];
        if (was === undefined || is === undefined) throw new Error(`${name} is gone`);
        const apart = (one: Docker.ContainerInspectInfo) => {
          const { host, config, ...rest } = shown(one);
          // In another one's network it has that one's host name.
          const own = { ...config, Hostname: '' };
          return { ...rest, config: own, host: { ...host, NetworkMode: '', PidMode: '' } };
        };
        expect(apart(is)).toEqual(apart(was));
      }
    });

    it('come back as the very containers that they were, where the new one is not well', async () => {
      await runStack();
      const before = await all();
      await using engine = newEngine();
      await update(engine, sick);
      const after = await all();
      expect([...after].map(([name, { Id }]) => [name, Id])).toEqual(
        [...before].map(([name, { Id }]) => [name, Id]),
      );
      expect(await overview()).toEqual([...STACK, 'web: v1, running']);
      expect(await reaches('ship')).toBe('v1');
    });

    it('tell the service that they are of to wait', async () => {
      await runStack();
      await using engine = newEngine();
      await engine.stageImage(v2, AbortSignal.timeout(60_000));
      await engine.prepareSwap(updateOrder(SERVICE, v2));
      await engine.cutOver(SERVICE);
      expect(await engine.observe('ship')).toMatchObject({
        state: 'running',
        locked: 'web, in whose namespaces it lives, is being updated',
      });
      await expect(engine.prepareSwap(updateOrder('ship', v2))).rejects.toMatchObject({
        code: 'unavailable',
      });
      await engine.commitSwap(SERVICE);
      expect(await engine.observe('ship')).not.toHaveProperty('locked');
    });

    it('wait for those of them that are being updated themselves', async () => {
      await runStack();
      await using engine = newEngine();
      await engine.stageImage(v2, AbortSignal.timeout(60_000));
      await engine.prepareSwap(updateOrder('ship', v2));
      await expect(engine.prepareSwap(updateOrder(SERVICE, v2))).rejects.toMatchObject({
        code: 'unavailable',
      });
    });

    it('are no part of a service that another stack calls the same', async () => {
      const other = `${RUN}-other`;
      const labels = { [TEST_LABEL]: other };
      const lead = await run('other-web', { service: SERVICE, labels });
      await run('other-log', { image: helper, labels, host: { NetworkMode: `container:${lead}` } });
      await run('web', { service: SERVICE });
      try {
        await using theirs = new DockerEngine({
          docker,
          scope: { label: TEST_LABEL, value: other },
          auth: async () => undefined,
        });
        await theirs.stageImage(v2, AbortSignal.timeout(60_000));
        await theirs.prepareSwap(updateOrder(SERVICE, v2));
        await using engine = newEngine();
        expect(await engine.observe(SERVICE)).toEqual({ state: 'running', digests: [v1.digest] });
        expect((await theirs.observe(SERVICE)).swap?.progress).toBe('prepared');
      } finally {
        await removeContainers(docker, other);
      }
    });

    it.each<[string, Wish, RegExp]>([
      ['of another stack', { labels: { [TEST_LABEL]: `${RUN}-other` } }, /is of another stack/],
      ['of the same service', { service: SERVICE }, /bears the same label/],
      ['with --rm', { host: { AutoRemove: true, RestartPolicy: { Name: 'no' } } }, /was started with --rm/],
    ])('stand against it, %s', async (_, wish, why) => {
      const lead = await run('web', { service: SERVICE });
      const id = await run('log', {
        image: helper,
        ...wish,
        host: { ...wish.host, NetworkMode: `container:${lead}` },
      });
      try {
        await using engine = newEngine();
        await engine.stageImage(v2, AbortSignal.timeout(60_000));
        await expect(engine.prepareSwap(updateOrder(SERVICE, v2))).rejects.toThrow(why);
      } finally {
        await docker.getContainer(id).remove({ force: true });
      }
    });

    it('end in one home wherever it dies', { timeout: 300_000 }, async () => {
      const runSmall = async (): Promise<void> => {
        const home = { NetworkMode: `container:${await run('web', { service: SERVICE })}` };
        await run('ship', { image: helper, host: home });
        await run('idle', { image: helper, host: home, isStopped: true });
      };
      const ends = await dieEverywhere(runSmall, v2);
      expect(ends.length).toBeGreaterThan(30);
      const tenants = ['idle: helper, created', 'ship: helper, running'];
      const on = (version: string) => [...tenants, `web: ${version}, running`];
      for (const [step, ...end] of ends)
        expect({ step, end: [on('v1'), on('v2')] }).toEqual({ step, end: expect.arrayContaining([end]) });
    });
  });
});
