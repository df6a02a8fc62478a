/**
 * A machine of the simulated fleet: containers that outlive agents, a disk with the journals, a dockerd that takes its
 * time, goes away, and fails to pull. What really runs is known here, whatever programs believe.
 */

import { type Engine, EngineError } from '@swell/agent/adapters/engine.ts';
import type { Journals } from '@swell/agent/adapters/journal.ts';
import { MemoryEngine, type MemoryNode } from '@swell/agent/adapters/memory-engine.ts';
import type { Journal } from '@swell/agent/core/state.ts';
import { journalSchema } from '@swell/agent/protocol/journal.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { NodeId, Region, ServiceName } from '@swell/shared/domain/names.ts';
import { decode, encode } from '@swell/shared/protocol/codec.ts';
import type { Chance } from './chance.ts';
import type { Process } from './process.ts';
import type { VirtualTime } from './time.ts';

type Work = 'stage' | 'prepare' | 'cut-over' | 'commit' | 'undo';

/** How long each piece of work takes on average, in ms. */
const WORK_MS: Readonly<Record<Work, number>> = {
  stage: 3_000,
  prepare: 300,
  'cut-over': 1_500,
  commit: 300,
  undo: 1_500,
};

/** Told of every change of what really is. */
export interface Witness {
  wentOut(node: NodeModel, attempt: string): void;
  cameBack(node: NodeModel): void;
}

export class NodeModel {
  readonly region: Region;
  readonly name: NodeId;
  readonly containers: MemoryNode;
  readonly #disk = new Map<ServiceName, Uint8Array>();
  readonly #time: VirtualTime;
  readonly #chance: Chance;
  readonly #witness: Witness;
  /** dockerd answers nothing until then. */
  dockerdDownUntilMs = 0;
  diskIsFull = false;
  registryIsDown = false;
  pullFailureRate = 0;
  slowness = 1;

  constructor(
    place: { readonly region: Region; readonly name: NodeId },
    containers: MemoryNode,
    time: VirtualTime,
    chance: Chance,
    witness: Witness,
  ) {
    this.region = place.region;
    this.name = place.name;
    this.containers = containers;
    this.#time = time;
    this.#chance = chance;
    this.#witness = witness;
  }

  running(service: ServiceName): Digest | undefined {
    const container = this.containers.container(service);
    return container?.up === true ? container.digest : undefined;
  }

  /** The engine as one agent's process sees it. */
  engine(process: Process): Engine {
    const inner = new MemoryEngine(this.containers);
    // Engines of agents that were killed still listen; they are many, and do no harm.
    this.containers.touched.setMaxListeners(0);
    const does = <Value>(name: string, act: () => Promise<Value>): Promise<Value> =>
      process.effect(name, async () => {
        this.#needDockerd();
        return act();
      });
    return {
      kind: 'memory',
      services: () => does('services', () => inner.services()),
      observe: (service) => does('observe', () => inner.observe(service)),
      stageImage: (image, signal) =>
        does('stage', async () => {
          await this.#work('stage');
          this.#mayPull();
          await inner.stageImage(image, signal);
        }),
      prepareSwap: (order) =>
        does('prepare', async () => {
          await this.#work('prepare');
          if (this.diskIsFull) throw new EngineError('unavailable', 'no space left on device');
          await inner.prepareSwap(order);
        }),
      cutOver: (service) =>
        does('cut-over', async () => {
          const swap = this.containers.swaps.get(service);
          if (swap !== undefined) this.#witness.wentOut(this, swap.attempt);
          await this.#work('cut-over');
          await inner.cutOver(service);
        }),
      commitSwap: (service) =>
        does('commit', async () => {
          await this.#work('commit');
          await inner.commitSwap(service);
          this.#witness.cameBack(this);
        }),
      undoSwap: (service) =>
        does('undo', async () => {
          await this.#work('undo');
          await inner.undoSwap(service);
          this.#witness.cameBack(this);
        }),
      probe: (service, probe, timeoutMs) => does('probe', () => inner.probe(service, probe, timeoutMs)),
      changes: () => inner.changes(),
      [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
    };
  }

  /** The agent's disk: a save is there or not, never half. */
  journals(process: Process): Journals {
    return {
      load: (service) =>
        process.effect('load', async () => {
          const body = this.#disk.get(service);
          if (body === undefined) return { journal: undefined, problems: [] };
          const read = decode(body, journalSchema);
          if (!read.ok) throw new Error(`the journal does not round-trip: ${read.problems.join('; ')}`);
          return { journal: read.value, problems: [] };
        }),
      save: (service, journal: Journal) =>
        process.effect('save', async () => {
          this.#disk.set(service, encode(journal));
        }),
    };
  }

  loseDisk(): void {
    this.#disk.clear();
  }

  async #work(work: Work): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#time.after(this.#chance.exponential(WORK_MS[work] * this.slowness), resolve);
    await promise;
    this.#needDockerd();
  }

  #needDockerd(): void {
    if (this.#time.nowMs < this.dockerdDownUntilMs)
      throw new EngineError('unavailable', 'dockerd does not answer');
  }

  #mayPull(): void {
    if (this.diskIsFull) throw new EngineError('pull-failed', 'no space left on device');
    if (this.registryIsDown) throw new EngineError('pull-failed', 'the registry does not answer');
    if (this.#chance.happens(this.pullFailureRate))
      throw new EngineError('pull-failed', 'the connection was reset');
  }
}
