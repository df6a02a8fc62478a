/**
 * Everything that the storm strikes: the cluster, two coordinators, the agents' processes, the machines of their nodes,
 * a registry; and those who watch. Its disposal takes all of it away, however far it had come.
 */

import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connectNats, type NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import { STREAMS } from '@swell/shared/protocol/subjects.ts';
import type { Chance } from '../simulation/chance.ts';
import { type DockerRegistry, pushImage, startDockerRegistry } from '../support/docker-registry.ts';
import { Cluster, SERVERS } from './cluster.ts';
import { Judge } from './judge.ts';
import { Machines, type NodePlace, REGIONS, SERVICE } from './machines.ts';
import type { Network } from './network.ts';
import { Outages } from './outages.ts';
import { COORDINATORS, coordinatorsOf, HOSTS, hostsOf } from './programs.ts';
import type { Resident } from './resident.ts';
import { type Marks, Watch } from './watch.ts';

export const PEOPLE = 'people';
/** Every place of the network. */
export const PLACES = [PEOPLE, ...SERVERS, ...COORDINATORS, ...HOSTS] as const;

/** Whoever watches moves to another server as soon as his own is silent. */
const WATCHERS_PING_MS = 1_000;
const LOOK_EVERY_MS = 500;
const WELL_WITHIN_MS = 120_000;

export interface WorldOptions {
  readonly network: Network;
  /** Of this run alone; it exists. */
  readonly directory: string;
  readonly nodes: number;
  readonly chance: Chance;
  readonly signal: AbortSignal;
}

interface Parts {
  readonly directory: string;
  readonly network: Network;
  readonly signal: AbortSignal;
  readonly places: readonly NodePlace[];
  readonly registry: DockerRegistry;
  readonly cluster: Cluster;
  readonly machines: Machines;
  readonly outages: Outages;
  readonly coordinators: readonly Resident[];
  readonly hosts: readonly Resident[];
}

export class World implements AsyncDisposable {
  readonly parts: Parts;
  readonly judge: Judge;
  readonly #stack: AsyncDisposableStack;
  readonly #buses: NatsBus[] = [];
  #watch: Watch | undefined;
  #entries = 0;

  private constructor(parts: Parts, stack: AsyncDisposableStack) {
    this.parts = parts;
    this.#stack = stack;
    this.judge = new Judge(parts.outages, Date.now);
  }

  /** Everything runs, the streams are there, and what they store is watched. */
  static async open({ network, directory, nodes, chance, signal }: WorldOptions): Promise<World> {
    await using stack = new AsyncDisposableStack();
    const places = Array.from({ length: nodes }, (_, index) => ({
      region: REGIONS[index % REGIONS.length] ?? REGIONS[0],
      name: `n${index}`,
    }));
    const outages = new Outages(() => Date.now());
    const registry = stack.use(await startDockerRegistry({ address: network.place(PEOPLE).address }));
    const { digest } = await pushImage(registry, SERVICE, 'v1', 'v1');
    const socket = join(directory, 'machines.sock');
    const machines = stack.use(await Machines.open(socket, places, digest, outages, chance.fork('machines')));
    const cluster = stack.use(await Cluster.start(network, directory));
    const programs = { network, directory, places, registry, cluster, machines };
    const [coordinators, hosts] = [coordinatorsOf(programs), hostsOf(programs)];
    for (const program of [...coordinators, ...hosts]) stack.use(program).start();
    const parts = {
      directory,
      network,
      signal,
      places,
      registry,
      cluster,
      machines,
      outages,
      coordinators,
      hosts,
    };
    const world = new World(parts, stack.move());
    try {
      await world.#begin();
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  get programs(): readonly Resident[] {
    return [...this.parts.coordinators, ...this.parts.hosts];
  }

  /** The server that leads a stream, as far as anybody says. */
  async leaderOf(stream: string): Promise<Resident | undefined> {
    for (const bus of this.#buses) {
      const info = await bus.manager.streams.info(stream).catch(() => undefined);
      const leader = info?.cluster?.leader;
      if (leader !== undefined) return this.parts.cluster.servers.find(({ name }) => name === leader);
    }
    return undefined;
  }

  /** Every stream has a leader, and two others that are where it is; `false`: not in time, which is a violation. */
  async untilClusterIsWell(): Promise<boolean> {
    const { signal } = this.parts;
    const endMs = performance.now() + WELL_WITHIN_MS;
    for (;;) {
      const problem = await this.#ailing();
      if (problem === undefined) return true;
      if (performance.now() > endMs) {
        this.judge.break('bus', `${problem}, ${WELL_WITHIN_MS / 1_000} s after all was mended`);
        return false;
      }
      await delay(LOOK_EVERY_MS, undefined, { signal });
    }
  }

  /**
   * The disks of all servers as they are now, kept for {@link putStoresBack}. The programs hold still until everything
   * is read: then the copy is known to the last message.
   */
  async keepStores(): Promise<Marks> {
    const { cluster } = this.parts;
    const marks = await this.#standStill(() => cluster.killAll());
    await cluster.saveStores();
    cluster.startAll();
    return marks;
  }

  async putStoresBack(marks: Marks): Promise<void> {
    const { cluster } = this.parts;
    await this.#standStill(async () => {
      this.#watch?.[Symbol.dispose]();
      await cluster.killAll();
    });
    await cluster.restoreStores();
    this.judge.rewind(marks);
    cluster.startAll();
    this.#watchFrom(marks);
  }

  /** Deletes a bucket, as an operator would who thinks that it is another one. */
  async deleteBucket(stream: string, remove: () => Promise<void>): Promise<void> {
    const marks = await this.#standStill(async () => {
      this.#watch?.[Symbol.dispose]();
      await remove();
    });
    this.judge.forget(stream);
    this.#watchFrom(new Map([...marks].filter(([name]) => name !== stream)));
  }

  async untilAllRead(signal: AbortSignal): Promise<void> {
    await this.#watch?.untilAllRead(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch?.[Symbol.dispose]();
    await Promise.all(this.programs.map((program) => program.kill()));
    await Promise.all(this.#buses.map((bus) => bus[Symbol.asyncDispose]()));
    await this.#stack[Symbol.asyncDispose]();
  }

  async #begin(): Promise<void> {
    const { cluster, signal } = this.parts;
    const { urls } = cluster;
    for (const index of urls.keys()) {
      const bus = await connectNats({
        servers: [...urls.slice(index), ...urls.slice(0, index)],
        name: `chaos watcher ${index}`,
        pingIntervalMs: WATCHERS_PING_MS,
        reconnectWaitMs: 100,
        reconnectJitterMs: 100,
        signal,
        onNotice: (notice) => {
          if (notice.kind === 'stream-reborn')
            this.judge.break('bus', `${notice.stream} was ${notice.was} and is ${notice.is}`);
        },
      });
      this.#buses.push(bus);
    }
    await this.untilClusterIsWell();
    this.#watchFrom(new Map());
  }

  #watchFrom(from: Marks): void {
    this.#watch = new Watch({
      buses: this.#buses,
      from,
      number: () => (this.#entries += 1),
      onSeen: (seen) => {
        appendFileSync(join(this.parts.directory, 'entries.jsonl'), `${JSON.stringify(seen)}\n`);
        this.judge.see(seen);
      },
      onContradiction: (message) => this.judge.break('bus', message),
    });
  }

  /** Nobody writes, everything is read: then something is done to the bus, and all go on. */
  async #standStill(act: () => Promise<void>): Promise<Marks> {
    const { signal } = this.parts;
    for (const program of this.programs) program.freeze();
    try {
      await this.#watch?.untilAllRead(signal);
      const marks = this.#watch?.marks ?? new Map();
      await act();
      return marks;
    } finally {
      for (const program of this.programs) program.thaw();
    }
  }

  /** What is wrong with the first stream with which anything is. */
  async #ailing(): Promise<string | undefined> {
    for (const stream of Object.values(STREAMS)) {
      const info = await this.#buses[0]?.manager.streams.info(stream).catch(String);
      if (typeof info !== 'object') return `${stream}: ${info}`;
      const { leader, replicas = [] } = info.cluster ?? {};
      if (leader === undefined) return `${stream} has no leader`;
      const behind = replicas.filter(({ current }) => !current).map(({ name }) => name);
      if (replicas.length + 1 < SERVERS.length || behind.length > 0)
        return `${stream} has ${replicas.length + 1} copies, not current: ${behind.join(', ') || 'none'}`;
    }
    return undefined;
  }
}

/** An image of this tag in the registry. */
export async function publishImage({ registry }: Pick<Parts, 'registry'>, tag: string): Promise<Digest> {
  return (await pushImage(registry, SERVICE, tag, tag)).digest;
}
