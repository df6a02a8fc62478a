/** What the matrix stands on: two images that differ in all that an image can say, networks, a neighbour, some files. */

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PinnedImage } from '@swell/shared/domain/image.ts';
import type Docker from 'dockerode';
import { DockerEngine } from '../../packages/agent/src/adapters/docker/docker-engine.ts';
import type { Engine } from '../../packages/agent/src/adapters/engine.ts';
import type { SwapOrder } from '../../packages/agent/src/core/container.ts';
import { buildImage, removeByLabel, removeVolume, TEST_LABEL, testDocker } from '../support/docker.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { inLanes } from '../support/lanes.ts';
import { freePorts } from '../support/ports.ts';
import { inOwnSubnets } from '../support/subnets.ts';
import { runTool } from '../support/tools.ts';
import type { Place } from './configuration.ts';

export const SERVICE_LABEL = 'swell.service';
const NETWORKS = ['front', 'back', 'six'] as const;
type NetworkName = (typeof NETWORKS)[number];
/** So many configurations publish ports; each has a row of ten. */
const PUBLISHING_MAX = 4;
const ROW = 10;
const FOREVER = '#!/bin/busybox sh\\nexec /bin/busybox sleep 600\\n';

/** The same in both: a place for a program that needs no arguments. */
const COMMON = [
  `RUN ["/bin/busybox", "sh", "-c", "printf '${FOREVER}' > /bin/forever; /bin/busybox chmod 755 /bin/forever"]`,
  'RUN ["/bin/busybox", "cp", "/bin/busybox", "/bin/busybox-too"]',
  'VOLUME /data',
];
const V1 = [
  'ENV PATH=/bin MODE=plain ONLY_OLD=1',
  'EXPOSE 9000',
  'WORKDIR /www',
  'LABEL made=v1 old=1',
  'SHELL ["/bin/busybox", "sh", "-c"]',
  'HEALTHCHECK --interval=1h --retries=2 CMD ["/bin/busybox", "true"]',
  'ENTRYPOINT ["/bin/busybox"]',
  'CMD ["sleep", "600"]',
];
const V2 = [
  'ENV PATH=/bin:/www MODE=new ONLY_NEW=1',
  'VOLUME /brought',
  'EXPOSE 9001',
  'WORKDIR /bin',
  'LABEL made=v2 new=1',
  'USER 65534',
  'STOPSIGNAL 9',
  'SHELL ["/bin/busybox-too", "sh", "-c"]',
  'HEALTHCHECK --interval=2h --timeout=9s CMD ["/bin/busybox", "test", "-d", "/www"]',
  'ENTRYPOINT ["/bin/busybox-too"]',
  'CMD ["sleep", "700"]',
];

export interface Ground extends AsyncDisposable {
  readonly docker: Docker;
  readonly engine: Engine;
  /** The value of the label that all of it bears. */
  readonly run: string;
  readonly api: string;
  readonly registry: DockerRegistry;
  readonly v1: PinnedImage;
  readonly v2: PinnedImage;
  place(number: number): Place;
  /** The name of an image that only this place has; people move it from version to version. */
  reference(place: Place): string;
  /** What `docker pull` of that name would do. */
  point(place: Place, image: PinnedImage): Promise<void>;
  /** Another engine, as an agent has after its start. */
  newEngine(): Engine;
  /** What Docker shows of a container; its volumes that nobody gave a name go with the ground, wherever they were left. */
  inspect(idOrName: string): Promise<Docker.ContainerInspectInfo>;
}

export async function openGround(): Promise<Ground> {
  const docker = testDocker();
  const run = randomUUID().slice(0, 8);
  const [registry, folder] = await Promise.all([
    startDockerRegistry(),
    mkdtemp(join(tmpdir(), 'swell-fidelity-')),
  ]);
  const repository = `${registry.host}/rich`;
  const build = (version: string, dockerfile: readonly string[]): Promise<PinnedImage> =>
    buildImage(docker, {
      repository,
      tag: version,
      version,
      label: run,
      dockerfile: [...COMMON, ...dockerfile],
    });
  const v1 = await build('v1', V1);
  const v2 = await build('v2', V2);
  await writeFiles(folder);
  const { base, numbers, ids: networkIds } = await makeNetworks(docker, run);
  const address = (name: NetworkName, host: number): string =>
    name === 'six' ? `fd00:${base}:${numbers.get(name)}::${host}` : `10.${base}.${numbers.get(name)}.${host}`;
  const neighbour = `swell-fid-${run}-neighbour`;
  await runTool('docker', [
    'run',
    '-d',
    '--name',
    neighbour,
    '-l',
    `${TEST_LABEL}=${run}`,
    '-v',
    '/lent',
    '--ipc',
    'shareable',
    v1Reference(v1),
  ]);
  await runTool('docker', ['network', 'connect', `swell-fid-${run}-front`, neighbour]);
  const newEngine = (): DockerEngine =>
    new DockerEngine({
      docker,
      scope: { label: TEST_LABEL, value: run },
      auth: async () => undefined,
    });
  const engine = newEngine();
  const nameless = new Set<string>();
  const { ApiVersion: api } = await docker.version();
  const portOf = rowsOf(await freePorts(PUBLISHING_MAX * ROW));
  const referenceOf = ({ number }: Place): string => `${repository}:place-${number}`;
  return {
    docker,
    engine,
    run,
    api,
    registry,
    v1,
    v2,
    newEngine,
    place: (number) => ({
      name: `swell-fid-${run}-${number}`,
      number,
      network: (name) => `swell-fid-${run}-${name}`,
      networkId: (name) => networkIds.get(name) ?? name,
      address,
      neighbour,
      folder,
      get port() {
        return portOf(number);
      },
    }),
    reference: referenceOf,
    async point(place, image) {
      const { Id } = await docker.getImage(`${image.repository}@${image.digest}`).inspect();
      await docker.getImage(Id).tag({ repo: repository, tag: `place-${place.number}` });
    },
    async inspect(idOrName) {
      const shown = await docker.getContainer(idOrName).inspect();
      const names = shown.Mounts.map(({ Name }) => Name ?? '');
      for (const name of names) if (/^[0-9a-f]{64}$/.test(name)) nameless.add(name);
      return shown;
    },
    async [Symbol.asyncDispose]() {
      await engine[Symbol.asyncDispose]();
      const label = [`${TEST_LABEL}=${run}`];
      const left = await docker.listContainers({ all: true, filters: { label } });
      await inLanes(left, [1, 2, 3, 4], async ({ Id }) => {
        await docker.getContainer(Id).remove({ force: true, v: true });
      });
      await removeByLabel(docker, run);
      await Promise.all([...nameless].map((name) => removeVolume(docker, name)));
      await registry[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

function v1Reference({ repository, tag }: PinnedImage): string {
  return `${repository}:${tag}`;
}

/** Each place that asks for a port has a row of its own, the same whenever it asks. */
function rowsOf(ports: readonly number[]): (place: number) => number {
  const given = new Map<number, number>();
  return (place) => {
    const port = given.get(place) ?? ports[given.size * ROW];
    if (port === undefined) throw new Error(`more than ${PUBLISHING_MAX} configurations publish ports`);
    given.set(place, port);
    return port;
  };
}

async function writeFiles(folder: string): Promise<void> {
  const seccomp = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO' }],
  };
  await writeFile(join(folder, 'env'), 'FROM_FILE=1\nMODE=filed\n');
  await writeFile(join(folder, 'labels'), 'com.example.filed=1\n');
  await writeFile(join(folder, 'text'), 'of the host\n');
  await writeFile(join(folder, 'seccomp.json'), JSON.stringify(seccomp));
}

function makeNetworks(docker: Docker, run: string) {
  return inOwnSubnets(docker, NETWORKS, (name, base, number) => {
    const four = `10.${base}.${number}.0`;
    // What Docker chooses stays out of the way of what the configurations ask for.
    const config = { Subnet: `${four}/24`, IPRange: `${four}/26` };
    return {
      Name: `swell-fid-${run}-${name}`,
      Driver: 'bridge',
      Labels: { [TEST_LABEL]: run },
      EnableIPv6: name === 'six',
      IPAM: {
        Driver: 'default',
        Config: name === 'six' ? [config, { Subnet: `fd00:${base}:${number}::/64` }] : [config],
      },
    };
  });
}

/** How an agent takes a service to a release's image. */
export function updateOrder(service: string, image: PinnedImage): SwapOrder {
  return {
    service,
    attempt: '7.update.1',
    target: { kind: 'release', image },
    lastGood: 'running',
    stopTimeoutMs: 0,
  };
}

/** And how it takes it back to the last good one. */
export function returnOrder(service: string): SwapOrder {
  return {
    service,
    attempt: '7.return.1',
    target: { kind: 'last-good' },
    lastGood: 'unchanged',
    stopTimeoutMs: 0,
  };
}

export async function swap(engine: Engine, order: SwapOrder): Promise<void> {
  await engine.prepareSwap(order);
  await engine.cutOver(order.service, 0);
  await engine.commitSwap(order.service);
}
