/**
 * A release of several parts (B18): a stack of two services that Compose made, and that roll as one. They go over in the
 * order in which Compose starts them, and end on one set of images, whatever happens.
 */

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PinnedImage } from '@swell/shared/domain/image.ts';
import { type PinnedUnit, unitDigest } from '@swell/shared/domain/unit.ts';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { DockerEngine } from '../../packages/agent/src/adapters/docker/docker-engine.ts';
import type { OnStep } from '../../packages/agent/src/adapters/docker/swap/swap.ts';
import type { SwapOrder } from '../../packages/agent/src/core/container.ts';
import { runCommand } from '../../scripts/setup/run-command.ts';
import { returnOrder } from '../fidelity/ground.ts';
import {
  type Behaviour,
  buildImage,
  removeByLabel,
  removeContainers,
  TEST_LABEL,
  testDocker,
} from '../support/docker.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { describeWithDocker } from '../support/needs.ts';
import { goOn, recover } from '../support/swapping.ts';
import { toolPath } from '../support/tools.ts';

const RUN = randomUUID().slice(0, 8);
const PROJECT = `swell-units-${RUN}`;
const SERVICE = 'shop';
/** By name, web would be first; Compose starts the worker before it. */
const PARTS = ['web', 'worker'] as const;
type PartOfShop = (typeof PARTS)[number];

describeWithDocker('a unit', () => {
  const docker = testDocker();
  let registry: DockerRegistry;
  let folder: string;
  const images = new Map<string, PinnedImage>();

  beforeAll(async () => {
    registry = await startDockerRegistry();
    folder = await mkdtemp(join(tmpdir(), 'swell-units-'));
    for (const part of PARTS) {
      for (const version of ['v1', 'v2']) await publish(part, version);
    }
    for (const part of PARTS) await publish(part, 'sick', 'sick');
    const services = {
      web: { ...composed('web'), depends_on: ['worker'] },
      worker: composed('worker'),
    };
    // JSON is YAML.
    await writeFile(join(folder, 'compose.json'), JSON.stringify({ services }));
  });

  beforeEach(async () => {
    for (const part of PARTS) await move(part, 'v1');
    await compose('up', '-d');
  });

  afterEach(async () => {
    await removeContainers(docker, RUN);
  });

  afterAll(async () => {
    await compose('down');
    await removeByLabel(docker, RUN);
    await registry[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  it('goes over in the order of its dependencies, and Compose finds nothing to do', async () => {
    const order: string[] = [];
    await using engine = newEngine(async (step, moment) => {
      if (moment === 'after' && step === 'start-new') order.push(shown(await overview()));
    });
    expect(await engine.observe(SERVICE)).toMatchObject({
      parts: ['web', 'worker'],
      digests: [unit('v1', 'v1').digest],
    });
    await update(engine, unit('v2', 'v2'));
    expect(order).toEqual(['web v1, worker v2', 'web v2, worker v2']);
    expect(await engine.observe(SERVICE)).toMatchObject({
      digests: [unit('v2', 'v2').digest],
      lastGood: { digest: unit('v1', 'v1').digest },
    });
    const updated = await overview();
    await compose('up', '-d');
    expect(await overview()).toEqual(updated);
  });

  it('goes back to the images that its parts had together, of which one was the same', async () => {
    await using engine = newEngine();
    await update(engine, unit('v2', 'v1'));
    expect(shown(await overview())).toBe('web v2, worker v1');
    await update(engine, unit('v2', 'v2'), '8.update.1');
    expect(shown(await overview())).toBe('web v2, worker v2');
    await engine.prepareSwap(returnOrder(SERVICE));
    await goOn(engine, SERVICE, await engine.cutOver(SERVICE));
    expect(shown(await overview())).toBe('web v2, worker v1');
    expect(await engine.observe(SERVICE)).toMatchObject({ digests: [unit('v2', 'v1').digest] });
  });

  it('keeps of each part what it goes back to, and lets go what nobody needs', async () => {
    await using engine = newEngine();
    await update(engine, unit('v2', 'v2'));
    expect(await engine.cleanImages(SERVICE)).toEqual([]);
    const keepsakes = await docker.listImages({
      filters: { reference: ['swell.local/last-good-part'] },
    });
    const kept = keepsakes.filter(({ RepoTags }) =>
      RepoTags?.some((tag) => tag.endsWith(`${SERVICE}.${RUN}`)),
    );
    const ids = await Promise.all(PARTS.map((part) => imageId(`${part} v1`)));
    expect(kept.map(({ Id }) => Id).sort()).toEqual(ids.sort());
  });

  it.each([
    ['the first is sick', unit.bind(undefined, 'v2', 'sick')],
    ['the last is sick', unit.bind(undefined, 'sick', 'v2')],
  ])('is what it was, container by container, where %s', async (_, sick) => {
    const before = await overview();
    await using engine = newEngine();
    await update(engine, sick());
    expect(await overview()).toEqual(before);
  });

  it('is what it was, where it is called back with one part gone over', async () => {
    const before = await overview();
    await using engine = newEngine();
    await prepare(engine, unit('v2', 'v2'));
    expect(await engine.cutOver(SERVICE)).toBe(1);
    expect(shown(await overview())).toBe('web v1, worker v2');
    await engine.undoSwap(SERVICE);
    expect(await overview()).toEqual(before);
  });

  it('is on one set of images, wherever its agent dies', { timeout: 600_000 }, async () => {
    const steps: string[] = [];
    await update(
      newEngine((step, moment) => {
        if (moment === 'after') steps.push(step);
      }),
      unit('v2', 'v2'),
    );
    expect(steps.length).toBeGreaterThan(20);
    for (const point of steps.keys()) {
      await removeContainers(docker, RUN);
      for (const part of PARTS) await move(part, 'v1');
      await compose('up', '-d');
      let seen = 0;
      const mortal = newEngine((_, moment) => {
        if (moment === 'after' && seen++ === point) throw new Error('killed');
      });
      await expect(update(mortal, unit('v2', 'v2'))).rejects.toThrow('killed');
      await using fresh = newEngine();
      await recover(fresh, SERVICE);
      expect((await fresh.observe(SERVICE)).swap).toBeUndefined();
      const end = `died after ${steps[point]}: ${shown(await overview())}`;
      expect(end).toMatch(/: (?:web v1, worker v1|web v2, worker v2)$/);
    }
  });

  it('is refused where a part is missing, and where one is not named', async () => {
    await using engine = newEngine();
    const { digest, parts } = unit('v2', 'v2');
    const named = (more: Readonly<Record<string, PinnedImage>>, without?: PartOfShop): PinnedUnit => ({
      digest,
      parts: Object.fromEntries(Object.entries({ ...parts, ...more }).filter(([part]) => part !== without)),
    });
    const mail = named({ mail: image('web v2') });
    await expect(prepare(engine, mail)).rejects.toMatchObject({
      code: 'not-carried',
      message: expect.stringContaining('mail'),
    });
    const other = named({ mail: image('web v2') }, 'worker');
    await expect(prepare(engine, other)).rejects.toMatchObject({ code: 'not-carried' });
    expect(shown(await overview())).toBe('web v1, worker v1');
    expect((await engine.observe(SERVICE)).swap).toBeUndefined();
  });

  function newEngine(onStep: OnStep = () => {}): DockerEngine {
    const scope = { label: TEST_LABEL, value: RUN };
    return new DockerEngine({ docker, scope, auth: async () => undefined, onStep });
  }

  function composed(part: PartOfShop): object {
    return {
      image: `${registry.host}/${part}:current`,
      restart: 'unless-stopped',
      stop_grace_period: '0s',
      labels: { [TEST_LABEL]: RUN, 'swell.service': SERVICE },
    };
  }

  async function compose(...words: readonly string[]): Promise<void> {
    const file = join(folder, 'compose.json');
    await runCommand(toolPath('docker-compose'), ['-p', PROJECT, '-f', file, ...words], {
      timeoutMs: 120_000,
    });
  }

  async function publish(part: PartOfShop, version: string, behaviour: Behaviour = 'well'): Promise<void> {
    const built = await buildImage(docker, {
      repository: `${registry.host}/${part}`,
      tag: version,
      version: `${part}-${version}`,
      behaviour,
      label: RUN,
    });
    images.set(`${part} ${version}`, built);
  }

  function image(name: string): PinnedImage {
    const found = images.get(name);
    if (found === undefined) throw new Error(`there is no image ${name}`);
    return found;
  }

  async function imageId(name: string): Promise<string> {
    const { repository, digest } = image(name);
    return (await docker.getImage(`${repository}@${digest}`).inspect()).Id;
  }

  /** What Compose makes containers of. */
  async function move(part: PartOfShop, version: string): Promise<void> {
    const known = docker.getImage(await imageId(`${part} ${version}`));
    await known.tag({ repo: `${registry.host}/${part}`, tag: 'current' });
  }

  function unit(web: string, worker: string): PinnedUnit {
    const parts = { web: image(`web ${web}`), worker: image(`worker ${worker}`) };
    return { digest: unitDigest({ web: parts.web.digest, worker: parts.worker.digest }), parts };
  }

  async function overview() {
    const ids = new Map(
      await Promise.all([...images.keys()].map(async (name) => [await imageId(name), name] as const)),
    );
    const found = await docker.listContainers({ all: true, filters: { label: [`${TEST_LABEL}=${RUN}`] } });
    const all = await Promise.all(found.map(({ Id }) => docker.getContainer(Id).inspect()));
    return all
      .map(({ Id, Name, Image, State, HostConfig }) => ({
        Id,
        Name,
        image: ids.get(Image) ?? Image,
        state: State.Status,
        policy: HostConfig.RestartPolicy?.Name,
      }))
      .sort((a, b) => a.Name.localeCompare(b.Name));
  }

  /** The images of those that run. */
  function shown(all: Awaited<ReturnType<typeof overview>>): string {
    const running = all.filter(({ state }) => state === 'running');
    return running
      .map((one) => one.image)
      .sort()
      .join(', ');
  }

  async function prepare(engine: DockerEngine, target: PinnedUnit, attempt = '7.update.1'): Promise<void> {
    await engine.stageImage(target, AbortSignal.timeout(60_000));
    const order: SwapOrder = {
      service: SERVICE,
      attempt,
      target: { kind: 'release', image: target },
      lastGood: 'running',
      stopTimeoutMs: 0,
    };
    await engine.prepareSwap(order);
  }

  /** As the core does it: one goes over, is found well, and the next one follows. */
  async function update(engine: DockerEngine, target: PinnedUnit, attempt?: string): Promise<void> {
    await prepare(engine, target, attempt);
    await goOn(engine, SERVICE, await engine.cutOver(SERVICE));
  }
});
