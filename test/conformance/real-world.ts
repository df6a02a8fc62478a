/** One real nats-server, or three that are one, as a world for conformance cases. */

import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Bus, BusError } from '@swell/shared/adapters/bus.ts';
import { connectNats, type NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import type { StreamDefinition } from '@swell/shared/adapters/topology-drift.ts';
import { bytes, takeUntil, text } from '../support/listen.ts';
import type { NatsServer } from '../support/nats.ts';
import { startNatsCluster } from '../support/nats-cluster.ts';
import { startNatsProcess } from '../support/nats-process.ts';
import type { BusWorld, Patience } from './world.ts';

const RECONNECTING = { reconnectWaitMs: 50, reconnectJitterMs: 50 };
/** The server answers so where a stream is not known. */
const NOT_FOUND = /stream not found/;

export async function serverWorld(definitions: readonly StreamDefinition[]): Promise<BusWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'swell-conformance-'));
  const [store, copy] = [join(folder, 'store'), join(folder, 'copy')];
  const server = await startNatsProcess({
    jetstream: `jetstream { store_dir: "${store}", sync_interval: always }`,
  });
  const admin = await connectNats({ servers: [server.url], name: 'admin', ...RECONNECTING });
  const world = new RealWorld([server.url], [server], admin, definitions);
  await world.ensure();
  return Object.assign(world, {
    async save() {
      await server.kill();
      await cp(store, copy, { recursive: true });
      await server.restart();
    },
    async rewind(stream?: string) {
      const place = stream === undefined ? '' : join('jetstream', '$G', 'streams', stream);
      await server.kill();
      await rm(join(store, place), { recursive: true });
      await cp(join(copy, place), join(store, place), { recursive: true });
      await server.restart();
    },
    async [Symbol.asyncDispose]() {
      await world.end();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  });
}

export async function clusterWorld(definitions: readonly StreamDefinition[]): Promise<BusWorld> {
  const cluster = await startNatsCluster();
  const servers = ['n0', 'n1', 'n2'].map((name) => cluster.server(name));
  const admin = await connectNats({ servers: cluster.urls, name: 'admin', ...RECONNECTING });
  const world = new RealWorld(cluster.urls, servers, admin, definitions);
  await world.ensure();
  return Object.assign(world, {
    async [Symbol.asyncDispose]() {
      await world.end();
      await cluster[Symbol.asyncDispose]();
    },
  });
}

class RealWorld {
  readonly copies: 1 | 3;
  readonly #urls: readonly string[];
  readonly #servers: readonly NatsServer[];
  readonly #admin: NatsBus;
  readonly #definitions: readonly StreamDefinition[];
  readonly #clients: NatsBus[] = [];
  #returning: Promise<void> = Promise.resolve();
  #probes = 0;

  constructor(
    urls: readonly string[],
    servers: readonly NatsServer[],
    admin: NatsBus,
    definitions: readonly StreamDefinition[],
  ) {
    this.copies = servers.length === 3 ? 3 : 1;
    this.#urls = urls;
    this.#servers = servers;
    this.#admin = admin;
    this.#definitions = definitions.map((definition) => ({ ...definition, num_replicas: this.copies }));
  }

  async connect(patience: Patience = 'patient'): Promise<NatsBus> {
    const hastyMs = this.copies === 3 ? 2_000 : 1_000;
    const requestTimeoutMs = patience === 'hasty' ? hastyMs : 20_000;
    const bus = await connectNats({ servers: this.#urls, name: 'case', requestTimeoutMs, ...RECONNECTING });
    this.#clients.push(bus);
    return bus;
  }

  /** Servers tell each other of subscriptions in their order: who is heard by the last one is heard by all before it. */
  async untilHeeded(bus: Bus): Promise<void> {
    if (this.copies === 1) return;
    this.#probes += 1;
    const subject = `probe.${this.#probes}`;
    const heard = bus.subscribe(subject);
    await heard.ready;
    for (const [index, url] of this.#urls.entries()) {
      await using from = await connectNats({ servers: [url], name: 'probe', ...RECONNECTING });
      const calling = new AbortController();
      const calls = (async () => {
        while (!calling.signal.aborted) {
          from.broadcast(subject, bytes(`${index}`), 'heard?');
          await delay(20);
        }
      })();
      await takeUntil(heard, ({ body }) => text(body) === `${index}`);
      calling.abort();
      await calls;
    }
    heard.close();
  }

  async pass(ms: number): Promise<void> {
    await delay(ms);
  }

  async kill(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.kill()));
  }

  async restart(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.restart()));
  }

  async freeze(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.pause()));
  }

  async thaw(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.resume()));
  }

  async ensure(): Promise<readonly string[]> {
    const made: string[] = [];
    for (const definition of this.#definitions) if (await this.#make(definition)) made.push(definition.name);
    return made;
  }

  async recreate(stream: string): Promise<void> {
    await this.#admin.manager.streams.delete(stream);
    await this.ensure();
  }

  async killLeader(stream: string): Promise<void> {
    const leader = await this.#leaderOf(stream);
    const server = this.#servers[Number(leader.slice(1))];
    if (server === undefined) throw new Error(`${stream} is led by ${leader}`);
    await server.kill();
    this.#returning = this.#leaderOf(stream, leader).then(() => server.restart());
  }

  /** Who leads it, once anybody but that one does. */
  async #leaderOf(stream: string, but?: string): Promise<string> {
    for (;;) {
      const found = await this.#admin.manager.streams.info(stream).catch(() => undefined);
      const leader = found?.cluster?.leader;
      if (leader !== undefined && leader !== '' && leader !== but) return leader;
      await delay(100);
    }
  }

  save(): Promise<void> {
    return Promise.reject(new Error('a cluster has no disk to copy'));
  }

  rewind(): Promise<void> {
    return this.save();
  }

  async end(): Promise<void> {
    await this.#returning;
    await this.thaw();
    for (const bus of [...this.#clients, this.#admin]) await bus[Symbol.asyncDispose]();
  }

  /** Those that have just begun may still be electing. */
  async #make(definition: StreamDefinition): Promise<boolean> {
    const { streams } = this.#admin.manager;
    for (let tries = 0; ; tries += 1) {
      try {
        await streams.info(definition.name);
        return false;
      } catch (error) {
        if (NOT_FOUND.test(String(error))) {
          const made = await streams.add(definition).then(
            () => true,
            () => false,
          );
          if (made) return true;
        }
        if (tries > 600) throw new BusError('unavailable', `no ${definition.name}`, { cause: error });
      }
      await delay(100);
    }
  }
}
