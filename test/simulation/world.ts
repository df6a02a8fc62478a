/**
 * A simulated fleet from one seed: real coordinators and agents over modelled outside parts, people who release and
 * steer, and everything that goes wrong. First the storm, then everything heals; then the last release must reach
 * everybody (I14), and at every instant the rules hold.
 */

import { MemoryNode } from '@swell/agent/adapters/memory-engine.ts';
import type { StoredMessage } from '@swell/shared/adapters/bus.ts';
import { firstSequence } from '@swell/shared/adapters/ensure-topology.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import { type ByPart, unitDigest } from '@swell/shared/domain/unit.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import { controlSubject, policyKey, releaseSubject, STREAMS } from '@swell/shared/protocol/subjects.ts';
import { type Ailment, Ailments } from './ailments.ts';
import type { StreamShape } from './bus/definition.ts';
import { ModelServer } from './bus-model.ts';
import { Chance } from './chance.ts';
import { Coverage } from './coverage.ts';
import {
  type Ground,
  type Running,
  type RunningAgent,
  startAgent,
  startCoordinator,
} from './fleet-models.ts';
import { Bench } from './judge/bench.ts';
import { Judge } from './judge/judge.ts';
import { drawHousehold, drawLandscape, FIRST, type Landscape } from './landscape.ts';
import { NodeModel } from './node-model.ts';
import { drawProfile, type Profile } from './profile.ts';
import { PrometheusModel } from './prometheus-model.ts';
import type { Precedences } from './promises/precedence.ts';
import { watch } from './promises/watch.ts';
import { RegistryModel } from './registry-model.ts';
import { VirtualTime } from './time.ts';
import { Truth } from './truth.ts';
import { allOf, PARTS } from './units.ts';
import type { Shown } from './watched-tag.ts';

export interface WorldOptions {
  readonly seed: string;
  readonly nodes: number;
  /** The world's own rates are drawn from these. */
  readonly profile: Profile;
  /** The streams of `nats/streams`. */
  readonly shapes: readonly StreamShape[];
}

export const SERVICE = FIRST;
/** A share of the nodes is called that by their operators. */
const CANARIES = 0.1;
const REGIONS = ['eu-west', 'us-east', 'ap-south'] as const;
export const START_MS = 1_750_000_000_000;
/** How often it is looked at whether a stretch of time is over. */
const LOOK_EVERY_MS = 1_000;
const COORDINATORS = ['north', 'south'] as const;

export interface SimulatedNode {
  readonly model: NodeModel;
  running: RunningAgent | undefined;
  incarnation: number;
  isGone: boolean;
  /** The machine is off until then. */
  offUntilMs: number;
}

export interface SimulatedCoordinator {
  readonly name: string;
  running: Running | undefined;
  incarnation: number;
}

/** How a program ends that is killed. */
export interface Death {
  /** When it is started again. */
  readonly awayMs: number;
  /** How many of the words that it said last still arrive. */
  readonly arriving: number;
}

export type OnEffect = (name: string, when: 'before' | 'after') => void;

export class World implements Disposable, Landscape {
  readonly seed: string;
  readonly chance: Chance;
  readonly time = new VirtualTime(START_MS);
  readonly bench = new Bench(this.time);
  /** Each may depend on those behind it. */
  readonly services: readonly ServiceName[];
  /** Those whose releases are units. */
  readonly units: ReadonlySet<ServiceName>;
  /** Those whose policies watch a tag. */
  readonly watched: ReadonlySet<ServiceName>;
  /** What the first service's tag has named, one after the other. */
  readonly shown: Shown[] = [];
  readonly truths: ReadonlyMap<ServiceName, Truth>;
  readonly judge: Judge;
  readonly coverage = new Coverage();
  readonly registry = new RegistryModel();
  readonly prometheus: PrometheusModel;
  readonly server: ModelServer;
  readonly ground: Ground;
  readonly nodes: SimulatedNode[] = [];
  readonly coordinators: readonly SimulatedCoordinator[];
  readonly ailments = new Ailments();
  /** What each version that was released is. */
  readonly versions = new Map<string, Digest>();
  /** The tags of units, as they were released. */
  readonly unitTags: ByPart<string>[] = [];
  /** What people released as units, by their numbers. */
  readonly unitsReleased = new Map<number, ByPart<Digest>>();
  readonly profile: Profile;
  /** The highest sequence that each stream ever had, whatever it was set back to. */
  readonly reached = new Map<string, number>();
  readonly #joinedAtMs: number[] = [];
  /** All that were ever started. */
  readonly #programs: Running[] = [];
  readonly #byModel = new Map<NodeModel, SimulatedNode>();
  #registryFineSinceMs = 0;
  /** Whether what is being stored is a person's. */
  #isByHand = false;
  /** Told of each effect that leaves a program: where the storm may kill it. */
  onAgentEffect: (node: SimulatedNode, ...effect: Parameters<OnEffect>) => void = () => {};
  onCoordinatorEffect: (coordinator: SimulatedCoordinator, ...effect: Parameters<OnEffect>) => void =
    () => {};

  constructor({ seed, nodes, profile, shapes }: WorldOptions) {
    this.seed = seed;
    this.chance = new Chance(seed);
    const drawn = this.chance.fork('profile');
    this.profile = drawProfile(profile, drawn);
    ({
      services: this.services,
      units: this.units,
      watched: this.watched,
    } = drawLandscape(this.profile, this.chance));
    this.server = new ModelServer(this.time, this.chance.fork('bus'), shapes, drawn.happens(0.5) ? 3 : 1);
    this.server.firstSequence = (stream) => firstSequence(stream, this.time.nowMs);
    this.prometheus = new PrometheusModel({
      time: this.time,
      nodes: () => this.nodes.filter(({ isGone }) => !isGone).map(({ model }) => model),
      versions: this.versions,
      running: (model, service) => model.running(service),
    });
    this.ground = {
      time: this.time,
      prometheus: this.prometheus,
      chance: this.chance.fork('programs'),
      server: this.server,
      onHandled: (model, event, before, after) => {
        this.coverage.agent(event, before);
        this.judge.agentHandled(model, event, before, after);
      },
      onLed: (event, before) => {
        this.coverage.coordinator(event, before);
        if (event.kind === 'wave-stored') this.judge.believes(event);
      },
      onCrash: (name, error) => {
        const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.bench.break('crash', `${name}: ${why}`);
      },
    };
    const { server, time, ailments, nodes: fleet } = this;
    const calmSince = (model: NodeModel): number | undefined => this.#calmSince(model);
    this.truths = new Map(
      this.services.map((service) => [
        service,
        new Truth(this.bench, time, service, calmSince, (rollout) => this.unitsReleased.get(rollout)),
      ]),
    );
    const precedences: Precedences = new Map();
    const judges = this.services.map((service) => {
      const promises = watch({
        bench: this.bench,
        time,
        server,
        ailments,
        nodes: () => fleet.filter(({ model }) => model.hosts.has(service)),
        service,
        prometheusSpokeAtMs: () => this.prometheus.answeredAtMs,
        coordinators: () => this.coordinators,
        precedences,
        shown: service === SERVICE ? this.shown : [],
        registryFineSinceMs: () => this.#registryFineSinceMs,
      });
      return [service, { truth: this.truthOf(service), promises }] as const;
    });
    this.judge = new Judge(this.bench, new Map(judges), shapes);
    this.server.onStored = (stream, message) => {
      this.reached.set(stream, Math.max(this.reached.get(stream) ?? 0, message.sequence));
      this.judge.stored(stream, message, this.#isByHand);
    };
    this.server.onChanged = (stream) => this.judge.setBack(stream, this.#standing());
    this.publishImage('v1');
    for (let index = 0; index < nodes; index += 1) this.addNode();
    this.coordinators = COORDINATORS.map((name) => ({ name, running: undefined, incarnation: 0 }));
  }

  /** The time of all nodes together, those that joined later since then. */
  get nodeMs(): number {
    return this.#joinedAtMs.reduce((sum, joinedAtMs) => sum + this.nowMs - joinedAtMs, 0);
  }

  get nowMs(): number {
    return this.time.nowMs;
  }

  /** Of the first service, which every world has. */
  get truth(): Truth {
    return this.truthOf(SERVICE);
  }

  truthOf(service: ServiceName): Truth {
    const truth = this.truths.get(service);
    if (truth === undefined) throw new Error(`there is no service ${service}`);
    return truth;
  }

  /** Those that it may depend on. */
  below(service: ServiceName): readonly ServiceName[] {
    return this.services.slice(this.services.indexOf(service) + 1);
  }

  /** An image in the registry. */
  publishImage(tag: string, ailment?: Ailment): Digest {
    const digest = digestOf(tag);
    this.registry.tags.set(tag, digest);
    this.versions.set(tag, digest);
    if (ailment !== undefined) this.ailments.ail(digest, ailment);
    return digest;
  }

  /** On the first version of everything. */
  addNode(): SimulatedNode {
    const digest = digestOf('v1');
    const region = REGIONS[this.nodes.length % REGIONS.length] ?? REGIONS[0];
    const name = `n${this.nodes.length}`;
    const { containers, parts } = drawHousehold(this, digest, this.chance, name);
    const { time, ailments, judge: witness } = this;
    const ground = { time, chance: this.chance.fork(name), ailments, witness };
    const model = new NodeModel({ region, name }, new MemoryNode(containers), ground);
    model.knowsUnit(unitDigest(allOf(digest, parts)), allOf(digest, parts));
    if (parts !== PARTS) for (const service of this.units) model.lacks(service);
    if (this.chance.fork(`labels of ${name}`).happens(CANARIES)) model.labels = ['canary'];
    const node: SimulatedNode = { model, running: undefined, incarnation: 0, isGone: false, offUntilMs: 0 };
    // Docker starts it again and again, at growing intervals.
    model.onFatal = () => this.killAgent(node, { awayMs: 20_000, arriving: 0 });
    this.nodes.push(node);
    this.#byModel.set(model, node);
    this.#joinedAtMs.push(this.nowMs);
    return node;
  }

  startAll(): void {
    const chance = this.chance.fork('start');
    for (const coordinator of this.coordinators) this.startCoordinator(coordinator);
    for (const node of this.nodes) this.time.after(chance.between(0, 5_000), () => this.startAgent(node));
  }

  startAgent(node: SimulatedNode): void {
    if (node.running !== undefined || node.isGone || this.nowMs < node.offUntilMs) return;
    node.incarnation += 1;
    this.judge.agentBegins(node.model);
    node.running = startAgent(this.ground, node.model, node.incarnation);
    this.#programs.push(node.running);
    node.running.process.onEffect = (name, when) => this.onAgentEffect(node, name, when);
  }

  /** SIGKILL; Docker starts it again after a while. */
  killAgent(node: SimulatedNode, { awayMs, arriving }: Death): void {
    const { running } = node;
    if (running === undefined) return;
    this.judge.happened('its agent is killed', node.model);
    running.process.kill();
    running.line.giveUp(arriving);
    node.running = undefined;
    this.time.after(awayMs, () => this.startAgent(node));
  }

  startCoordinator(coordinator: SimulatedCoordinator): void {
    if (coordinator.running !== undefined) return;
    coordinator.incarnation += 1;
    const { name, incarnation } = coordinator;
    this.judge.happened(`coordinator ${name} begins`);
    coordinator.running = startCoordinator(this.ground, this.registry, name, incarnation);
    this.#programs.push(coordinator.running);
    coordinator.running.process.onEffect = (effect, when) =>
      this.onCoordinatorEffect(coordinator, effect, when);
  }

  killCoordinator(coordinator: SimulatedCoordinator, { awayMs, arriving }: Death): void {
    const { running } = coordinator;
    if (running === undefined) return;
    this.judge.happened(`coordinator ${coordinator.name} is killed`);
    running.process.kill();
    running.line.giveUp(arriving);
    coordinator.running = undefined;
    this.time.after(awayMs, () => this.startCoordinator(coordinator));
  }

  /** What people publish goes straight into the server: a person repeats what was not stored. */
  release(body: object, service = SERVICE): number | undefined {
    const isPutBack = this.server.lastSequence(STREAMS.releases) < (this.reached.get(STREAMS.releases) ?? 0);
    // Nobody releases before the numbers are past those that were given once (`docs/OPERATIONS.md`).
    return isPutBack ? undefined : this.say(releaseSubject(service), encode(body));
  }

  control(body: object, service = SERVICE): void {
    this.say(controlSubject(service), encode(body));
  }

  policy(body: object, service = SERVICE): void {
    this.say(policyKey(service), encode(body));
  }

  /** Bytes by somebody's hand, whatever they are. */
  say(subject: string, body: Uint8Array, deleted = false): number | undefined {
    this.#isByHand = true;
    try {
      return this.server.say(subject, body, deleted);
    } finally {
      this.#isByHand = false;
    }
  }

  /** Lets time pass, until a rule is broken. */
  async run(forMs: number, isOver: () => boolean = () => false): Promise<boolean> {
    const endMs = this.time.nowMs + forMs;
    const isBroken = (): boolean => this.bench.violations.length > 0;
    while (this.time.nowMs < endMs) {
      await this.time.run(Math.min(endMs, this.time.nowMs + LOOK_EVERY_MS), isBroken);
      if (this.registry.isDown || this.registry.trouble !== undefined) this.#registryFineSinceMs = this.nowMs;
      if (isBroken()) return false;
      if (isOver()) return true;
    }
    return isOver();
  }

  /** Everything has healed, and nothing more is to come. */
  finish(): void {
    const isGone = ({ isGone: gone }: SimulatedNode): boolean => gone;
    const there = this.nodes.filter((node) => !isGone(node)).map(({ model }) => model);
    for (const [service, truth] of this.truths) {
      const last = this.units.has(service) ? [...this.unitsReleased.values()].at(-1) : undefined;
      truth.atRest(
        there.filter(({ hosts }) => hosts.has(service)),
        last,
      );
    }
    this.judge.finish(new Set(this.nodes.filter(isGone).map(({ model }) => model.name)));
  }

  /** Node keeps a signal that somebody listens to: what no program waits for any more is let go. */
  [Symbol.dispose](): void {
    for (const program of this.#programs) program.abandon();
  }

  /** What orders and slots show: the last value of each key, as it was stored. */
  #standing() {
    return [STREAMS.orders, STREAMS.slots].flatMap((stream) => {
      const last = new Map<string, StoredMessage>();
      for (const message of this.server.entries(stream)) last.set(message.subject, message);
      const inOrder = [...last.values()].sort((a, b) => a.sequence - b.sequence);
      return inOrder.map((message) => ({ stream, message }));
    });
  }

  #calmSince(model: NodeModel): number | undefined {
    const { running } = this.#byModel.get(model) ?? {};
    const isAway = running === undefined || running.process.isPaused || this.nowMs < model.dockerdDownUntilMs;
    return isAway ? undefined : Math.max(running.process.calmSinceMs, model.dockerdDownUntilMs);
  }
}

/** A digest that tells its tag, for whoever reads a trace. */
export function digestOf(tag: string): Digest {
  return `sha256:${Buffer.from(tag).toString('hex').padEnd(64, '0')}`;
}
