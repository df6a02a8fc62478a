/** Three nats-servers that are one, each a process in a place of its own, with a store that outlives it. */

import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { natsConf } from '../support/nats-conf.ts';
import { freePorts } from '../support/ports.ts';
import { toolPath } from '../support/tools.ts';
import type { Network, Place } from './network.ts';
import { Resident } from './resident.ts';

export const SERVERS = ['s0', 's1', 's2'] as const;
/** Of one server: for clients, for the other two, for monitoring. */
const PORTS_EACH = 3;
const NAMESPACE_PORTS = [4222, 6222, 8222] as const;

interface Address {
  readonly place: Place;
  readonly ports: readonly [client: number, cluster: number, http: number];
}

export class Cluster implements AsyncDisposable {
  readonly servers: readonly Resident[];
  readonly urls: readonly string[];
  readonly #directory: string;

  private constructor(directory: string, servers: readonly Resident[], urls: readonly string[]) {
    this.#directory = directory;
    this.servers = servers;
    this.urls = urls;
  }

  /** Starts the three; they may still be electing. */
  static async start(network: Network, directory: string): Promise<Cluster> {
    const addresses = await drawAddresses(network);
    const routes = addresses.map(({ place, ports }) => `nats://${place.address}:${ports[1]}`).join(', ');
    const servers: Resident[] = [];
    for (const { place, ports } of addresses) {
      const { name } = place;
      const conf = join(directory, `${name}.conf`);
      const at = { host: place.address, port: ports[0], httpPort: ports[2], store: storeOf(directory, name) };
      const listen = `${place.address}:${ports[1]}`;
      const cluster = `cluster { name: swell, listen: "${listen}", routes: [${routes}] }`;
      await writeFile(conf, natsConf(at, { conf: `server_name: ${name}\n${cluster}` }));
      const command = [toolPath('nats-server'), '-c', conf];
      servers.push(new Resident(name, { place, command, logFile: join(directory, `${name}.log`) }));
    }
    for (const server of servers) server.start();
    return new Cluster(
      directory,
      servers,
      addresses.map(({ place, ports }) => `nats://${place.address}:${ports[0]}`),
    );
  }

  startAll(): void {
    for (const server of this.servers) server.start();
  }

  async killAll(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()));
  }

  /** Keeps a copy of the stores as they are, while nobody runs. */
  async saveStores(): Promise<void> {
    await rm(this.#copies, { recursive: true, force: true });
    await mkdir(this.#copies);
    for (const name of SERVERS) await cp(storeOf(this.#directory, name), join(this.#copies, name), WHOLE);
  }

  /** Puts the stores back to what they were, while nobody runs. */
  async restoreStores(): Promise<void> {
    for (const name of SERVERS) {
      const store = storeOf(this.#directory, name);
      await rm(store, { recursive: true });
      await cp(join(this.#copies, name), store, WHOLE);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.killAll();
  }

  get #copies(): string {
    return join(this.#directory, 'copies');
  }
}

const WHOLE = { recursive: true, preserveTimestamps: true } as const;

const storeOf = (directory: string, name: string): string => join(directory, `${name}-store`);

/** In namespaces of their own they have the ports that everybody knows; on the loopback ones that are free. */
async function drawAddresses(network: Network): Promise<readonly Address[]> {
  const isAlone = network.uncut === undefined;
  const free = isAlone ? [] : await freePorts(SERVERS.length * PORTS_EACH);
  return SERVERS.map((name, index) => {
    const [client = 0, cluster = 0, http = 0] = isAlone ? NAMESPACE_PORTS : free.slice(index * PORTS_EACH);
    return { place: network.place(name), ports: [client, cluster, http] };
  });
}
