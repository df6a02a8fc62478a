/**
 * {@link Engine} without containers: a small true one, for the demo where there is no Docker, and for tests. The node
 * outlives its engines as a machine outlives its agents, so a fresh engine finds what another one left.
 */

import { EventEmitter, on } from 'node:events';
import type { Probe } from '@swell/shared/domain/health.ts';
import { type Digest, shortDigest } from '@swell/shared/domain/image.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { InFlight } from '@swell/shared/domain/traffic.ts';
import { describeReleaseImage, misfit, type PartName, type ReleaseImage } from '@swell/shared/domain/unit.ts';
import type { Leave, Observation, ProbeOutcome, SwapOrder, SwapProgress } from '../core/container.ts';
import { mayGo } from '../core/images.ts';
import { type Engine, EngineError } from './engine.ts';

/** What can be wrong with an image; the sets may change at any time. */
export interface Ailments {
  /** Runs, and is never healthy. */
  readonly sick: Set<Digest>;
  /** Its container cannot be started. */
  readonly failsToStart: Set<Digest>;
  /** No registry has it. */
  readonly missing: Set<Digest>;
}

export interface MemoryContainer {
  readonly up: boolean;
  /** Missing: built on the node. */
  readonly digest?: Digest;
  readonly lastGood?: Digest;
  /** Why it cannot be updated. */
  readonly obstacle?: string;
  /** Two of it cannot run side by side. */
  readonly holdsPort?: true;
  /** So many of them, all alike, serve together; missing: one. */
  readonly replicas?: number;
  /** The parts of a stack that serve together; of all of them one digest tells. */
  readonly parts?: readonly PartName[];
}

interface MemorySwap {
  readonly attempt: string;
  readonly progress: SwapProgress;
  readonly old: MemoryContainer;
  readonly fresh: MemoryContainer;
  /** So many replicas have not gone over. */
  readonly left: number;
  readonly irreversible?: true;
  /** The next new one runs already. */
  readonly isBeside?: true;
  /** The one that somebody has taken away: the other one stays, whatever is wanted. */
  readonly gone?: 'old' | 'fresh';
}

/** Called before each piece of work: it may take its time, or throw as a death would. */
export type OnWork = (
  work: 'stage' | 'prepare' | 'start-beside' | 'cut-over' | 'commit' | 'undo',
) => void | Promise<void>;

/** A machine's containers, one for each service. */
export class MemoryNode {
  readonly ailments: Ailments = { sick: new Set(), failsToStart: new Set(), missing: new Set() };
  readonly images = new Set<Digest>();
  /** Those that an engine brought, and for whom. */
  readonly brought = new Map<Digest, ReadonlySet<ServiceName>>();
  /** Those that somebody gave a name of his own. */
  readonly named = new Set<Digest>();
  readonly swaps = new Map<ServiceName, MemorySwap>();
  readonly touched = new EventEmitter();
  readonly #containers = new Map<ServiceName, MemoryContainer>();

  constructor(containers: Readonly<Record<ServiceName, MemoryContainer>> = {}) {
    for (const [service, container] of Object.entries(containers)) this.put(service, container);
  }

  get services(): readonly ServiceName[] {
    return [...this.#containers.keys()].sort();
  }

  container(service: ServiceName): MemoryContainer | undefined {
    return this.#containers.get(service);
  }

  /** What somebody does by hand: a container appears, stops, starts, or is replaced. */
  put(service: ServiceName, container: MemoryContainer): void {
    this.#containers.set(service, container);
    if (container.digest !== undefined) this.images.add(container.digest);
    this.touched.emit('touched', service);
  }

  /** Somebody takes away all that there is of a service. */
  remove(service: ServiceName): void {
    this.#containers.delete(service);
    this.swaps.delete(service);
    this.touched.emit('touched', service);
  }

  /** Somebody takes away the container that stands for a service; the other one of a swap then stands for it. */
  removePresent(service: ServiceName): void {
    const swap = this.swaps.get(service);
    if (swap === undefined || swap.gone !== undefined) return this.remove(service);
    if (swap.progress === 'prepared') {
      this.swaps.set(service, { ...swap, progress: 'committed', gone: 'old' });
      return this.put(service, swap.fresh);
    }
    // The new one's labels told what it was for.
    this.swaps.set(service, { ...swap, attempt: 'unknown', progress: 'prepared', gone: 'fresh' });
    this.put(service, { ...swap.old, up: false });
  }

  /** Somebody takes away the container that a swap has beside the present one. */
  removeOther(service: ServiceName): void {
    const swap = this.swaps.get(service);
    if (swap === undefined || swap.gone !== undefined) return;
    if (swap.progress === 'prepared') this.swaps.delete(service);
    else this.swaps.set(service, { ...swap, progress: 'committed', gone: 'old' });
    this.touched.emit('touched', service);
  }

  /** All that there are: of a swap both. */
  get containers(): readonly MemoryContainer[] {
    const inPlace = [...this.#containers.values()];
    return [...inPlace, ...[...this.swaps.values()].flatMap(({ old, fresh }) => [old, fresh])];
  }

  /** Docker starts a container of this image. */
  starts(digest: Digest | undefined): boolean {
    return digest === undefined || !this.ailments.failsToStart.has(digest);
  }
}

export class MemoryEngine implements Engine {
  readonly kind = 'memory';
  readonly #node: MemoryNode;
  readonly #onWork: OnWork;
  readonly #disposed = new AbortController();

  constructor(node: MemoryNode, onWork: OnWork = () => {}) {
    this.#node = node;
    this.#onWork = onWork;
  }

  async services(): Promise<readonly ServiceName[]> {
    return this.#node.services;
  }

  async observe(service: ServiceName): Promise<Observation> {
    const container = this.#node.container(service);
    const swap = this.#node.swaps.get(service);
    if (container === undefined) return { state: 'absent', digests: [] };
    const { up, digest, lastGood, obstacle, parts } = container;
    const isMixed = swap?.progress === 'cut-over' && swap.left > 0 && swap.old.digest !== digest;
    return {
      state: up || isMixed ? 'running' : 'stopped',
      digests: digest === undefined || isMixed ? [] : [digest],
      ...(swap !== undefined && { swap: describeSwap(swap) }),
      ...(lastGood !== undefined && this.#node.images.has(lastGood) && { lastGood: { digest: lastGood } }),
      ...(parts !== undefined && { parts }),
      ...(swap === undefined && obstacle !== undefined && { obstacle }),
    };
  }

  async stageImage(image: ReleaseImage, signal: AbortSignal, service?: ServiceName): Promise<void> {
    await this.#onWork('stage');
    const { brought } = this.#node;
    const others = brought.get(image.digest) ?? new Set();
    const isThere = this.#node.images.has(image.digest);
    if (isThere && service !== undefined && others.size > 0)
      brought.set(image.digest, new Set([...others, service]));
    if (isThere) return;
    if (signal.aborted)
      throw new EngineError('pull-failed', 'the pull was given up', { cause: signal.reason });
    if (this.#node.ailments.missing.has(image.digest)) {
      throw new EngineError('image-missing', `no registry has ${describeReleaseImage(image)}`);
    }
    this.#node.images.add(image.digest);
    if (service !== undefined) brought.set(image.digest, new Set([service]));
  }

  async cleanImages(service: ServiceName, wanted?: readonly Digest[]): Promise<readonly string[]> {
    const { brought, containers, images, named } = this.#node;
    if (this.#node.container(service) === undefined) return [];
    const going = [...brought].flatMap(([digest, services]) => {
      const isUsed = containers.some((container) => container.digest === digest);
      const isLastGood = containers.some(({ lastGood }) => lastGood === digest);
      const found = { digests: [digest], isUsed, isLastGood, isNamed: named.has(digest) };
      return services.has(service) && mayGo(found, wanted) ? [{ digest, services }] : [];
    });
    const gone: string[] = [];
    for (const { digest, services } of going) {
      const others = new Set([...services].filter((other) => other !== service));
      if (others.size > 0) brought.set(digest, others);
      else {
        brought.delete(digest);
        images.delete(digest);
        gone.push(shortDigest(digest));
      }
    }
    return gone;
  }

  async prepareSwap(order: SwapOrder): Promise<void> {
    await this.#onWork('prepare');
    const { service, attempt } = order;
    const begun = this.#node.swaps.get(service);
    if (begun !== undefined) {
      if (this.#isFor(begun, order)) return;
      if (begun.progress === 'cut-over')
        throw new EngineError('not-carried', 'another swap waits to be committed or undone');
      // Somebody else's leftovers: an attempt that nobody will take up again.
      if (begun.progress === 'committed') this.#finish(service, begun);
      else this.#goBack(service, begun);
    }
    const old = this.#node.container(service);
    if (old === undefined) throw new EngineError('no-container', `there is no container of ${service}`);
    if (old.obstacle !== undefined) throw new EngineError('not-carried', `the container ${old.obstacle}`);
    const unfit = order.target.kind === 'release' ? misfit(order.target.image, old.parts) : undefined;
    if (unfit !== undefined) throw new EngineError('not-carried', unfit);
    const digest = this.#target(order, old);
    const lastGood = { running: old.digest, unchanged: old.lastGood, none: undefined }[order.lastGood];
    const { replicas = 1, holdsPort, parts } = old;
    const fresh = {
      up: false,
      digest,
      ...(lastGood !== undefined && { lastGood }),
      ...(holdsPort !== undefined && { holdsPort }),
      ...(replicas > 1 && { replicas }),
      ...(parts !== undefined && { parts }),
    };
    this.#node.swaps.set(service, {
      attempt,
      progress: 'prepared',
      old,
      fresh,
      left: replicas,
      ...(order.irreversible === true && { irreversible: true }),
    });
    this.#node.touched.emit('touched', service);
  }

  async startBeside(service: ServiceName): Promise<boolean> {
    await this.#onWork('start-beside');
    const swap = this.#node.swaps.get(service);
    if (swap === undefined) throw new EngineError('no-container', 'no swap was prepared');
    if (swap.gone === 'fresh') throw new EngineError('no-container', 'the new container was removed');
    if (swap.old.holdsPort === true || !swap.old.up || swap.left === 0) return false;
    if (!this.#node.starts(swap.fresh.digest))
      throw new EngineError('start-failed', 'the new container did not start');
    this.#node.swaps.set(service, { ...swap, isBeside: true });
    return true;
  }

  async cutOver(service: ServiceName, left = Number.POSITIVE_INFINITY): Promise<number> {
    await this.#onWork('cut-over');
    const swap = this.#node.swaps.get(service);
    if (swap === undefined) throw new EngineError('no-container', 'no swap was prepared');
    if (swap.gone === 'fresh') throw new EngineError('no-container', 'the new container was removed');
    if (swap.progress === 'committed') return 0;
    const goal = Math.min(swap.progress === 'prepared' ? swap.left - 1 : swap.left, left);
    if (goal === swap.left) return goal;
    const up = this.#node.starts(swap.fresh.digest);
    const { isBeside: _, ...begun } = swap;
    this.#node.swaps.set(service, { ...begun, progress: 'cut-over', left: up ? goal : swap.left - 1 });
    this.#node.put(service, { ...swap.fresh, up });
    if (!up) throw new EngineError('start-failed', 'the new container did not start');
    return goal;
  }

  async commitSwap(service: ServiceName): Promise<void> {
    await this.#onWork('commit');
    const swap = this.#node.swaps.get(service);
    if (swap === undefined) return;
    if (swap.gone === 'fresh') {
      this.#goBack(service, swap);
      throw new EngineError('no-container', 'the new container was removed; the other one stays');
    }
    // Where there is no way back all are in place before any is started.
    const isHalfWay = swap.progress === 'cut-over' && swap.left > 0 && swap.irreversible !== true;
    if (swap.progress === 'prepared' || isHalfWay)
      throw new EngineError('no-container', 'there is no new container in place to commit');
    this.#finish(service, swap);
  }

  async undoSwap(service: ServiceName): Promise<void> {
    await this.#onWork('undo');
    const swap = this.#node.swaps.get(service);
    if (swap === undefined) return;
    if (swap.irreversible === true && swap.progress === 'cut-over')
      throw new EngineError('irreversible', 'its new container has been started, and cannot be undone');
    if (swap.gone !== 'old') return this.#goBack(service, swap);
    this.#finish(service, swap);
    throw new EngineError('no-container', 'there is no old container to go back to; the other one stays');
  }

  async probe(service: ServiceName, probe: Probe, _timeoutMs: number): Promise<ProbeOutcome> {
    const swap = this.#node.swaps.get(service);
    const beside = swap?.isBeside === true ? { ...swap.fresh, up: true } : undefined;
    const container = beside ?? this.#node.container(service);
    if (container === undefined) return { healthy: false, seen: 'there is no container', gone: true };
    if (swap?.gone === 'fresh')
      return { healthy: false, seen: 'the old one is all that there is', gone: true, ended: true };
    if (!container.up) return { healthy: false, seen: 'the container is exited', ended: true };
    const sick = container.digest !== undefined && this.#node.ailments.sick.has(container.digest);
    return { healthy: !sick, seen: `${probe.kind} probe ${sick ? 'failed' : 'passed'}` };
  }

  async askLeave(_service: ServiceName): Promise<Leave> {
    return { is: 'given' };
  }

  async confirm(_service: ServiceName): Promise<undefined> {
    return undefined;
  }

  async countInFlight(_service: ServiceName, _inFlight: InFlight, _timeoutMs: number): Promise<number> {
    return 0;
  }

  async *changes(): AsyncGenerator<ServiceName> {
    const { signal } = this.#disposed;
    if (signal.aborted) return;
    try {
      for await (const [service] of on(this.#node.touched, 'touched', { signal })) yield String(service);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed.abort();
  }

  #isFor({ attempt, gone, fresh }: MemorySwap, order: SwapOrder): boolean {
    const { target } = order;
    const goesThere = target.kind === 'last-good' || target.image.digest === fresh.digest;
    return attempt === order.attempt && gone === undefined && goesThere;
  }

  /** Whoever goes on with the new container has judged: one that does not run is started once more. */
  #finish(service: ServiceName, { fresh }: MemorySwap): void {
    const isUp = this.#node.container(service)?.up === true;
    this.#node.swaps.delete(service);
    this.#node.put(service, { ...fresh, up: isUp || this.#node.starts(fresh.digest) });
  }

  /** One that was only prepared has changed nothing: the old container stays as it is, also where somebody stopped it. */
  #goBack(service: ServiceName, { progress, gone, old }: MemorySwap): void {
    this.#node.swaps.delete(service);
    if (progress === 'prepared' && gone === undefined) this.#node.touched.emit('touched', service);
    else this.#node.put(service, { ...old, up: this.#node.starts(old.digest) });
  }

  #target({ target }: SwapOrder, old: MemoryContainer): Digest {
    const digest = target.kind === 'release' ? target.image.digest : old.lastGood;
    if (digest === undefined || !this.#node.images.has(digest)) {
      throw new EngineError('image-missing', `${digest ?? 'the last good image'} is not on this node`);
    }
    return digest;
  }
}

function describeSwap(swap: MemorySwap): NonNullable<Observation['swap']> {
  const { progress, attempt, fresh, gone, left, irreversible } = swap;
  const isKnown = fresh.digest !== undefined && gone !== 'fresh';
  return {
    progress,
    attempt,
    ...(isKnown && { target: fresh.digest }),
    ...(progress === 'cut-over' && left > 0 && { left }),
    ...(irreversible !== undefined && { irreversible }),
  };
}
