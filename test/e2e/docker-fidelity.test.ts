/**
 * The same container, another image: what Docker shows of a richly configured container before and after a swap is
 * compared as it is, without the engine's own idea of what matters. And what cannot be kept is refused untouched.
 */

import { randomUUID } from 'node:crypto';
import type { PinnedImage } from '@swell/shared/domain/image.ts';
import type Docker from 'dockerode';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { DockerEngine } from '../../packages/agent/src/adapters/docker/docker-engine.ts';
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
import { inOwnSubnets } from '../support/subnets.ts';

const RUN = randomUUID().slice(0, 8);
const SERVICE = 'web';
const NAME = `swell-test-${RUN}`;
const LABELS = { [TEST_LABEL]: RUN, 'swell.service': SERVICE };

describeWithDocker('a swapped container', () => {
  const docker = testDocker();
  const engine = new DockerEngine({
    docker,
    scope: { label: TEST_LABEL, value: RUN },
    auth: async () => undefined,
  });
  let registry: DockerRegistry;
  let v1: PinnedImage;
  let v2: PinnedImage;
  /** One that it asks for. */
  let address: (network: 'front' | 'back') => string;

  beforeAll(async () => {
    registry = await startDockerRegistry();
    const build = (version: string, dockerfile: readonly string[]) =>
      buildImage(docker, {
        repository: `${registry.host}/rich`,
        tag: version,
        version,
        label: RUN,
        dockerfile,
      });
    v1 = await build('v1', [
      'ENV MODE=plain ONLY_OLD=1',
      'VOLUME /data',
      'EXPOSE 9000',
      'WORKDIR /www',
      'LABEL made=v1',
      'HEALTHCHECK --interval=1s --retries=2 CMD ["/bin/busybox", "true"]',
    ]);
    v2 = await build('v2', [
      'ENV MODE=new ONLY_NEW=1',
      'VOLUME /data /brought',
      'WORKDIR /bin',
      'LABEL made=v2 more=1',
      'USER 65534',
      'HEALTHCHECK --interval=2s --timeout=9s CMD ["/bin/busybox", "test", "-d", "/www"]',
    ]);
    await engine.stageImage(v2, AbortSignal.timeout(60_000));
    const { base, numbers } = await inOwnSubnets(docker, ['front', 'back'], (name, first, number) => ({
      Name: `${NAME}-${name}`,
      Driver: 'bridge',
      Labels: { [TEST_LABEL]: RUN },
      IPAM: { Config: [{ Subnet: `10.${first}.${number}.0/24` }] },
    }));
    address = (name) => `10.${base}.${numbers.get(name)}.77`;
    await docker.createVolume({ Name: `${NAME}-store`, Labels: { [TEST_LABEL]: RUN } });
  });

  afterEach(async () => {
    await removeContainers(docker, RUN);
  });

  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
    await removeByLabel(docker, RUN);
    await registry[Symbol.asyncDispose]();
  });

  async function run(options: Docker.ContainerCreateOptions = {}, name = NAME): Promise<Docker.Container> {
    const container = await docker.createContainer({
      name,
      Image: `${v1.repository}@${v1.digest}`,
      ...options,
      Labels: { ...LABELS, ...options.Labels },
    });
    await container.start();
    return container;
  }

  const prepare = () =>
    engine.prepareSwap({
      service: SERVICE,
      attempt: '7.update.1',
      target: { kind: 'release', image: v2 },
      lastGood: 'running',
    });

  async function swap(): Promise<void> {
    await prepare();
    await engine.cutOver(SERVICE);
    await engine.commitSwap(SERVICE);
  }

  it.each<[string, () => Docker.ContainerCreateOptions]>([
    ['with nothing but its image', () => ({})],
    [
      'with ports, volumes and tmpfs',
      () => ({
        ExposedPorts: { '7000/udp': {} },
        Volumes: { '/own': {} },
        HostConfig: {
          PortBindings: { [`${WEB_PORT}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: '' }] },
          Binds: [`${NAME}-store:/store:rw`, '/tmp:/hosted:ro'],
          Mounts: [{ Type: 'volume', Source: '', Target: '/asked' }] as unknown as Docker.MountConfig,
          Tmpfs: { '/scratch': 'size=1m' },
        },
      }),
    ],
    [
      'with two networks, aliases and static addresses',
      () => ({
        Hostname: 'web-1',
        Domainname: 'example.test',
        HostConfig: { NetworkMode: `${NAME}-front`, ExtraHosts: ['db:10.0.0.9'], Dns: ['10.0.0.53'] },
        NetworkingConfig: {
          EndpointsConfig: {
            [`${NAME}-front`]: { Aliases: ['web', 'www'], IPAMConfig: { IPv4Address: address('front') } },
          },
        },
      }),
    ],
    [
      'with environment, command, entrypoint, user and health check of its own',
      () => ({
        Env: ['MODE=mine', 'TOKEN=a=b', 'ONLY_OLD'],
        Entrypoint: ['/bin/busybox', 'sh', '-c'],
        Cmd: [`exec /bin/busybox httpd -f -p ${WEB_PORT} -h /www`],
        User: '0:0',
        WorkingDir: '/',
        StopSignal: 'SIGKILL',
        StopTimeout: 3,
        Healthcheck: { Test: ['CMD', '/bin/busybox', 'test', '-e', '/'], Interval: 3_000_000_000 },
        Labels: { made: 'by hand', 'com.example.team': 'web' },
      }),
    ],
    [
      'with no health check and no entrypoint',
      () => ({
        Entrypoint: [''],
        Cmd: ['/bin/busybox', 'httpd', '-f', '-p', `${WEB_PORT}`, '-h', '/www'],
        Healthcheck: { Test: ['NONE'] },
      }),
    ],
    [
      'with limits, capabilities and a read-only root',
      () => ({
        Tty: true,
        OpenStdin: true,
        MacAddress: '02:42:0a:d5:07:07',
        HostConfig: {
          Memory: 64 * 2 ** 20,
          NanoCpus: 500_000_000,
          PidsLimit: 50,
          Ulimits: [{ Name: 'nofile', Soft: 500, Hard: 1_000 }],
          CapAdd: ['NET_ADMIN'],
          CapDrop: ['MKNOD'],
          SecurityOpt: ['no-new-privileges'],
          Sysctls: { 'net.ipv4.ip_unprivileged_port_start': '0' },
          ReadonlyRootfs: true,
          ShmSize: 2 ** 20,
          LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } },
          OomScoreAdj: 10,
          GroupAdd: ['50'],
          MaskedPaths: [],
          RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 4 },
          IpcMode: 'shareable',
          CgroupnsMode: 'private',
        } as Docker.HostConfig,
      }),
    ],
    [
      'in the network of the host',
      // Its ports are everybody's.
      () => ({ Cmd: ['sleep', '600'], HostConfig: { NetworkMode: 'host', UTSMode: 'host' } }),
    ],
    ['without a network', () => ({ HostConfig: { NetworkMode: 'none' } })],
  ])('%s is what it was, but for its image', async (_, options) => {
    const container = await run(options());
    const before = await container.inspect();
    if (options().NetworkingConfig !== undefined) {
      const endpoint = { Aliases: ['behind'], IPAMConfig: { IPv4Address: address('back') } };
      await docker.getNetwork(`${NAME}-back`).connect({ Container: container.id, EndpointConfig: endpoint });
    }
    const carriedBefore = carried(await container.inspect());
    await swap();
    const after = await docker.getContainer(NAME).inspect();
    expect(after.Id).not.toBe(before.Id);
    expect(after.Config.Env).toContain('ONLY_NEW=1');
    expect(carried(after)).toEqual(carriedBefore);
    // And once more: what was carried is carried on.
    await swapBack();
    expect(carried(await docker.getContainer(NAME).inspect())).toEqual(carriedBefore);
  });

  async function swapBack(): Promise<void> {
    await engine.prepareSwap({
      service: SERVICE,
      attempt: '7.return.1',
      target: { kind: 'last-good' },
      lastGood: 'unchanged',
    });
    await engine.cutOver(SERVICE);
    await engine.commitSwap(SERVICE);
  }

  it('keeps what lies in its volumes, and leaves no volume behind on the way back', async () => {
    const container = await run({ Volumes: { '/own': {} } });
    await inside(container, ['sh', '-c', 'echo kept > /data/file; echo too > /own/file']);
    await prepare();
    await engine.cutOver(SERVICE);
    expect(await engine.probe(SERVICE, command('grep', 'kept', '/data/file'), 60_000)).toMatchObject({
      healthy: true,
    });
    const { Mounts } = await docker.getContainer(NAME).inspect();
    const brought = Mounts.find(({ Destination }) => Destination === '/brought')?.Name ?? '';
    await docker.getVolume(brought).inspect();
    await engine.undoSwap(SERVICE);
    await expect(docker.getVolume(brought).inspect()).rejects.toMatchObject({ statusCode: 404 });
    await swap();
    expect(await engine.probe(SERVICE, command('grep', 'too', '/own/file'), 60_000)).toMatchObject({
      healthy: true,
    });
  });

  it('keeps Compose content: its labels, and the image that Compose thinks it has', async () => {
    const own = { 'com.docker.compose.project': 'shop', 'com.docker.compose.config-hash': 'abc' };
    const replaced = { 'com.docker.compose.image': 'sha256:old', 'com.docker.compose.replace': 'other' };
    await run({ Labels: { ...own, ...replaced } });
    await swap();
    const { Config, Image } = await docker.getContainer(NAME).inspect();
    expect(Config.Labels).toMatchObject({ ...own, 'com.docker.compose.image': Image });
    expect(Config.Labels).not.toHaveProperty('com.docker.compose.replace');
  });

  it.each<[string, string, () => Promise<unknown>]>([
    ['--rm', 'was started with --rm', () => run({ HostConfig: { AutoRemove: true } })],
    ['a Swarm task', 'Swarm', () => run({ Labels: { 'com.docker.swarm.task.id': 'x' } })],
    ['a pause', 'is paused', async () => (await run()).pause()],
    ['a stop by hand', 'is stopped', async () => (await run({ HostConfig: always() })).stop()],
  ])('refuses %s, and says so', async (_, reason, begin) => {
    await begin();
    const before = (await containers(docker)).map(({ Id, State }) => ({ Id, State }));
    expect((await engine.observe(SERVICE)).obstacle).toContain(reason);
    await expect(prepare()).rejects.toMatchObject({
      code: 'not-carried',
      message: expect.stringContaining(reason),
    });
    expect((await containers(docker)).map(({ Id, State }) => ({ Id, State }))).toEqual(before);
  });

  it('refuses a tenant whose landlord is gone: it could not start again', async () => {
    const landlord = await run({ Labels: { 'swell.service': 'landlord' } }, `${NAME}-landlord`);
    const tenant = await run({
      Cmd: ['sleep', '600'],
      HostConfig: { NetworkMode: `container:${landlord.id}` },
    });
    await landlord.remove({ force: true, v: true });
    await expect(prepare()).rejects.toMatchObject({
      code: 'not-carried',
      message: expect.stringContaining('which is gone'),
    });
    expect((await tenant.inspect()).State.Running).toBe(true);
  });

  it('may be one that cannot run as it is: the next image may be the remedy', async () => {
    const broken = await run({ Cmd: ['false'], HostConfig: always() });
    // Docker starts it, it ends, and so on.
    const events = await docker.getEvents({ filters: { container: [broken.id], event: ['die'] } });
    for await (const _ of events) break;
    expect((await engine.observe(SERVICE)).obstacle).toBeUndefined();
    await prepare();
    await engine.cutOver(SERVICE);
    await engine.undoSwap(SERVICE);
    const { HostConfig, Id } = await docker.getContainer(NAME).inspect();
    expect({ Id, policy: HostConfig.RestartPolicy?.Name }).toEqual({ Id: broken.id, policy: 'always' });
  });

  it('is finished forward where somebody prunes the old one in the middle', async () => {
    const old = await run({ HostConfig: always() });
    await prepare();
    await engine.cutOver(SERVICE);
    await docker.pruneContainers({ filters: { label: [`${TEST_LABEL}=${RUN}`] } });
    await expect(old.inspect()).rejects.toMatchObject({ statusCode: 404 });
    expect(await engine.observe(SERVICE)).toMatchObject({
      digests: [v2.digest],
      swap: { progress: 'committed' },
    });
    await expect(engine.undoSwap(SERVICE)).rejects.toMatchObject({ code: 'no-container' });
    const { State, HostConfig } = await docker.getContainer(NAME).inspect();
    expect({ up: State.Running, policy: HostConfig.RestartPolicy?.Name }).toEqual({
      up: true,
      policy: 'always',
    });
    expect((await engine.observe(SERVICE)).swap).toBeUndefined();
  });

  it('is asked for its health as the release says', async () => {
    await run();
    const probe = (kind: Parameters<typeof engine.probe>[1]) => engine.probe(SERVICE, kind, 60_000);
    expect(await probe(command('true'))).toMatchObject({ healthy: true });
    expect(await probe(command('false'))).toEqual({
      healthy: false,
      seen: 'exit code 1 from /bin/busybox false',
    });
    expect(await engine.probe(SERVICE, command('sleep', '60'), 200)).toMatchObject({ healthy: false });
    expect(await probe({ kind: 'tcp', port: 1 })).toMatchObject({ healthy: false });
    await healthyByDocker(docker);
    expect(await probe({ kind: 'docker' })).toMatchObject({ healthy: true });
    expect(await probe({ kind: 'automatic' })).toMatchObject({ healthy: true });
    // Its server listens a moment after its container runs.
    await expect
      .poll(() => probe({ kind: 'tcp', port: WEB_PORT }), { timeout: 60_000 })
      .toMatchObject({ healthy: true });
    await docker.getContainer(NAME).kill();
    await docker.getContainer(NAME).wait();
    expect(await probe({ kind: 'automatic' })).toMatchObject({ healthy: false, ended: true });
  });

  it('is noticed when somebody touches it', async () => {
    await using listener = new DockerEngine({ docker, scope: { label: TEST_LABEL, value: RUN } });
    const heard = listener.changes()[Symbol.asyncIterator]();
    const noticed = new AbortController();
    const first = heard.next().finally(() => noticed.abort());
    // Only dockerd knows when the stream is open: events go on until one is heard.
    while (!noticed.signal.aborted) await (await run()).remove({ force: true, v: true });
    expect(await first).toEqual({ done: false, value: SERVICE });
    await listener[Symbol.asyncDispose]();
    let next = await heard.next();
    while (next.done !== true) next = await heard.next();
  });
});

function always(): Docker.HostConfig {
  return { RestartPolicy: { Name: 'always' } };
}

function command(...words: readonly string[]) {
  return { kind: 'command', command: ['/bin/busybox', ...words] } as const;
}

function containers(docker: Docker): Promise<Docker.ContainerInfo[]> {
  return docker.listContainers({ all: true, filters: { label: [`${TEST_LABEL}=${RUN}`] } });
}

async function inside(container: Docker.Container, words: readonly string[]): Promise<void> {
  const exec = await container.exec({ Cmd: ['/bin/busybox', ...words], AttachStdout: true });
  for await (const _ of await exec.start({}));
  expect((await exec.inspect()).ExitCode).toBe(0);
}

/** Waits for dockerd's own word. */
async function healthyByDocker(docker: Docker): Promise<void> {
  const events = await docker.getEvents({ filters: { container: [NAME], event: ['health_status'] } });
  const { State } = await docker.getContainer(NAME).inspect();
  if (State.Health?.Status === 'healthy') return;
  for await (const event of events) if (String(event).includes('health_status: healthy')) return;
}

const FROM_IMAGE = new Set(['MODE=plain', 'MODE=new', 'ONLY_OLD=1', 'ONLY_NEW=1']);

/** What Docker shows of a container, but for what comes from the image. */
function carried(container: Docker.ContainerInspectInfo): object {
  const { config, mounts, ...rest } = shown(container);
  const labels = Object.entries(config.Labels).filter(([, value]) => !/^v[12]$|^1$/.test(value));
  return {
    ...rest,
    config: {
      ...config,
      Env: config.Env.filter((entry) => !FROM_IMAGE.has(entry)),
      Labels: Object.fromEntries(labels),
      ...fromImage(config),
    },
    mounts: mounts.filter(({ Destination }) => Destination !== '/brought'),
  };
}

/** The images differ in these on purpose; an operator's own value is the same in both, and stays in the comparison. */
function fromImage({
  WorkingDir,
  User,
  Healthcheck,
  Volumes,
  ExposedPorts,
}: Docker.ContainerInspectInfo['Config']) {
  const { '/brought': _, ...volumes } = Volumes ?? {};
  const { '9000/tcp': __, ...ports } = ExposedPorts;
  const interval = Healthcheck?.Interval ?? 0;
  return {
    WorkingDir: WorkingDir === '/www' || WorkingDir === '/bin' ? 'the image’s' : WorkingDir,
    User: User === '65534' ? '' : User,
    Healthcheck: interval === 1e9 || interval === 2e9 ? 'the image’s' : { Test: Healthcheck?.Test, interval },
    Volumes: volumes,
    ExposedPorts: ports,
  };
}
