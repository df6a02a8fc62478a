/**
 * Asks every node's service over HTTP, all the time, as a load balancer would: a node is out while `/health` does not
 * answer with 200. A look every 75 ms is short beside a swap, and beside `minHealthyTime`, for which a node that is back
 * keeps its slot.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { FleetNode } from '../fleet/fleet.ts';
import { ALL_IN, type Availability, looked } from './availability.ts';

const EVERY_MS = 75;
/** A node that stops refuses at once; only one that hangs takes so long. */
const TIMEOUT_MS = 1_500;

export class Prober implements AsyncDisposable {
  readonly #ended = new AbortController();
  readonly #loops: Promise<unknown>;
  #seen: Availability = ALL_IN;

  constructor(nodes: readonly FleetNode[]) {
    this.#loops = Promise.all(nodes.map((node) => this.#watch(node)));
  }

  /** The most nodes of one region that were out at once since the last time this was asked. */
  takeMostOut(): number {
    const { mostOut, out } = this.#seen;
    this.#seen = { out, mostOut: 0 };
    return mostOut;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#loops;
  }

  async #watch(node: FleetNode): Promise<void> {
    while (!this.#ended.signal.aborted) {
      const isIn = await answers(node);
      this.#seen = looked(this.#seen, node, isIn);
      await delay(EVERY_MS);
    }
  }
}

async function answers({ port }: FleetNode): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/health`, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await answer.body?.cancel();
    return answer.status === 200;
  } catch {
    return false;
  }
}
