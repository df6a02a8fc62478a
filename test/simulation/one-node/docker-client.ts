/** What one process sees of {@link DockerdModel}: the part of Docker's client that the engine uses, each call an effect. */

import type Docker from 'dockerode';
import type { Chance } from '../chance.ts';
import { never, type Process } from '../process.ts';
import type { VirtualTime } from '../time.ts';
import {
  type CreateRequest,
  type DockerdModel,
  type ModelContainer,
  type ModelImage,
  refuse,
} from './dockerd-model.ts';

const STATE_VOLUME = 'swell-state';
export const STATE_DIR = '/var/lib/swell';
/** How long a call takes on average. */
const QUESTION_MS = 5;
const ORDER_MS = 300;
/** A request that dockerd had begun when its client died is carried out, or had not come that far. */
const CARRIED_OUT = 0.5;

export interface ClientGround {
  readonly dockerd: DockerdModel;
  readonly process: Process;
  readonly time: VirtualTime;
  readonly chance: Chance;
  /** What Docker's own check of a container says. */
  readonly isHealthy: (container: ModelContainer) => boolean;
  /** Told before each call that changes something. */
  readonly onDeed: (name: string) => void;
}

export function dockerClient(ground: ClientGround): Docker {
  const { dockerd, process, time, chance } = ground;
  const call = <Value>(name: string, meanMs: number, act: () => Value | Promise<Value>): Promise<Value> =>
    process.effect(name, async () => {
      if (meanMs === ORDER_MS) ground.onDeed(name);
      const { promise, resolve } = Promise.withResolvers<void>();
      time.after(chance.exponential(meanMs), resolve);
      await promise;
      if (!process.isAlive && !chance.happens(CARRIED_OUT)) return never<Value>();
      if (!dockerd.isUp) throw new Error('connect ECONNREFUSED /var/run/docker.sock');
      return act();
    });
  const ask = <Value>(name: string, act: () => Value): Promise<Value> => call(name, QUESTION_MS, act);
  const order = (name: string, act: () => unknown): Promise<unknown> => call(name, ORDER_MS, act);

  const client = {
    listContainers: ({ filters }: { readonly filters: { readonly label: readonly string[] } }) =>
      ask('list', () =>
        [...dockerd.containers.values()]
          .filter(({ labels }) => filters.label.every((label) => bears(labels, label)))
          .map(({ id, labels, imageId }) => ({ Id: id, Labels: labels, ImageID: imageId })),
      ),
    getContainer: (id: string) => ({
      inspect: () => ask('inspect', () => shown(dockerd.find(id), ground)),
      changes: () => ask('changes', () => []),
      start: () => order('start', () => dockerd.start(id)),
      stop: () => order('stop', () => dockerd.stop(id)),
      rename: ({ name }: { readonly name: string }) => order('rename', () => dockerd.rename(id, name)),
      update: ({ RestartPolicy }: { readonly RestartPolicy: { readonly Name: string } }) =>
        order('update', () => dockerd.setPolicy(id, RestartPolicy.Name)),
      remove: () => order('remove', () => dockerd.remove(id)),
    }),
    createContainer: (request: CreateRequest) => order('create', () => dockerd.create(request)),
    getImage: (reference: string) => ({
      inspect: () => ask('inspect image', () => shownImage(dockerd.image(reference), dockerd)),
      tag: ({ repo, tag }: { readonly repo: string; readonly tag: string }) =>
        order('tag', () => dockerd.tag(reference, `${repo}:${tag}`)),
      remove: () => order('untag', () => dockerd.untag(reference)),
    }),
    listImages: ({ filters }: { readonly filters?: { readonly reference: readonly string[] } }) =>
      ask('list images', () =>
        dockerd.images
          .map((image) => shownImage(image, dockerd))
          .filter(({ RepoTags }) =>
            (filters?.reference ?? ['']).some((start) => RepoTags.some((tag) => tag.startsWith(start))),
          ),
      ),
  };
  return client as unknown as Docker;
}

function bears(labels: Readonly<Record<string, string>>, label: string): boolean {
  const [name = '', value] = label.split(/=(.*)/s);
  return name in labels && (value === undefined || labels[name] === value);
}

function shown(container: ModelContainer, { isHealthy, time }: ClientGround) {
  const { id, name, imageId, image, labels, host, policy, status, startedAtMs, restarts } = container;
  if (!['created', 'running', 'restarting', 'exited'].includes(status)) refuse(500, 'what is this?');
  return {
    Id: id,
    Name: `/${name}`,
    Image: imageId,
    Created: new Date(time.nowMs).toISOString(),
    RestartCount: restarts,
    State: {
      Status: status,
      Running: status === 'running',
      Restarting: status === 'restarting',
      ExitCode: 0,
      Error: '',
      StartedAt: startedAtMs === undefined ? '0001-01-01T00:00:00Z' : new Date(startedAtMs).toISOString(),
      Health: { Status: status === 'running' && isHealthy(container) ? 'healthy' : 'unhealthy' },
    },
    Config: { Hostname: id.slice(0, 12), Image: image, Labels: labels, Env: ['SWELL_NODE=n0'] },
    HostConfig: { ...host, RestartPolicy: { Name: policy, MaximumRetryCount: 0 } },
    Mounts: [{ Type: 'volume', Name: STATE_VOLUME, Destination: STATE_DIR, RW: true }],
    NetworkSettings: { Networks: {} },
  };
}

function shownImage(image: ModelImage, dockerd: DockerdModel) {
  return { ...image, Os: 'linux', Architecture: 'amd64', RepoTags: dockerd.tagsOf(image) };
}

/** What `docker run` asks for, as inspect shows it. */
export const HOST_CONFIG = { NetworkMode: 'none', Binds: [`${STATE_VOLUME}:${STATE_DIR}`] };
