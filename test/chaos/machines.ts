/**
 * The machines of all nodes, in the storm's own process: containers that outlive every agent, and take their time over
 * what is asked of them. What really is, is known here at the instant, whatever programs believe.
 */

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { EngineError } from '@swell/agent/adapters/engine.ts';
import { MemoryEngine, MemoryNode, type OnWork } from '@swell/agent/adapters/memory-engine.ts';
import type { SwapOrder } from '@swell/agent/core/container.ts';
import type { Probe } from '@swell/shared/domain/health.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { InFlight } from '@swell/shared/domain/traffic.ts';
import type { ReleaseImage } from '@swell/shared/domain/unit.ts';
import type { Chance } from '../simulation/chance.ts';
import type { Outages } from './outages.ts';
import { type Answer, type Hello, type Question, readLines, writeLine } from './wire.ts';

export const SERVICE = 'web';
export const REGIONS = ['eu-west', 'us-east', 'ap-south'] as const;

export interface NodePlace {
  readonly region: string;
  readonly name: string;
}

type Work = Parameters<OnWork>[0];

/** How long each piece of work takes on average: a small container's, and its images are small as well. */
const WORK_MS: Readonly<Record<Work, number>> = {
  stage: 400,
  prepare: 300,
  'start-beside': 200,
  'cut-over': 500,
  commit: 150,
  undo: 500,
};

export class Machines implements AsyncDisposable {
  readonly socket: string;
  readonly #nodes = new Map<string, { readonly place: NodePlace; readonly containers: MemoryNode }>();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  readonly #outages: Outages;
  readonly #chance: Chance;

  private constructor(socket: string, outages: Outages, chance: Chance) {
    this.socket = socket;
    this.#outages = outages;
    this.#chance = chance;
    this.#server = createServer((connection) => this.#welcome(connection));
  }

  static async open(
    socket: string,
    places: readonly NodePlace[],
    digest: Digest,
    outages: Outages,
    chance: Chance,
  ): Promise<Machines> {
    const machines = new Machines(socket, outages, chance);
    for (const place of places) {
      const containers = new MemoryNode({ [SERVICE]: { up: true, digest } });
      // Those of agents that were killed listen until their connection is found to be gone.
      containers.touched.setMaxListeners(0);
      machines.#nodes.set(place.name, { place, containers });
    }
    machines.#server.listen(socket);
    await once(machines.#server, 'listening');
    return machines;
  }

  /** From now on this image runs nowhere as it should. */
  ail(digest: Digest, how: 'sick' | 'failsToStart'): void {
    for (const { containers } of this.#nodes.values()) containers.ailments[how].add(digest);
  }

  /** What every node runs, by its name; `undefined` where its container does not run. */
  running(): ReadonlyMap<string, Digest | undefined> {
    return new Map(
      [...this.#nodes].map(([name, { containers }]) => {
        const container = containers.container(SERVICE);
        return [name, container?.up === true ? container.digest : undefined];
      }),
    );
  }

  /** Nodes with a swap that is neither done nor undone. */
  halfDone(): readonly string[] {
    return [...this.#nodes].filter(([, { containers }]) => containers.swaps.size > 0).map(([name]) => name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** One agent's way to its machine. */
  #welcome(socket: Socket): void {
    this.#sockets.add(socket);
    // A killed agent's connection may end in the middle of a line.
    socket.on('error', () => {});
    let visit: Visit | undefined;
    readLines(socket, (read) => {
      const line = read as Hello | Question;
      if ('node' in line) visit = this.#open(socket, line.node);
      else void visit?.answer(line).then((answer) => writeLine(socket, answer));
    });
    socket.on('close', () => {
      this.#sockets.delete(socket);
      visit?.end();
    });
  }

  #open(socket: Socket, name: string): Visit {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new Error(`no machine is called ${name}`);
    const chance = this.#chance.fork(`${name} ${this.#sockets.size}`);
    const visit = new Visit(node.place, node.containers, this.#outages, chance);
    void (async () => {
      for await (const touched of visit.engine.changes()) writeLine(socket, { touched });
    })();
    return visit;
  }
}

/** One agent at its machine. What it had begun when it died is not done, or is done and nobody has learnt of it. */
class Visit {
  readonly engine: MemoryEngine;
  readonly #place: NodePlace;
  readonly #containers: MemoryNode;
  readonly #outages: Outages;
  readonly #ended = new AbortController();

  constructor(place: NodePlace, containers: MemoryNode, outages: Outages, chance: Chance) {
    this.#place = place;
    this.#containers = containers;
    this.#outages = outages;
    this.engine = new MemoryEngine(containers, async (work) => {
      await delay(chance.exponential(WORK_MS[work]), undefined, { signal: this.#ended.signal });
    });
  }

  end(): void {
    this.#ended.abort();
    void this.engine[Symbol.asyncDispose]();
  }

  async answer({ id, asked, args }: Question): Promise<Answer> {
    try {
      return { id, value: await this.#do(asked, args) };
    } catch (error) {
      // Nobody is there any more who would read it.
      if (this.#ended.signal.aborted) return { id };
      if (!(error instanceof EngineError)) throw error;
      return { id, failed: { code: error.code, message: error.message } };
    }
  }

  async #do(asked: Question['asked'], args: readonly unknown[]): Promise<unknown> {
    const { engine } = this;
    const service = args[0] as string;
    switch (asked) {
      case 'services':
        return engine.services();
      case 'observe':
        return engine.observe(service);
      case 'stageImage':
        return engine.stageImage(
          args[0] as ReleaseImage,
          this.#ended.signal,
          (args[1] as string | null) ?? undefined,
        );
      case 'cleanImages':
        return engine.cleanImages(service, (args[1] as readonly Digest[] | null) ?? undefined);
      case 'prepareSwap':
        return engine.prepareSwap(args[0] as SwapOrder);
      case 'startBeside':
        return engine.startBeside(service);
      case 'cutOver': {
        const attempt = this.#containers.swaps.get(service)?.attempt;
        if (attempt !== undefined) this.#outages.begin(this.#place, attempt);
        return engine.cutOver(service, (args[1] as number | null) ?? undefined);
      }
      case 'commitSwap':
        await engine.commitSwap(service);
        return this.#outages.end(this.#place);
      case 'undoSwap':
        await engine.undoSwap(service);
        return this.#outages.end(this.#place);
      case 'probe':
        return engine.probe(service, args[1] as Probe, args[2] as number);
      case 'askLeave':
        return engine.askLeave(service);
      case 'confirm':
        return engine.confirm(service);
      case 'countInFlight':
        return engine.countInFlight(service, args[1] as InFlight, args[2] as number);
    }
  }
}
