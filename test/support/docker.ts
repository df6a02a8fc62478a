/**
 * Real images on a real dockerd: a static busybox and a web page, built from scratch, pushed to a test's own registry.
 * All that these make bears {@link TEST_LABEL}, so that a test can take away what it made and nothing else.
 */

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { PinnedImage } from '@swell/shared/domain/image.ts';
import Docker from 'dockerode';
import { pack } from 'tar-stream';
import { toolPath } from './tools.ts';

export const TEST_LABEL = 'swell.test';
/** Where the web server of a test image listens. */
export const WEB_PORT = 8080;

const ANYBODY: Docker.AuthConfig = { username: '', password: '', serveraddress: '' };

/**
 * How an image behaves.
 *
 * - `well`: answers `/` with its version and `/health` with 200.
 * - `sick`: answers `/`, but 404 for `/health`.
 * - `ends`: runs for a moment, then ends with exit code 3.
 * - `cannot-start`: its program is not there.
 */
export type Behaviour = 'well' | 'sick' | 'ends' | 'cannot-start';

export interface ImageOptions {
  /** With its registry: `127.0.0.1:5000/web`. */
  readonly repository: string;
  readonly tag: string;
  readonly version: string;
  readonly behaviour?: Behaviour;
  /** Bytes of a layer that no other image has. */
  readonly ballast?: number;
  /** Further lines of the Dockerfile. */
  readonly dockerfile?: readonly string[];
  /** The test that it belongs to, the value of {@link TEST_LABEL}. */
  readonly label?: string;
}

/** The Docker that `DOCKER_HOST` names, or the usual one. */
export function testDocker(): Docker {
  return new Docker();
}

/** Builds an image on this dockerd, without pushing it. Returns its id. */
export async function buildLocalImage(docker: Docker, options: ImageOptions): Promise<string> {
  const { version, behaviour = 'well', ballast = 0 } = options;
  const context = pack();
  context.entry({ name: 'busybox', mode: 0o755 }, await readFile(toolPath('busybox')));
  context.entry({ name: 'www/index.html' }, version);
  if (behaviour !== 'sick') context.entry({ name: 'www/health' }, 'ok');
  if (ballast > 0) context.entry({ name: 'ballast' }, randomBytes(ballast));
  context.entry({ name: 'Dockerfile' }, dockerfile(options).join('\n'));
  context.finalize();
  return buildFrom(docker, Readable.from(context), options);
}

/** Builds an image of a context with a Dockerfile in it. Returns its id. */
export async function buildFrom(
  docker: Docker,
  context: NodeJS.ReadableStream,
  { repository, tag }: ImageOptions,
): Promise<string> {
  const reference = `${repository}:${tag}`;
  await buildEnded(docker, await docker.buildImage(context, { t: reference, nocache: false }));
  return (await docker.getImage(reference).inspect()).Id;
}

/** Builds an image and pushes it to the registry that its repository names. */
export async function buildImage(
  docker: Docker,
  options: ImageOptions,
  authconfig: Docker.AuthConfig = ANYBODY,
): Promise<PinnedImage> {
  await buildLocalImage(docker, options);
  return pushImage(docker, options, authconfig);
}

/** Pushes an image that this dockerd has. */
export async function pushImage(
  docker: Docker,
  { repository, tag }: ImageOptions,
  authconfig: Docker.AuthConfig = ANYBODY,
): Promise<PinnedImage> {
  const reference = `${repository}:${tag}`;
  const progress = await docker.getImage(reference).push({ tag, authconfig });
  await buildEnded(docker, progress);
  const { RepoDigests } = await docker.getImage(reference).inspect();
  const pushed = RepoDigests.find((entry) => entry.startsWith(`${repository}@`));
  if (pushed === undefined) throw new Error(`the registry gave ${reference} no digest`);
  return { repository, tag, digest: pushed.slice(repository.length + 1) };
}

function dockerfile({
  version,
  behaviour = 'well',
  label = 'any',
  ballast = 0,
  dockerfile: more = [],
}: ImageOptions): string[] {
  const program: Readonly<Record<Behaviour, string>> = {
    well: `["httpd", "-f", "-p", "${WEB_PORT}", "-h", "/www"]`,
    sick: `["httpd", "-f", "-p", "${WEB_PORT}", "-h", "/www"]`,
    ends: '["sh", "-c", "exit 3"]',
    'cannot-start': '["httpd"]',
  };
  const entrypoint = behaviour === 'cannot-start' ? '/bin/missing' : '/bin/busybox';
  return [
    'FROM scratch',
    // First, so that no two tests share a layer below it: who removes an image takes such layers away in the middle of a build.
    `LABEL ${TEST_LABEL}=${label}`,
    'COPY busybox /bin/busybox',
    'COPY www /www',
    ...(ballast > 0 ? ['COPY ballast /ballast'] : []),
    `LABEL org.opencontainers.image.version=${version}`,
    // A first process hears no signal that it does not ask for, and busybox asks for none.
    'STOPSIGNAL SIGKILL',
    `EXPOSE ${WEB_PORT}`,
    `ENTRYPOINT ["${entrypoint}"]`,
    `CMD ${program[behaviour]}`,
    ...more,
    '',
  ];
}

/** Removes the containers that bear `swell.test=<label>`, and the volumes that nobody gave a name. */
export async function removeContainers(docker: Docker, label: string): Promise<void> {
  const filters = JSON.stringify({ label: [`${TEST_LABEL}=${label}`] });
  for (const { Id, Mounts } of await docker.listContainers({ all: true, filters })) {
    await docker.getContainer(Id).remove({ force: true, v: true }).catch(ignoreMissing);
    // A swapped container asks for its anonymous volumes by name, so Docker leaves them.
    const anonymous = Mounts.map(({ Name }) => Name ?? '').filter((name) => /^[0-9a-f]{64}$/.test(name));
    for (const name of anonymous) await docker.getVolume(name).remove().catch(ignoreMissing);
  }
}

/** Removes the containers, networks, volumes and images that bear `swell.test=<label>`. */
export async function removeByLabel(docker: Docker, label: string): Promise<void> {
  const filters = JSON.stringify({ label: [`${TEST_LABEL}=${label}`] });
  await removeContainers(docker, label);
  for (const { Id } of await docker.listNetworks({ filters })) {
    // A dockerd that was asked to remove a container while it connected it keeps an endpoint of it until it is restarted.
    await docker
      .getNetwork(Id)
      .remove()
      .catch(ignoring(403, 404, 409));
  }
  for (const { Name } of (await docker.listVolumes({ filters })).Volumes) {
    await docker.getVolume(Name).remove().catch(ignoreMissing);
  }
  for (const { Id } of await docker.listImages({ filters })) {
    await docker.getImage(Id).remove({ force: true }).catch(ignoreMissing);
  }
}

export async function removeVolume(docker: Docker, name: string): Promise<void> {
  await docker.getVolume(name).remove().catch(ignoreMissing);
}

/** What Docker says of something; undefined where that is not there any more. */
export async function unlessMissing<Found>(asked: Promise<Found>): Promise<Found | undefined> {
  return asked.catch((error: unknown) => {
    ignoring(404)(error);
    return undefined;
  });
}

const ignoreMissing = ignoring(404, 409);

function ignoring(...codes: readonly number[]): (error: unknown) => void {
  return (error) => {
    const isOne = error instanceof Error && 'statusCode' in error && codes.includes(Number(error.statusCode));
    if (!isOne) throw error;
  };
}

/** Waits for a build, a pull or a push, which fails in its last words. */
export function buildEnded(docker: Docker, progress: NodeJS.ReadableStream): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  docker.modem.followProgress(
    progress,
    (error: Error | null) => (error === null ? resolve() : reject(error)),
    ({ error }: { readonly error?: unknown }) => {
      if (typeof error === 'string') reject(new Error(error));
    },
  );
  return promise;
}
