/**
 * The calls that a swap makes to dockerd, each with a deadline. Anybody may remove any container at any time, so what is
 * gone already counts as done, and what is not there is `undefined`. Everything else becomes an {@link EngineError}.
 */

import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { EngineError, type EngineErrorCode } from '../engine.ts';
import type { Endpoint, InspectedContainer, InspectedImage, RestartPolicy } from './inspected.ts';
import {
  archiveOf,
  type Change,
  fileIn,
  type PathStat,
  readPathStat,
  type WrittenFile,
} from './spec/archive.ts';
import type { CreateBody } from './spec/spec.ts';

const QUESTION_TIMEOUT_MS = 30_000;
/** Creating, starting and removing wait for disks, networks and other people's processes. */
const ORDER_TIMEOUT_MS = 120_000;

export interface CreateRequest {
  readonly name: string;
  readonly image: string;
  readonly body: CreateBody;
  readonly labels: Readonly<Record<string, string>>;
  readonly policy: RestartPolicy;
}

export class Dockerd {
  readonly #docker: Docker;

  constructor(docker: Docker) {
    this.#docker = docker;
  }

  /** Ids of all containers that bear all these labels (`name` or `name=value`), stopped ones included. */
  async list(labels: readonly string[]): Promise<readonly Listed[]> {
    const found = await this.#ask('list containers', (abortSignal) =>
      this.#docker.listContainers({ all: true, filters: { label: [...labels] }, abortSignal }),
    );
    return (found ?? []).map(({ Id, Labels, ImageID, State }) => ({
      id: Id,
      labels: Labels ?? {},
      imageId: ImageID,
      isRunning: State === 'running',
    }));
  }

  async container(id: string): Promise<InspectedContainer | undefined> {
    const found = await this.#ask(`inspect ${id}`, (abortSignal) =>
      this.#docker.getContainer(id).inspect({ abortSignal }),
    );
    const container = found === undefined ? undefined : read(found, isContainer, `container ${id}`);
    // Docker lists what it is taking away until it has.
    return container?.State.Status === 'removing' ? undefined : container;
  }

  /** Those of them that are there. */
  async containers(ids: readonly string[]): Promise<readonly InspectedContainer[]> {
    const found = await Promise.all(ids.map((id) => this.container(id)));
    return found.filter((container) => container !== undefined);
  }

  /** Whatever this dockerd has, but for wrecks: a container that does not run and that dockerd cannot tell of hinders nobody. */
  async everyContainer(): Promise<readonly InspectedContainer[]> {
    const orWreck = ({ id, isRunning }: Listed): Promise<InspectedContainer | undefined> =>
      this.container(id).catch((error: unknown) => {
        if (isRunning || refusalOf(error) === undefined) throw error;
        return undefined;
      });
    const found = await Promise.all((await this.list([])).map(orWreck));
    return found.filter((container) => container !== undefined);
  }

  async image(reference: string): Promise<InspectedImage | undefined> {
    const found = await this.#ask(`inspect image ${reference}`, () =>
      this.#docker.getImage(reference).inspect(),
    );
    return found === undefined ? undefined : read(found, isImage, `image ${reference}`);
  }

  /** All images, or those that have a name in one of these repositories. */
  async images(repositories: readonly string[] = []): Promise<readonly ListedImage[]> {
    const filters = repositories.length > 0 ? { filters: { reference: [...repositories] } } : {};
    const found = await this.#ask('list images', (abortSignal) =>
      this.#docker.listImages({ ...filters, abortSignal }),
    );
    return (found ?? []).map(({ Id, RepoTags = null, RepoDigests = null }) => ({
      Id,
      RepoTags,
      RepoDigests,
    }));
  }

  /** Where it keeps all that it has. */
  async dataRoot(): Promise<string | undefined> {
    const found: unknown = await this.#ask('tell about itself', () => this.#docker.info());
    const root =
      typeof found === 'object' && found !== null && 'DockerRootDir' in found && found.DockerRootDir;
    return typeof root === 'string' && root !== '' ? root : undefined;
  }

  /** What the container has written over its image. */
  async changes(id: string): Promise<readonly Change[]> {
    // It walks through all that was ever written.
    const found: unknown = await call(
      'unavailable',
      `list changes of ${id}`,
      ORDER_TIMEOUT_MS,
      (abortSignal) => this.#docker.getContainer(id).changes({ abortSignal }),
      [404],
    );
    return Array.isArray(found) ? found.filter(isChange) : [];
  }

  /** What lies at a path in the container, whether it runs or not. */
  async pathStat(id: string, path: string): Promise<PathStat | undefined> {
    return this.#ask(`look at ${path} in ${id}`, async (abortSignal) => {
      const answer: IncomingMessage = await this.#docker.getContainer(id).infoArchive({ path, abortSignal });
      answer.resume();
      return readPathStat(answer.headers['x-docker-container-path-stat']);
    });
  }

  async readFile(id: string, path: string): Promise<WrittenFile | undefined> {
    return this.#ask(`read ${path} in ${id}`, async (abortSignal) => {
      const archive: unknown = await this.#docker
        .getContainer(id)
        .getArchive(Object.assign({ path }, { abortSignal }));
      return fileIn(archive as Readable, path);
    });
  }

  /** With the folders that they need. Their owners are as they say, not the container's user. */
  async writeFiles(id: string, files: readonly WrittenFile[]): Promise<void> {
    const archive = await archiveOf(files, new Date());
    const names = files.map(({ path }) => path).join(', ');
    await call('not-carried', `copy ${names}`, ORDER_TIMEOUT_MS, (abortSignal) =>
      this.#docker.getContainer(id).putArchive(archive, Object.assign({ path: '/' }, { abortSignal })),
    );
  }

  /** Creates a container; whatever dockerd says against it is a reason why it cannot be carried over. */
  async create({ name, image, body, labels, policy }: CreateRequest): Promise<void> {
    const options = Object.assign<Docker.ContainerCreateOptions, CreateBody>({}, body);
    Object.assign(options, { name, Image: image, Labels: { ...body.Labels, ...labels } });
    Object.assign(options, { HostConfig: { ...body.HostConfig, RestartPolicy: policy } });
    await call('not-carried', `create ${name}`, ORDER_TIMEOUT_MS, (abortSignal) =>
      this.#docker.createContainer(Object.assign(options, { abortSignal })),
    );
  }

  async connect(network: string, id: string, endpoint: Endpoint): Promise<void> {
    await call('not-carried', `connect to ${network}`, ORDER_TIMEOUT_MS, () =>
      this.#docker.getNetwork(network).connect(connection(id, endpoint)),
    );
  }

  async start(id: string): Promise<void> {
    await call(
      'start-failed',
      `start ${id}`,
      ORDER_TIMEOUT_MS,
      (abortSignal) => this.#docker.getContainer(id).start({ abortSignal }),
      [304],
    );
  }

  async stop(id: string, stopTimeoutMs: number | undefined, ownTimeoutMs: number): Promise<void> {
    const seconds = stopTimeoutMs === undefined ? {} : { t: Math.ceil(stopTimeoutMs / 1_000) };
    const deadlineMs = ORDER_TIMEOUT_MS + (stopTimeoutMs ?? ownTimeoutMs);
    await call(
      'unavailable',
      `stop ${id}`,
      deadlineMs,
      (abortSignal) => this.#docker.getContainer(id).stop({ ...seconds, abortSignal }),
      [304, 404],
    );
  }

  async restart(id: string, ownTimeoutMs: number): Promise<void> {
    await call(
      'start-failed',
      `restart ${id}`,
      ORDER_TIMEOUT_MS + ownTimeoutMs,
      (abortSignal) => this.#docker.getContainer(id).restart({ abortSignal }),
      [404],
    );
  }

  async rename(id: string, name: string): Promise<void> {
    await this.#order(`rename to ${name}`, (abortSignal) =>
      this.#docker.getContainer(id).rename({ name, abortSignal }),
    );
  }

  async setPolicy(id: string, policy: RestartPolicy): Promise<void> {
    await this.#order(`set the restart policy of ${id}`, (abortSignal) =>
      this.#docker.getContainer(id).update({ RestartPolicy: policy, abortSignal }),
    );
  }

  /** @param own also the anonymous volumes that only this container ever had */
  async remove(id: string, own: 'keep-volumes' | 'with-volumes'): Promise<void> {
    await call(
      'unavailable',
      `remove ${id}`,
      ORDER_TIMEOUT_MS,
      (abortSignal) =>
        this.#docker
          .getContainer(id)
          .remove({ force: true, v: own === 'with-volumes', abortSignal } as object),
      // 409: somebody else is removing it.
      [404, 409],
    );
  }

  /** Gives an image another name; an image that is not there any more gets none. */
  async tag(image: string, repository: string, tag: string): Promise<void> {
    await this.#order(`tag ${repository}:${tag}`, (abortSignal) =>
      this.#docker.getImage(image).tag({ repo: repository, tag, abortSignal }),
    );
  }

  /**
   * Takes a name away from an image, and with its last name the image itself. dockerd refuses the last name of an image that
   * a container has: then nothing happened, and it is false.
   */
  async untag(name: string): Promise<boolean> {
    const is = await call(
      'unavailable',
      `remove the image name ${name}`,
      ORDER_TIMEOUT_MS,
      async (abortSignal) => {
        const image: { remove(options: object): Promise<unknown> } = this.#docker.getImage(name);
        await image.remove({ abortSignal }).catch((error: unknown) => {
          if (statusOf(error) !== 404) throw error;
        });
        return 'gone';
      },
      [409],
    );
    return is === 'gone';
  }

  async #ask<T>(what: string, run: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    return call('unavailable', what, QUESTION_TIMEOUT_MS, run, [404]);
  }

  async #order(what: string, run: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    await call('unavailable', what, ORDER_TIMEOUT_MS, run, [404]);
  }
}

interface Listed {
  readonly id: string;
  readonly labels: Labels;
  readonly imageId: string;
  readonly isRunning: boolean;
}

export type ListedImage = Pick<InspectedImage, 'Id' | 'RepoTags' | 'RepoDigests'>;

type Labels = Readonly<Record<string, string>>;

function isContainer(value: object): value is InspectedContainer {
  const parts = ['State', 'Config', 'HostConfig', 'NetworkSettings'];
  const fields: Readonly<Record<string, unknown>> = { ...value };
  const named = ['Id', 'Name', 'Image'].every((name) => typeof fields[name] === 'string');
  return named && parts.every((name) => typeof fields[name] === 'object' && fields[name] !== null);
}

function isImage(value: object): value is InspectedImage {
  return 'Id' in value && typeof value.Id === 'string';
}

function isChange(value: unknown): value is Change {
  return typeof value === 'object' && value !== null && 'Path' in value && 'Kind' in value;
}

/** The rest of an answer is Docker's, and travels through unread. */
function read<T extends object>(value: object, is: (value: object) => value is T, what: string): T {
  if (!is(value)) throw new EngineError('unavailable', `dockerd's answer is no ${what}`);
  return value;
}

function connection(id: string, endpoint: Endpoint): Docker.NetworkConnectOptions {
  return Object.assign<Docker.NetworkConnectOptions, object>({ Container: id }, { EndpointConfig: endpoint });
}

async function call<T>(
  refusal: EngineErrorCode,
  what: string,
  deadlineMs: number,
  run: (signal: AbortSignal) => Promise<T>,
  harmless: readonly number[] = [],
): Promise<T | undefined> {
  // Not every call of the client can be aborted, and none may hang.
  const { promise: late, reject } = Promise.withResolvers<never>();
  const deadline = new AbortController();
  const timer = setTimeout(() => {
    reject(new EngineError('unavailable', `could not ${what}: no answer from dockerd in ${deadlineMs} ms`));
    deadline.abort();
  }, deadlineMs);
  try {
    return await Promise.race([run(deadline.signal), late]);
  } catch (error) {
    if (harmless.includes(statusOf(error) ?? 0)) return undefined;
    throw engineErrorOf(error, refusal, `could not ${what}`);
  } finally {
    clearTimeout(timer);
  }
}

/** @param refusal what it means that dockerd answered, and said no */
export function engineErrorOf(error: unknown, refusal: EngineErrorCode, what: string): EngineError {
  if (error instanceof EngineError) return error;
  return new EngineError(codeOf(error, refusal), `${what}: ${reasonOf(error)}`, { cause: error });
}

function codeOf(error: unknown, refusal: EngineErrorCode): EngineErrorCode {
  const status = statusOf(error);
  if (status === undefined || status === 503) return 'unavailable';
  // Of the disk, and not of the container that is to be made.
  return refusal === 'not-carried' && /no space left on device/i.test(reasonOf(error)) ? 'no-room' : refusal;
}

export function statusOf(error: unknown): number | undefined {
  const status: unknown = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' ? status : undefined;
}

/** The status by which dockerd said no; undefined where it said nothing. */
export function refusalOf(error: unknown): number | undefined {
  return error instanceof EngineError ? statusOf(error.cause) : undefined;
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim();
}
