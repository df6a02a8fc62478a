/** Looks at what HAProxy thinks of its servers, again and again, and keeps what was seen. */

import { setTimeout as delay } from 'node:timers/promises';
import { type Haproxy, isIn, type Server } from './haproxy.ts';

const LOOK_EVERY_MS = 40;

export class RotationWatch implements AsyncDisposable {
  readonly #haproxy: Haproxy;
  readonly #ended = new AbortController();
  readonly #loop: Promise<void>;
  readonly #seen = new Map<string, Server[]>();
  /** The most servers that were out at once. */
  mostOut = 0;

  constructor(haproxy: Haproxy) {
    this.#haproxy = haproxy;
    this.#loop = this.#watch();
  }

  /** Every server, by name, with each thing that was seen of it which was not what was seen before. */
  get seen(): ReadonlyMap<string, readonly Server[]> {
    return this.#seen;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#loop;
  }

  async #watch(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      const servers = await this.#haproxy.servers();
      this.mostOut = Math.max(this.mostOut, servers.filter((server) => !isIn(server)).length);
      for (const server of servers) this.#note(server);
      await delay(LOOK_EVERY_MS);
    }
  }

  #note(server: Server): void {
    const before = this.#seen.get(server.name) ?? [];
    const last = before.at(-1);
    if (last?.status === server.status && last.weight === server.weight) return;
    this.#seen.set(server.name, [...before, server]);
  }
}
