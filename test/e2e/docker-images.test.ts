/**
 * The images on a real dockerd, from real registries: what is brought, what is kept, what goes, as whom and for which platform it
 * is pulled, and what comes of a registry that has had enough or a disk that is full.
 */

import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PinnedImage } from '@swell/shared/domain/image.ts';
import type Docker from 'dockerode';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  DockerEngine,
  type DockerEngineOptions,
} from '../../packages/agent/src/adapters/docker/docker-engine.ts';
import { Dockerd } from '../../packages/agent/src/adapters/docker/dockerd.ts';
import { markOf } from '../../packages/agent/src/adapters/docker/images/brought.ts';
import { diskOfImages } from '../../packages/agent/src/adapters/docker/images/disk.ts';
import { dockerConfigAuth } from '../../packages/agent/src/adapters/docker/images/registry-auth.ts';
import type { Disk } from '../../packages/agent/src/adapters/docker/images/room.ts';
import type { SwapOrder } from '../../packages/agent/src/core/container.ts';
import { openFront } from '../conformance/registry-front.ts';
import { buildImage, removeByLabel, removeContainers, TEST_LABEL, testDocker } from '../support/docker.ts';
import {
  ACCOUNT,
  type DockerRegistry,
  digestOf,
  pushManifest,
  startDockerRegistry,
} from '../support/docker-registry.ts';
import { describeWithDocker } from '../support/needs.ts';
import { startTokenService } from '../support/token-service.ts';

const RUN = randomUUID().slice(0, 8);
const SERVICE = 'web';
const PLACE = `${SERVICE}.${RUN}`;
const NAME = `swell-images-${RUN}`;
const SCOPE = { label: TEST_LABEL, value: RUN };
const GIB = 1_024 ** 3;
const PLENTY: Disk = { freeBytes: 100 * GIB, totalBytes: 100 * GIB };

describeWithDocker('images', () => {
  const docker = testDocker();
  let registry: DockerRegistry;
  const images = new Map<string, PinnedImage>();
  const image = (tag: string): PinnedImage => images.get(tag) as PinnedImage;

  /** In the registry, and not on this node. */
  async function publish(tag: string, host = registry.host, ballast = 0): Promise<PinnedImage> {
    const place = { repository: `${host}/web`, tag, version: `${tag}-${RUN}`, label: RUN, ballast };
    const built = await buildImage(docker, place);
    await forget(built);
    return built;
  }

  /** Nobody has it here any more, whatever it is called. */
  async function forget({ repository, digest }: PinnedImage): Promise<void> {
    const found = await inspect(`${repository}@${digest}`);
    if (found !== undefined) await docker.getImage(found.Id).remove({ force: true });
  }

  /** One under whose digest there may be several; a dockerd that has one for each shows that. */
  function inspectFor(architecture: string, reference: string): Promise<Docker.ImageInspectInfo> {
    const { promise, resolve, reject } = Promise.withResolvers<Docker.ImageInspectInfo>();
    docker.modem.dial(
      {
        path: `/images/${reference}/json?`,
        method: 'GET',
        options: { platform: JSON.stringify({ os: 'linux', architecture }) },
        statusCodes: { 200: true, 404: 'no such image' },
      },
      (error, found) => (error === null ? resolve(found as Docker.ImageInspectInfo) : reject(error)),
    );
    return promise;
  }

  async function hasContainerdStore(): Promise<boolean> {
    const { DriverStatus } = (await docker.info()) as { readonly DriverStatus?: readonly string[][] };
    return (DriverStatus ?? []).flat().includes('io.containerd.snapshotter.v1');
  }

  async function inspect(reference: string): Promise<Docker.ImageInspectInfo | undefined> {
    return docker
      .getImage(reference)
      .inspect()
      .catch((error: { readonly statusCode?: number }) => {
        if (error.statusCode !== 404) throw error;
        return undefined;
      });
  }

  const here = async (tag: string) => inspect(`${image(tag).repository}@${image(tag).digest}`);
  async function onNode(): Promise<readonly string[]> {
    const found = await Promise.all([...images.keys()].map(async (tag) => ((await here(tag)) ? [tag] : [])));
    return found.flat();
  }

  beforeAll(async () => {
    registry = await startDockerRegistry();
    for (const tag of ['v1', 'v2', 'v3', 'v4']) images.set(tag, await publish(tag));
  });

  afterEach(async () => {
    await removeContainers(docker, RUN);
    for (const one of images.values()) await forget(one);
  });

  afterAll(async () => {
    await removeByLabel(docker, RUN);
    await registry[Symbol.asyncDispose]();
  });

  const newEngine = (more: Partial<DockerEngineOptions> = {}) =>
    new DockerEngine({ docker, scope: SCOPE, auth: async () => undefined, ...more });

  const stage = (engine: DockerEngine, pinned: PinnedImage, service = SERVICE) =>
    engine.stageImage(pinned, AbortSignal.timeout(60_000), service);

  /** The service as an operator would have started it: by a tag of his own. */
  async function runService(tag: string): Promise<void> {
    const { repository, digest } = image(tag);
    await pullByHand(`${repository}@${digest}`);
    await docker.getImage(`${repository}@${digest}`).tag({ repo: repository, tag: 'current' });
    await createByHand(`${repository}:current`, NAME, SERVICE);
  }

  async function pullByHand(reference: string): Promise<void> {
    const progress = await docker.pull(reference);
    await new Promise<void>((resolve, reject) =>
      docker.modem.followProgress(progress, (error) => (error === null ? resolve() : reject(error))),
    );
  }

  async function createByHand(
    Image: string,
    name: string,
    service?: string,
    as: 'created' | 'running' = 'running',
  ): Promise<Docker.Container> {
    const container = await docker.createContainer({
      name,
      Image,
      ...(as === 'created' && { Cmd: ['/none'] }),
      Labels: { [TEST_LABEL]: RUN, ...(service !== undefined && { 'swell.service': service }) },
      HostConfig: { RestartPolicy: { Name: 'unless-stopped' } },
    });
    if (service !== undefined && as === 'running') await container.start();
    return container;
  }

  async function update(engine: DockerEngine, tag: string): Promise<void> {
    await stage(engine, image(tag));
    const order: SwapOrder = {
      service: SERVICE,
      attempt: `7.update.${tag}`,
      target: { kind: 'release', image: image(tag) },
      lastGood: 'running',
    };
    await engine.prepareSwap(order);
    await engine.cutOver(SERVICE);
    await engine.commitSwap(SERVICE);
  }

  async function goBack(engine: DockerEngine): Promise<void> {
    await engine.prepareSwap({
      service: SERVICE,
      attempt: '7.return.1',
      target: { kind: 'last-good' },
      lastGood: 'unchanged',
    });
    await engine.cutOver(SERVICE);
    await engine.commitSwap(SERVICE);
  }

  describe('that Swell brought', () => {
    it('stay while they run or a service goes back to them; what is older goes, and what was only staged', async () => {
      await using engine = newEngine();
      await runService('v1');
      await update(engine, 'v2');
      await update(engine, 'v3');
      await stage(engine, image('v4'));
      expect(await onNode()).toEqual(['v1', 'v2', 'v3', 'v4']);
      // v1 is the operator's, though he has no name for it any more.
      expect(await engine.cleanImages(SERVICE, [image('v4').digest])).toEqual([]);
      expect(await engine.cleanImages(SERVICE)).toEqual([`${image('v4').repository}@${image('v4').digest}`]);
      expect(await onNode()).toEqual(['v1', 'v2', 'v3']);

      await update(engine, 'v4');
      expect(await engine.cleanImages(SERVICE, [image('v4').digest])).toHaveLength(1);
      expect(await onNode()).toEqual(['v1', 'v3', 'v4']);
      expect(await engine.cleanImages(SERVICE, [image('v4').digest])).toEqual([]);

      // I10. The way back needs no registry.
      await goBack(engine);
      expect(await engine.observe(SERVICE)).toMatchObject({
        state: 'running',
        digests: [image('v3').digest],
      });
      expect(await engine.cleanImages(SERVICE)).toHaveLength(1);
      expect(await onNode()).toEqual(['v1', 'v3']);
    });

    it('stay in the middle of a swap: both containers, and what either goes back to', async () => {
      await using engine = newEngine();
      await runService('v1');
      await update(engine, 'v2');
      await update(engine, 'v3');
      await stage(engine, image('v4'));
      await engine.prepareSwap({
        service: SERVICE,
        attempt: '8.update.1',
        target: { kind: 'release', image: image('v4') },
        lastGood: 'running',
      });
      expect(await engine.cleanImages(SERVICE)).toEqual([]);
      await engine.cutOver(SERVICE);
      expect(await engine.cleanImages(SERVICE)).toEqual([]);
      await engine.undoSwap(SERVICE);
      expect(await engine.observe(SERVICE)).toMatchObject({ lastGood: { digest: image('v2').digest } });
    });

    it('stay where somebody gave them a name, or has a container of them, were it stopped', async () => {
      await using engine = newEngine();
      await runService('v1');
      for (const tag of ['v2', 'v3', 'v4']) await stage(engine, image(tag));
      const { repository } = image('v2');
      await docker.getImage(`${repository}@${image('v2').digest}`).tag({ repo: 'operators/own', tag: RUN });
      const container = await createByHand(`${repository}@${image('v3').digest}`, `${NAME}-debugging`);
      expect(await engine.cleanImages(SERVICE)).toHaveLength(1);
      expect(await onNode()).toEqual(['v1', 'v2', 'v3']);

      await docker.getImage(`operators/own:${RUN}`).remove();
      await container.remove();
      expect(await engine.cleanImages(SERVICE)).toHaveLength(2);
      expect(await onNode()).toEqual(['v1']);
    });

    it('are not those that were there before, whoever brought them', async () => {
      await using engine = newEngine();
      await runService('v1');
      await pullByHand(`${image('v2').repository}@${image('v2').digest}`);
      await stage(engine, image('v2'));
      expect(await engine.cleanImages(SERVICE)).toEqual([]);
      expect(await onNode()).toEqual(['v1', 'v2']);
    });

    it('stay where the service has no container that could tell', async () => {
      await using engine = newEngine();
      await runService('v1');
      await stage(engine, image('v2'));
      await removeContainers(docker, RUN);
      expect(await engine.cleanImages(SERVICE)).toEqual([]);
      expect(await onNode()).toEqual(['v1', 'v2']);
    });

    it('stay until no service needs them', async () => {
      await using engine = newEngine();
      await runService('v1');
      await createByHand(`${image('v1').repository}:current`, `${NAME}-api`, 'api');
      await stage(engine, image('v2'), SERVICE);
      await stage(engine, image('v2'), 'api');
      expect(await engine.cleanImages(SERVICE)).toEqual([]);
      expect(await onNode()).toEqual(['v1', 'v2']);
      expect(await engine.cleanImages('api')).toHaveLength(1);
      expect(await onNode()).toEqual(['v1']);
    });

    it('are known by whoever finds them after a death, at any step of the pull', async () => {
      await using engine = newEngine();
      await runService('v1');
      const mark = markOf(PLACE, image('v2'));
      const running = `${image('v1').repository}:current`;
      // Before the pull; after it, with the same release wanted; after it, with another one wanted since.
      await docker.getImage(running).tag({ repo: 'swell.local/bringing', tag: mark });
      expect(await engine.cleanImages(SERVICE)).toEqual([]);
      expect(tagsOf(await inspect(running))).toEqual([running]);
      for (const isWanted of [true, false]) {
        await docker.getImage(running).tag({ repo: 'swell.local/bringing', tag: mark });
        await pullByHand(`${image('v2').repository}@${image('v2').digest}`);
        if (isWanted) await stage(engine, image('v2'));
        expect(await engine.cleanImages(SERVICE)).toHaveLength(1);
        expect(await onNode()).toEqual(['v1']);
        expect(tagsOf(await inspect(running))).toEqual([running]);
      }
    });

    it('are known until they are gone, wherever a cleaning was cut off', async () => {
      await using engine = newEngine();
      await runService('v1');
      await stage(engine, image('v2'));
      const { Id = '' } = (await here('v2')) ?? {};
      await docker.getImage(`${image('v2').repository}@${image('v2').digest}`).remove();
      const { RepoTags, RepoDigests = [] } = (await inspect(Id)) ?? {};
      expect(RepoTags).toEqual([`swell.local/brought:${markOf(PLACE, image('v2'))}`]);
      expect(RepoDigests.filter((name) => !name.startsWith('swell.local/'))).toEqual([]);
      expect(await engine.cleanImages(SERVICE)).toEqual([Id]);
      expect(await inspect(Id)).toBeUndefined();
    });
  });

  describe('are pulled', () => {
    it('for the platform of the image that runs, and once', async () => {
      await using engine = newEngine();
      const multi = await startDockerRegistry();
      const built = await buildIndex(multi, ['amd64', 'arm64']);
      const own = `${multi.host}/multi@${built.manifests.arm64}`;
      await pullByHand(own);
      const container = await createByHand(own, NAME, SERVICE, 'created');
      const index = { repository: `${multi.host}/multi`, digest: built.index };
      await stage(engine, index);
      const reference = `${index.repository}@${index.digest}`;
      expect(await inspectFor('arm64', reference)).toMatchObject({ Architecture: 'arm64' });

      // One that is for nothing else is pulled as it is, as Docker would.
      const only = { ...index, digest: built.manifests.amd64 };
      await stage(engine, only);
      expect(await inspect(`${only.repository}@${only.digest}`)).toMatchObject({ Architecture: 'amd64' });

      // Both are what they ought to be: nobody needs the registry for them again.
      await multi[Symbol.asyncDispose]();
      await stage(engine, index);
      await stage(engine, only);
      await container.remove();
      for (const one of [index, only]) await forget(one);
    });

    it('not over the same release of another platform, where dockerd has room for one, and none follows another', async () => {
      await using engine = newEngine();
      await using multi = await startDockerRegistry();
      const built = await buildIndex(multi, ['amd64', 'arm64']);
      const own = `${multi.host}/multi@${built.manifests.arm64}`;
      await pullByHand(own);
      await createByHand(own, NAME, SERVICE, 'created');
      const index = { repository: `${multi.host}/multi`, digest: built.index };
      await pullByHand(`${index.repository}@${index.digest}`);
      const [code, words] = (await hasContainerdStore())
        ? ['not-carried', 'runs for linux/arm64, and dockerd would start the release for linux/amd64']
        : ['pull-failed', 'is here for linux/amd64, and what runs is linux/arm64'];
      const begun = stage(engine, index).then(() =>
        engine.prepareSwap({
          service: SERVICE,
          attempt: '7.update.1',
          target: { kind: 'release', image: index },
          lastGood: 'running',
        }),
      );
      await expect(begun).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
      await docker.getImage(`${index.repository}@${index.digest}`).remove();
      await stage(engine, index);
      const reference = `${index.repository}@${index.digest}`;
      expect(await inspectFor('arm64', reference)).toMatchObject({ Architecture: 'arm64' });
      await removeContainers(docker, RUN);
      await forget(index);
    });

    it('as whoever we are by now, where what we were has expired', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'swell-images-'));
      await using guarded = await startDockerRegistry({ login: 'basic' });
      const login = { username: ACCOUNT.username, password: ACCOUNT.password, serveraddress: guarded.host };
      const repository = `${guarded.host}/private`;
      const pinned = await buildImage(
        docker,
        { repository, tag: 'v1', version: `private-${RUN}`, label: RUN },
        login,
      );
      await forget(pinned);
      // As those of cloud registries do, it gives out what has expired once.
      const helper = join(folder, 'docker-credential-swelltest');
      const answers = ['expired', ACCOUNT.password].map((Secret) =>
        JSON.stringify({ Username: ACCOUNT.username, Secret }),
      );
      await writeFile(join(folder, 'first'), answers[0] ?? '');
      await writeFile(join(folder, 'then'), answers[1] ?? '');
      const script = [
        '#!/bin/sh',
        `cd ${folder}`,
        'echo "$(cat)" >> asked',
        'cat first',
        'cp then first',
        '',
      ];
      await writeFile(helper, script.join('\n'));
      await chmod(helper, 0o755);
      await writeFile(
        join(folder, 'config.json'),
        JSON.stringify({ credHelpers: { [guarded.host]: 'swelltest' } }),
      );
      const path = process.env['PATH'];
      process.env['PATH'] = `${folder}:${path}`;
      try {
        await using engine = newEngine({ auth: dockerConfigAuth(join(folder, 'config.json')) });
        await stage(engine, pinned);
        expect(await inspect(`${repository}@${pinned.digest}`)).toBeDefined();
        expect(await readFile(join(folder, 'asked'), 'utf8')).toBe(`${guarded.host}\n${guarded.host}\n`);
        // Asked anew for each pull, and one that does not expire is asked once.
        await forget(pinned);
        await stage(engine, pinned);
        expect((await readFile(join(folder, 'asked'), 'utf8')).split('\n')).toHaveLength(4);
        await writeFile(join(folder, 'first'), answers[0] ?? '');
        await writeFile(join(folder, 'then'), answers[0] ?? '');
        await forget(pinned);
        await expect(stage(engine, pinned)).rejects.toMatchObject({ code: 'image-missing' });
      } finally {
        process.env['PATH'] = path;
        await rm(folder, { recursive: true });
      }
    });

    it('by a token that the registry has us fetch', async () => {
      const basic = Buffer.from(`${ACCOUNT.username}:${ACCOUNT.password}`).toString('base64');
      await using tokens = await startTokenService(`Basic ${basic}`);
      await using guarded = await startDockerRegistry({ login: tokens });
      const push = `Bearer ${tokens.token('private', ['pull', 'push'])}`;
      const digest = await pushSmall(guarded, 'private', 'amd64', push);
      const pinned = { repository: `${guarded.host}/private`, digest };
      await using engine = newEngine({
        auth: async () => ({
          username: ACCOUNT.username,
          password: ACCOUNT.password,
          serveraddress: guarded.host,
        }),
      });
      await stage(engine, pinned);
      expect(tokens.given()).toBeGreaterThan(0);
      await forget(pinned);
    });

    it('later where the registry has had enough, and not before it says so', async () => {
      await using front = await openFront(registry, 'v1');
      const pinned = { ...image('v2'), repository: `${front.host}/web` };
      await using engine = newEngine();
      await front.does({ tooManyRequests: { retryAfter: '17' } });
      await expect(stage(engine, pinned)).rejects.toMatchObject({
        code: 'pull-failed',
        retryable: true,
        retryAfterMs: 17_000,
      });
      await front.does({ tooManyRequests: {} });
      await expect(stage(engine, pinned)).rejects.toMatchObject({ retryAfterMs: 300_000 });
      await front.does('answer');
      await stage(engine, pinned);
      await forget(pinned);
    });
  });

  describe('find no room', () => {
    it('on a disk that has less than the reserve, and nothing is asked of the registry', async () => {
      await using engine = newEngine({ diskReserve: { bytes: 1_000_000 * GIB } });
      await runService('v1');
      await expect(stage(engine, image('v2'))).rejects.toMatchObject({
        code: 'no-room',
        retryable: true,
        message: expect.stringMatching(
          /: [\d.]+ [GT]iB free, [\d.]+ [GT]iB would be left, 976.6 TiB are reserved$/,
        ),
      });
      expect(await onNode()).toEqual(['v1']);
    });

    it('where the layers that dockerd begins to download do not fit, and leave nothing behind', async () => {
      await using front = await openFront(registry, 'v1');
      // Else it may all be here before anybody could give up.
      await front.does('stall');
      const big = { ...(await publish('big', registry.host, 4_000_000)), repository: `${front.host}/web` };
      const reserve = { bytes: PLENTY.freeBytes - 1 };
      await using engine = newEngine({ diskReserve: reserve, disk: async () => PLENTY });
      await expect(stage(engine, big)).rejects.toMatchObject({ code: 'no-room' });
      expect(await inspect(`${big.repository}@${big.digest}`)).toBeUndefined();
      await front.does('answer');
      // What lies here already needs none.
      await pullByHand(`${big.repository}@${big.digest}`);
      await stage(engine, big);
      await forget(big);
    });

    it('unless nobody can tell, which is said once', async () => {
      const concerns: string[] = [];
      await using engine = newEngine({
        diskReserve: { share: 0.1 },
        disk: async () => undefined,
        onConcern: (concern) => concerns.push(concern),
      });
      await runService('v1');
      for (const tag of ['v2', 'v3']) await stage(engine, image(tag));
      expect(concerns).toEqual([expect.stringContaining('cannot be seen')]);
    });

    it('by what is really free where dockerd keeps its images', async () => {
      await runService('v1');
      const disk = await diskOfImages(new Dockerd(docker));
      expect(disk?.freeBytes).toBeGreaterThan(0);
      expect(disk?.totalBytes).toBeGreaterThan(disk?.freeBytes ?? 0);
    });
  });
});

/** Without what it was pulled by, which containerd's store tells among them. */
function tagsOf(image: Docker.ImageInspectInfo | undefined): readonly string[] | undefined {
  return image?.RepoTags?.filter((name) => !name.includes('@'));
}

/** An image of nothing but a file, for a machine of this kind. */
async function pushSmall(
  to: { readonly host: string },
  repository: string,
  architecture: string,
  authorization?: string,
): Promise<string> {
  const layer = emptyLayer(architecture);
  const config = JSON.stringify({
    architecture,
    os: 'linux',
    config: { Labels: { [TEST_LABEL]: RUN } },
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
  });
  return pushManifest(
    to,
    repository,
    architecture,
    {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      blobs: [config, layer],
      rest: {
        config: {
          mediaType: 'application/vnd.oci.image.config.v1+json',
          size: config.length,
          digest: digestOf(config),
        },
        layers: [
          {
            mediaType: 'application/vnd.oci.image.layer.v1.tar',
            size: layer.length,
            digest: digestOf(layer),
          },
        ],
      },
    },
    authorization,
  );
}

async function buildIndex(registry: { readonly host: string }, architectures: readonly ['amd64', 'arm64']) {
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const found: Record<string, string> = {};
  const manifests: object[] = [];
  for (const architecture of architectures) {
    const digest = await pushSmall(registry, 'multi', architecture);
    const accept = { headers: { accept: mediaType } };
    const body = await (await fetch(`http://${registry.host}/v2/multi/manifests/${digest}`, accept)).text();
    found[architecture] = digest;
    manifests.push({ mediaType, digest, size: body.length, platform: { os: 'linux', architecture } });
  }
  const index = await pushManifest(registry, 'multi', 'v1', {
    mediaType: 'application/vnd.oci.image.index.v1+json',
    rest: { manifests },
  });
  return { index, manifests: { amd64: found['amd64'] ?? '', arm64: found['arm64'] ?? '' } };
}

/** A tar archive with one empty folder, by the name of what it is for. */
function emptyLayer(name: string): string {
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits - 1, '0')}\0`;
  const field = (text: string, length: number): string => text.padEnd(length, '\0');
  const before =
    field(`${name}/`, 100) + octal(0o755, 8) + octal(0, 8) + octal(0, 8) + octal(0, 12) + octal(0, 12);
  const after = `5${field('', 100)}ustar\x0000${field('', 247)}`;
  const sum = Buffer.from(`${before}        ${after}`).reduce((total, byte) => total + byte, 0);
  return field(`${before}${sum.toString(8).padStart(6, '0')}\0 ${after}`, 512) + '\0'.repeat(1_024);
}
