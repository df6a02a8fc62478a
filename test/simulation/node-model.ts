/**
 * A machine of the simulated fleet: containers that outlive agents, a disk with the journals, a dockerd that takes its
 * time, goes away, and fails to pull. What really runs is known here, whatever programs believe.
 */

import { type Engine, EngineError } from '@swell/agent/adapters/engine.ts';
import type { Journals } from '@swell/agent/adapters/journal.ts';
import { type MemoryContainer, MemoryEngine, type MemoryNode } from '@swell/agent/adapters/memory-engine.ts';
import type { Operator } from '@swell/agent/adapters/operator.ts';
import type { Leave, ProbeOutcome } from '@swell/agent/core/container.ts';
import type { Journal } from '@swell/agent/core/state.ts';
import { journalSchema } from '@swell/agent/protocol/journal.ts';
import type { Digest, PinnedImage } from '@swell/shared/domain/image.ts';
import type { NodeId, Region, ServiceName } from '@swell/shared/domain/names.ts';
import type { OperatorWord } from '@swell/shared/domain/operator-word.ts';
import type { ByPart } from '@swell/shared/domain/unit.ts';
import type { Parsed } from '@swell/shared/kernel/parsed.ts';
import { decode, encode } from '@swell/shared/protocol/codec.ts';
import type { Ailments } from './ailments.ts';
import type { Chance } from './chance.ts';
import { never, type Process } from './process.ts';
import type { VirtualTime } from './time.ts';

export type Work = 'stage' | 'prepare' | 'start-beside' | 'cut-over' | 'commit' | 'undo';

/** How long each piece of work takes on average, in ms. */
const WORK_MS: Readonly<Record<Work, number>> = {
  stage: 3_000,
  prepare: 300,
  'start-beside': 500,
  'cut-over': 1_500,
  commit: 300,
  undo: 1_500,
};
/** A request that dockerd had begun when its client died is carried out by it, or had not come that far. */
const CARRIED_OUT = 0.5;
const PROBE_MS = 50;
const DIES_LATER_MS = 40_000;
const DIES_AT_START_MS = 2_000;
const FLAP_MS = 7_000;

/** Told of every change of what really is, and of which service. */
export interface Witness {
  /** @param isCaught its agent was stopped between its last look and this deed, and goes on just now */
  wentOut(node: NodeModel, attempt: string, isCaught: boolean, service: ServiceName): void;
  cameBack(node: NodeModel, service: ServiceName): void;
  /** The engine begins a piece of work that will take so long. */
  works(node: NodeModel, work: Work, ms: number, service: ServiceName | undefined): void;
  /** Its engine took these images away, as nobody's. */
  cleaned(node: NodeModel, removed: readonly Digest[]): void;
  /** The agent's journal is gone, or another one. */
  forgets(node: NodeModel): void;
}

export interface NodeGround {
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly ailments: Ailments;
  readonly witness: Witness;
}

export class NodeModel {
  readonly region: Region;
  readonly name: NodeId;
  readonly containers: MemoryNode;
  /** The services that are to run here, whatever becomes of their containers. */
  readonly hosts: ReadonlySet<ServiceName>;
  /** The units that its engine has heard of, by their digests. */
  readonly #units = new Map<Digest, ByPart<Digest>>();
  readonly #disk = new Map<ServiceName, Uint8Array>();
  readonly #ground: NodeGround;
  readonly #wereUp = new Set<ServiceName>();
  readonly #lacking = new Set<ServiceName>();
  /** How often the machine has been off: what dockerd was about has gone with it. */
  #boots = 0;
  /** How far its wall clock is off. */
  skewMs = 0;
  /** dockerd answers nothing until then. */
  dockerdDownUntilMs = 0;
  diskIsFull = false;
  /** What its operator says in the policy file. */
  word: Parsed<readonly OperatorWord[]> = { ok: true, value: [] };
  /** What its application answers before an update; missing: it is not asked. */
  leave: Leave | undefined;
  registryIsDown = false;
  pullFailureRate = 0;
  pullSlowness = 1;
  /** What the registry sends is not what was asked for: the engine looks, and refuses it (I11). */
  pullIsTampered = false;
  slowness = 1;
  /** Attempts whose new container has been started, or somebody tried. */
  readonly started = new Set<string>();
  /** What its operator calls it. */
  labels: readonly string[] = [];
  /** The agent cannot write what it must not forget: it ends. */
  onFatal: () => void = () => {};

  constructor(
    place: { readonly region: Region; readonly name: NodeId },
    containers: MemoryNode,
    ground: NodeGround,
  ) {
    this.region = place.region;
    this.name = place.name;
    this.containers = containers;
    this.hosts = new Set(containers.services);
    this.#ground = ground;
    // Engines of agents that were killed still listen; they are many, and do no harm.
    containers.touched.setMaxListeners(0);
  }

  running(service: ServiceName): Digest | undefined {
    const container = this.containers.container(service);
    return container?.up === true ? container.digest : undefined;
  }

  /** A unit that stands here, or is brought here. */
  knowsUnit(unit: Digest, parts: ByPart<Digest>): void {
    this.#units.set(unit, parts);
  }

  /** The images of a unit's parts; undefined: it is none, as far as this node has heard. */
  partsOf(unit: Digest | undefined): ByPart<Digest> | undefined {
    return unit === undefined ? undefined : this.#units.get(unit);
  }

  /** What each part of a service really has, also while some have gone over and others have not. */
  partsRunning(service: ServiceName): ByPart<Digest> | undefined {
    const container = this.containers.container(service);
    const swap = this.containers.swaps.get(service);
    const present = this.partsOf(container?.digest);
    if (container?.parts === undefined || present === undefined) return undefined;
    if (swap?.progress !== 'cut-over' || swap.left === 0) return present;
    const [fresh = {}, old = {}] = [this.partsOf(swap.fresh.digest), this.partsOf(swap.old.digest)];
    const waiting = container.parts.slice(-swap.left).map((part) => [part, old[part]] as const);
    return { ...fresh, ...Object.fromEntries(waiting) } as ByPart<Digest>;
  }

  /** All that a release of it may bring fits here. */
  isWhole(service: ServiceName): boolean {
    return !this.#lacking.has(service);
  }

  /** It has not all parts that releases of this service have. */
  lacks(service: ServiceName): void {
    this.#lacking.add(service);
  }

  /** Somebody brings up, from the beginning, the stack of a service of which it lacked a part. */
  complete(service: ServiceName, stack: MemoryContainer): void {
    this.#lacking.delete(service);
    this.containers.put(service, stack);
  }

  /** Something is half done to one of its containers. */
  get isInTheMiddle(): boolean {
    return this.containers.swaps.size > 0;
  }

  /** Off, and on again: what dockerd was about is forgotten, what lies on disk is not. */
  powerOff(): void {
    this.#boots += 1;
  }

  /** Containers end with dockerd, or with the machine. */
  stopContainers(): void {
    for (const service of this.containers.services) {
      const container = this.containers.container(service);
      if (container?.up !== true) continue;
      this.#wereUp.add(service);
      this.containers.put(service, { ...container, up: false });
    }
  }

  /** dockerd is back, and starts what ran when it ended. */
  startContainers(): void {
    for (const service of this.#wereUp) {
      const container = this.containers.container(service);
      if (container?.up === false) this.containers.put(service, { ...container, up: true });
    }
    this.#wereUp.clear();
  }

  /** The engine as one agent's process sees it. */
  engine(process: Process): Engine {
    const inner = new MemoryEngine(this.containers);
    const { witness } = this.#ground;
    const does = <Value>(name: string, act: () => Promise<Value>): Promise<Value> =>
      process.effect(name, async () => {
        this.#needDockerd();
        return act();
      });
    return {
      kind: 'memory',
      services: () => does('services', () => inner.services()),
      observe: (service) =>
        does('observe', async () => {
          const seen = await inner.observe(service);
          return this.leave === undefined ? seen : { ...seen, asks: { before: true, after: true } };
        }),
      stageImage: (image, signal, service) =>
        does('stage', async () => {
          await this.#work('stage', process, service);
          // What lies here already needs no registry.
          if (!this.containers.images.has(image.digest)) this.#mayPull();
          if ('parts' in image) this.knowsUnit(image.digest, digestsOf(image.parts));
          await inner.stageImage(image, signal, service);
        }),
      cleanImages: (service, wanted) =>
        does('clean', async () => {
          const before = [...this.containers.images];
          const gone = await inner.cleanImages(service, wanted);
          const removed = before.filter((digest) => !this.containers.images.has(digest));
          if (removed.length > 0) witness.cleaned(this, removed);
          return gone;
        }),
      prepareSwap: (order) =>
        does('prepare', async () => {
          await this.#work('prepare', process, order.service);
          if (this.diskIsFull) throw new EngineError('unavailable', 'no space left on device');
          await inner.prepareSwap(order);
        }),
      startBeside: (service) =>
        does('start-beside', async () => {
          await this.#work('start-beside', process, service);
          this.#ail(service);
          return inner.startBeside(service);
        }),
      cutOver: (service, left) =>
        does('cut-over', async () => {
          const swap = this.containers.swaps.get(service);
          const isCaught = process.calmSinceMs === this.#ground.time.nowMs;
          if (swap !== undefined) witness.wentOut(this, swap.attempt, isCaught, service);
          await this.#work('cut-over', process, service);
          return this.#cutOver(inner, service, left);
        }),
      commitSwap: (service) =>
        does('commit', async () => {
          await this.#work('commit', process, service);
          await inner.commitSwap(service);
          witness.cameBack(this, service);
        }),
      undoSwap: (service) =>
        does('undo', async () => {
          await this.#work('undo', process, service);
          await inner.undoSwap(service);
          witness.cameBack(this, service);
        }),
      probe: (service, probe, timeoutMs) =>
        does('probe', async () =>
          this.#probe(service, timeoutMs, await inner.probe(service, probe, timeoutMs)),
        ),
      askLeave: () => does('ask-leave', async () => this.leave ?? { is: 'given' }),
      confirm: (service) => does('confirm', () => inner.confirm(service)),
      countInFlight: () => process.effect('count-in-flight', async () => this.#countInFlight()),
      changes: () => inner.changes(),
      [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
    };
  }

  /** The operator's policy file as an agent reads it. */
  operator(process: Process): Operator {
    return { read: () => process.effect('read-policy', async () => this.word) };
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
          if (this.diskIsFull) this.onFatal();
          else this.#disk.set(service, encode(journal));
        }),
    };
  }

  loseDisk(): void {
    this.#disk.clear();
    this.#ground.witness.forgets(this);
  }

  /** As it lies on disk now; {@link restoreDisk} puts it back, as somebody's backup would. */
  backupDisk(): ReadonlyMap<ServiceName, Uint8Array> {
    return new Map(this.#disk);
  }

  restoreDisk(backup: ReadonlyMap<ServiceName, Uint8Array>): void {
    this.#disk.clear();
    for (const [service, body] of backup) this.#disk.set(service, body);
    this.#ground.witness.forgets(this);
  }

  async #work(work: Work, process: Process, service?: ServiceName): Promise<void> {
    const boots = this.#boots;
    const slowness = this.slowness * (work === 'stage' ? this.pullSlowness : 1);
    const ms = this.#ground.chance.exponential(WORK_MS[work] * slowness);
    this.#ground.witness.works(this, work, ms, service);
    await this.#wait(ms);
    const isCutOff = !process.isAlive && !this.#ground.chance.happens(CARRIED_OUT);
    if (isCutOff || boots !== this.#boots) await never();
    this.#needDockerd();
  }

  #wait(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ground.time.after(ms, resolve);
    return promise;
  }

  async #cutOver(inner: MemoryEngine, service: ServiceName, left?: number): Promise<number> {
    const ailment = this.#ail(service);
    const others = await inner.cutOver(service, left).finally(() => {
      const swap = this.containers.swaps.get(service);
      if (swap?.progress === 'cut-over') this.started.add(swap.attempt);
    });
    if (ailment === 'dies-at-start') this.#die(service, this.#ground.chance.between(0, DIES_AT_START_MS));
    if (ailment === 'dies-later') this.#die(service, this.#ground.chance.exponential(DIES_LATER_MS));
    return others;
  }

  /** What the new image has here. */
  #ail(service: ServiceName): ReturnType<Ailments['of']> {
    const { failsToStart } = this.containers.ailments;
    const digest = this.containers.swaps.get(service)?.fresh.digest;
    const ailment = this.#ground.ailments.of(digest, this.name);
    if (digest !== undefined && ailment === 'fails-to-start') failsToStart.add(digest);
    return ailment;
  }

  /** The container that runs now ends after a while, if it is still there then; nothing starts it again. */
  #die(service: ServiceName, ms: number): void {
    const { digest } = this.containers.container(service) ?? {};
    this.#ground.time.after(ms, () => {
      const container = this.containers.container(service);
      if (container?.up === true && container.digest === digest)
        this.containers.put(service, { ...container, up: false });
    });
  }

  async #probe(service: ServiceName, timeoutMs: number, outcome: ProbeOutcome): Promise<ProbeOutcome> {
    const { time, chance } = this.#ground;
    if (time.nowMs < this.dockerdDownUntilMs)
      return { healthy: false, seen: 'dockerd does not answer', unasked: true };
    if (!outcome.healthy) return outcome;
    const late = { healthy: false, seen: `no answer within ${timeoutMs} ms` };
    switch (this.#ailment(service)) {
      case 'sick':
        return { healthy: false, seen: 'probe failed' };
      case 'probe-hangs':
        await this.#wait(timeoutMs);
        return late;
      case 'probe-slow': {
        const tookMs = chance.between(0.5, 1.2) * timeoutMs;
        await this.#wait(Math.min(tookMs, timeoutMs));
        return tookMs < timeoutMs ? outcome : late;
      }
      case 'flaps':
        return Math.floor(time.nowMs / FLAP_MS) % 2 === 0
          ? outcome
          : { healthy: false, seen: 'probe failed, this time' };
      default:
        await this.#wait(chance.exponential(PROBE_MS));
        return outcome;
    }
  }

  /** Some do not answer, and some are busy for a while. */
  #countInFlight(): number | undefined {
    const { chance, time } = this.#ground;
    if (time.nowMs < this.dockerdDownUntilMs || chance.happens(0.1)) return undefined;
    return chance.happens(0.5) ? 0 : 3;
  }

  /** Of the container that is asked how it is. */
  #ailment(service: ServiceName) {
    const swap = this.containers.swaps.get(service);
    const asked = swap?.isBeside === true ? swap.fresh : this.containers.container(service);
    return this.#ground.ailments.of(asked?.digest, this.name);
  }

  #needDockerd(): void {
    if (this.#ground.time.nowMs < this.dockerdDownUntilMs)
      throw new EngineError('unavailable', 'dockerd does not answer');
  }

  #mayPull(): void {
    if (this.diskIsFull) throw new EngineError('no-room', '0 B free, 0 B would be left, 1 GiB are reserved');
    if (this.registryIsDown) throw new EngineError('pull-failed', 'the registry does not answer');
    if (this.pullIsTampered) throw new EngineError('digest-mismatch', 'another image was sent');
    if (this.#ground.chance.happens(this.pullFailureRate))
      throw new EngineError('pull-failed', 'the connection was reset');
  }
}

function digestsOf(parts: ByPart<PinnedImage>): ByPart<Digest> {
  return Object.fromEntries(Object.entries(parts).map(([part, { digest }]) => [part, digest]));
}
