/** A real dockerd, with images from a real registry, as a world for conformance cases. */

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { PinnedImage } from '@swell/shared/domain/image.ts';
import type Docker from 'dockerode';
import { DockerEngine } from '../../packages/agent/src/adapters/docker/docker-engine.ts';
import {
  type Behaviour,
  buildImage,
  removeByLabel,
  removeContainers,
  TEST_LABEL,
  testDocker,
} from '../support/docker.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { type EngineWorld, type Images, SERVICE, stage } from './engine-world.ts';
import { openFront } from './registry-front.ts';

const BUSYBOX = '/bin/busybox';
/** Serves until somebody makes the file `/die`; and again after its next start. */
const MORTAL =
  `${BUSYBOX} rm -f /die; ${BUSYBOX} httpd -p 8080 -h /www; ` +
  `while [ ! -e /die ]; do ${BUSYBOX} sleep 0.05; done; exit 3`;
const DEAF = ['nc', '-ll', '-p', '8080', '-e', BUSYBOX, 'sleep', '3600'];

export async function dockerEngineWorld(): Promise<EngineWorld> {
  const docker = testDocker();
  const run = randomUUID().slice(0, 8);
  const name = `swell-conformance-${run}`;
  const registry = await startDockerRegistry();
  const front = await openFront(registry, 'sick');
  const build = (tag: string, behaviour: Behaviour, ...dockerfile: string[]): Promise<PinnedImage> =>
    buildImage(docker, {
      repository: `${front.host}/web`,
      tag,
      version: tag,
      behaviour,
      label: run,
      dockerfile,
    });
  const v1 = await build('v1', 'well', `HEALTHCHECK --interval=300ms CMD ["${BUSYBOX}", "true"]`);
  const images: Images = {
    v1,
    v2: await build('v2', 'well', `CMD ${JSON.stringify(['sh', '-c', MORTAL])}`),
    sick: await build('sick', 'sick'),
    hangs: await build('hangs', 'well', `CMD ${JSON.stringify(DEAF)}`),
    ends: await build('ends', 'ends'),
    cannotStart: await build('cannot-start', 'cannot-start'),
    missing: { ...v1, digest: `sha256:${'0'.repeat(64)}` },
  };
  const built = Object.values(images).filter((image) => image !== images.missing);
  const ids = await Promise.all(built.map((image) => idOf(docker, image)));
  const digests = new Map(ids.map((id, index) => [id, built[index]?.digest ?? 'unknown']));

  const scope = { label: TEST_LABEL, value: run };
  const engines: DockerEngine[] = [];
  const newEngine = (): DockerEngine => {
    const engine = new DockerEngine({ docker, scope, auth: async () => undefined });
    engines.push(engine);
    return engine;
  };
  const create = async (service: string, image: PinnedImage): Promise<Docker.Container> =>
    docker.createContainer({
      name: service === SERVICE ? name : `${name}-${service}`,
      Image: `${image.repository}@${image.digest}`,
      Labels: { [TEST_LABEL]: run, 'swell.service': service },
      HostConfig: { RestartPolicy: { Name: 'unless-stopped' } },
    });
  const found = async (): Promise<readonly Docker.ContainerInspectInfo[]> => {
    const label = [`${TEST_LABEL}=${run}`, `swell.service=${SERVICE}`];
    const listed = await docker.listContainers({ all: true, filters: { label } });
    return Promise.all(listed.map(({ Id }) => docker.getContainer(Id).inspect()));
  };

  return {
    images,
    engine: newEngine,
    async run(image) {
      await removeContainers(docker, run);
      await front.does('answer');
      await stage(newEngine(), image);
      const container = await create(SERVICE, image);
      // One that cannot be started shows it by itself.
      await container.start().catch((error: unknown) => {
        if (image !== images.cannotStart) throw error;
      });
    },
    async forget(image) {
      const id = [...digests].find(([, digest]) => digest === image.digest)?.[0] ?? image.digest;
      await docker
        .getImage(id)
        .remove({ force: true })
        .catch((error: unknown) => {
          if (!isMissing(error)) throw error;
        });
    },
    registry: (does) => front.does(does),
    stop: () => docker.getContainer(name).stop(),
    start: () => docker.getContainer(name).start(),
    async remove(which) {
      const all = await found();
      const one = all.find(({ Name }) => (Name === `/${name}`) === (which === 'present'));
      if (one === undefined) throw new Error(`there is no ${which} container`);
      await docker.getContainer(one.Id).remove({ force: true, v: true });
    },
    async die() {
      const exec = await docker.getContainer(name).exec({ Cmd: [BUSYBOX, 'touch', '/die'] });
      await exec.start({ Detach: true });
    },
    async runOther(service) {
      await (await create(service, v1)).start();
    },
    async containers() {
      const all = await found();
      // The present one first.
      const sorted = all.toSorted((a, b) => Number(b.Name === `/${name}`) - Number(a.Name === `/${name}`));
      return sorted.map(({ Image, State }) => ({ digest: digests.get(Image) ?? Image, up: State.Running }));
    },
    async pass(ms) {
      await delay(ms);
    },
    async [Symbol.asyncDispose]() {
      for (const engine of engines) await engine[Symbol.asyncDispose]();
      await removeByLabel(docker, run);
      await front[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

async function idOf(docker: Docker, { repository, digest }: PinnedImage): Promise<string> {
  return (await docker.getImage(`${repository}@${digest}`).inspect()).Id;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'statusCode' in error && error.statusCode === 404;
}
