/** The new container serves before the old one stops, behind a real HAProxy that sees both (Z3). */

import { randomUUID } from 'node:crypto';
import type { PinnedImage } from '@swell/shared/domain/image.ts';
import type Docker from 'dockerode';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { DockerEngine } from '../../packages/agent/src/adapters/docker/docker-engine.ts';
import { updateOrder } from '../fidelity/ground.ts';
import { removeByLabel, removeContainers, TEST_LABEL, testDocker, WEB_PORT } from '../support/docker.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { describeWithDocker } from '../support/needs.ts';
import { inOwnSubnets } from '../support/subnets.ts';
import { isWell } from '../support/swapping.ts';
import { Haproxy, isIn } from '../support/traffic/haproxy.ts';
import { Requests } from '../support/traffic/requests.ts';
import { buildWebImage } from '../support/traffic/web-image.ts';

const RUN = randomUUID().slice(0, 8);
const SERVICE = 'web';
const NAME = `swell-test-${RUN}`;
const HOSTS = [2, 3, 4, 5];

describeWithDocker('a node that starts the new container first', () => {
  const docker = testDocker();
  let registry: DockerRegistry;
  let v1: PinnedImage;
  let v2: PinnedImage;
  let subnet = '';

  beforeAll(async () => {
    registry = await startDockerRegistry();
    const build = (tag: string) =>
      buildWebImage(docker, { repository: `${registry.host}/web`, tag, version: tag, label: RUN });
    v1 = await build('v1');
    v2 = await build('v2');
    const { base, numbers } = await inOwnSubnets(docker, [NAME], (_, first, number) => {
      const prefix = `10.${first}.${number}`;
      const Config = [{ Subnet: `${prefix}.0/28`, Gateway: `${prefix}.1` }];
      return { Name: NAME, Labels: { [TEST_LABEL]: RUN }, IPAM: { Driver: 'default', Config } };
    });
    subnet = `10.${base}.${numbers.get(NAME)}`;
  });

  afterEach(async () => {
    await removeContainers(docker, RUN);
  });

  afterAll(async () => {
    await removeByLabel(docker, RUN);
    await registry[Symbol.asyncDispose]();
  });

  const newEngine = () =>
    new DockerEngine({ docker, scope: { label: TEST_LABEL, value: RUN }, auth: async () => undefined });

  async function run(host: Docker.HostConfig = {}): Promise<string> {
    await docker.getImage(`${v1.repository}@${v1.digest}`).tag({ repo: v1.repository, tag: 'current' });
    const container = await docker.createContainer({
      name: NAME,
      Image: `${v1.repository}:current`,
      Env: ['GRACEFUL=1'],
      Labels: { [TEST_LABEL]: RUN, 'swell.service': SERVICE },
      HostConfig: { NetworkMode: NAME, RestartPolicy: { Name: 'always' }, ...host },
    });
    await container.start();
    return container.id;
  }

  async function untilWell(engine: DockerEngine): Promise<void> {
    expect(await isWell(engine, SERVICE)).toBe(true);
  }

  it('loses no request behind a balancer', async () => {
    await run();
    await using engine = newEngine();
    await using haproxy = await Haproxy.startWith(
      'web',
      (place) => configuration(place, subnet),
      (servers) => servers.some(isIn),
    );
    await using requests = await Requests.open({ port: haproxy.port, connections: 20, everyMs: 50 });
    await engine.stageImage(v2, AbortSignal.timeout(60_000));
    await engine.prepareSwap({ ...updateOrder(SERVICE, v2), stopTimeoutMs: 20_000 });
    expect(await engine.startBeside(SERVICE)).toBe(true);
    // Asked again, as after an answer that was lost.
    expect(await engine.startBeside(SERVICE)).toBe(true);
    expect(await engine.observe(SERVICE)).toMatchObject({
      digests: [v1.digest],
      swap: { progress: 'prepared' },
    });
    await untilWell(engine);
    await haproxy.until((servers) => servers.filter(isIn).length === 2);
    expect(await engine.cutOver(SERVICE)).toBe(0);
    await untilWell(engine);
    await engine.commitSwap(SERVICE);
    await haproxy.until((servers) => servers.filter(isIn).length === 1);
    const { requests: sent, failed, failures } = requests.take();
    expect({ failed, failures }).toEqual({ failed: 0, failures: {} });
    expect(sent).toBeGreaterThan(50);
    const { Name, HostConfig, State } = await theOnly();
    expect([Name, HostConfig.RestartPolicy?.Name, State.Running]).toEqual([`/${NAME}`, 'always', true]);
    expect(await engine.observe(SERVICE)).toMatchObject({ digests: [v2.digest] });
  });

  it('goes back without having stopped anything', async () => {
    const before = await run();
    const startedAt = (await theOnly()).State.StartedAt;
    await using engine = newEngine();
    await engine.stageImage(v2, AbortSignal.timeout(60_000));
    await engine.prepareSwap(updateOrder(SERVICE, v2));
    await engine.startBeside(SERVICE);
    // A fresh one, as after a death, finds that nothing has been cut over.
    await using fresh = newEngine();
    expect((await fresh.observe(SERVICE)).swap?.progress).toBe('prepared');
    await fresh.undoSwap(SERVICE);
    const { Id, State } = await theOnly();
    expect([Id, State.StartedAt]).toEqual([before, startedAt]);
  });

  it.each<[string, Docker.HostConfig]>([
    ['a host port', { PortBindings: { [`${WEB_PORT}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: '' }] } }],
    ["the host's network", { NetworkMode: 'host' }],
  ])('cannot where %s stands against it, and says so', async (_, host) => {
    await run(host);
    await using engine = newEngine();
    await engine.stageImage(v2, AbortSignal.timeout(60_000));
    await engine.prepareSwap(updateOrder(SERVICE, v2));
    expect(await engine.startBeside(SERVICE)).toBe(false);
    await engine.undoSwap(SERVICE);
  });

  async function theOnly(): Promise<Docker.ContainerInspectInfo> {
    const found = await docker.listContainers({ all: true, filters: { label: [`${TEST_LABEL}=${RUN}`] } });
    expect(found).toHaveLength(1);
    return docker.getContainer(found[0]?.Id ?? '').inspect();
  }
});

/** A server for each address that Docker may give; a connection that is refused goes to another one. */
function configuration(
  { port, directory }: { readonly port: number; readonly directory: string },
  subnet: string,
): string {
  const servers = HOSTS.map((host) => `  server host-${host} ${subnet}.${host}:${WEB_PORT}`);
  return [
    'global',
    `  stats socket ${directory}/admin.sock mode 600 level admin`,
    'defaults',
    '  mode http',
    '  timeout connect 1s',
    '  timeout client 60s',
    '  timeout server 60s',
    '  timeout check 10s',
    '  retries 3',
    '  option redispatch 1',
    '  option http-server-close',
    'frontend in',
    `  bind 127.0.0.1:${port}`,
    '  default_backend web',
    'backend web',
    '  balance roundrobin',
    '  option httpchk GET /health',
    '  default-server check inter 100ms fall 1 rise 1',
    ...servers,
    '',
  ].join('\n');
}
