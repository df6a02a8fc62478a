/**
 * A simulated fleet from one seed: real coordinators and agents over modelled outside parts, people who release and
 * steer, and everything that goes wrong. First the storm, then everything heals; then the last release must reach
 * everybody (I14), and at every instant the rules hold.
 */

import { MemoryNode } from '@swell/agent/adapters/memory-engine.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { LogEntry } from '@swell/shared/domain/log.ts';
import { type Checker, createChecker } from '@swell/shared/domain/rules.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import { readLogEntry } from '@swell/shared/protocol/log.ts';
import { controlSubject, policyKey, releaseSubject, STREAMS } from '@swell/shared/protocol/subjects.ts';
import { type Ailment, Ailments } from './ailments.ts';
import type { StreamShape } from './bus/definition.ts';
import { ModelServer } from './bus-model.ts';
import { Chance } from './chance.ts';
import { type Ground, RegistryModel, type Running, startAgent, startCoordinator } from './fleet-models.ts';
import { NodeModel } from './node-model.ts';
import { drawProfile, type Profile } from './profile.ts';
import { VirtualTime } from './time.ts';
import { type TrueViolation, Truth } from './truth.ts';

export interface WorldOptions {
  readonly seed: string;
  readonly nodes: number;
  /** The world's own rates are drawn from these. */
  readonly profile: Profile;
  /** The streams of `nats/streams`. */
  readonly shapes: readonly StreamShape[];
}

export const SERVICE = 'web';
const REGIONS = ['eu-west', 'us-east', 'ap-south'] as const;
const START_MS = 1_750_000_000_000;
const COORDINATORS = ['north', 'south'] as const;

export interface SimulatedNode {
  readonly model: NodeModel;
  running: Running | undefined;
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

export class World {
  readonly seed: string;
  readonly chance: Chance;
  readonly time = new VirtualTime(START_MS);
  readonly truth = new Truth(this.time);
  readonly registry = new RegistryModel();
  readonly server: ModelServer;
  readonly ground: Ground;
  readonly nodes: SimulatedNode[] = [];
  readonly coordinators: readonly SimulatedCoordinator[];
  readonly ailments = new Ailments();
  readonly entries: LogEntry[] = [];
  readonly profile: Profile;
  readonly #checker: Checker;
  #logRead = 0;
  /** Told of each effect that leaves a program: where the storm may kill it. */
  onAgentEffect: (node: SimulatedNode, ...effect: Parameters<OnEffect>) => void = () => {};
  onCoordinatorEffect: (coordinator: SimulatedCoordinator, ...effect: Parameters<OnEffect>) => void =
    () => {};

  constructor({ seed, nodes, profile, shapes }: WorldOptions) {
    this.seed = seed;
    this.chance = new Chance(seed);
    const drawn = this.chance.fork('profile');
    this.profile = drawProfile(profile, drawn);
    this.server = new ModelServer(this.time, this.chance.fork('bus'), shapes, drawn.happens(0.5) ? 3 : 1);
    this.ground = {
      time: this.time,
      chance: this.chance.fork('programs'),
      server: this.server,
      onCrash: (name, error) => {
        const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.truth.break('crash', `${name}: ${why}`);
      },
    };
    this.#checker = createChecker({ toleranceMs: 2_000, patienceMs: 120_000 });
    // The truth hears at the instant; the log has it a moment later.
    this.server.onStored = (stream, message) => {
      if (stream === STREAMS.orders || stream === STREAMS.log) this.truth.see(message);
    };
    this.publishImage('v1');
    for (let index = 0; index < nodes; index += 1) this.addNode();
    this.coordinators = COORDINATORS.map((name) => ({ name, running: undefined, incarnation: 0 }));
  }

  get nowMs(): number {
    return this.time.nowMs;
  }

  /** An image in the registry. */
  publishImage(tag: string, ailment?: Ailment): Digest {
    const digest = digestOf(tag);
    this.registry.tags.set(tag, digest);
    if (ailment !== undefined) this.ailments.ail(digest, ailment);
    return digest;
  }

  addNode(digest = digestOf('v1')): SimulatedNode {
    const region = REGIONS[this.nodes.length % REGIONS.length] ?? REGIONS[0];
    const name = `n${this.nodes.length}`;
    const containers = new MemoryNode({ [SERVICE]: { up: true, digest } });
    const { time, ailments, truth: witness } = this;
    const ground = { time, chance: this.chance.fork(name), ailments, witness };
    const model = new NodeModel({ region, name }, containers, ground);
    const node: SimulatedNode = { model, running: undefined, incarnation: 0, isGone: false, offUntilMs: 0 };
    // Docker starts it again and again, at growing intervals.
    model.onFatal = () => this.killAgent(node, { awayMs: 20_000, arriving: 0 });
    this.nodes.push(node);
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
    node.running = startAgent(this.ground, node.model, node.incarnation);
    node.running.process.onEffect = (name, when) => this.onAgentEffect(node, name, when);
  }

  /** SIGKILL; Docker starts it again after a while. */
  killAgent(node: SimulatedNode, { awayMs, arriving }: Death): void {
    const { running } = node;
    if (running === undefined) return;
    running.process.kill();
    running.line.giveUp(arriving);
    node.running = undefined;
    this.time.after(awayMs, () => this.startAgent(node));
  }

  startCoordinator(coordinator: SimulatedCoordinator): void {
    if (coordinator.running !== undefined) return;
    coordinator.incarnation += 1;
    const { name, incarnation } = coordinator;
    coordinator.running = startCoordinator(this.ground, this.registry, name, incarnation);
    coordinator.running.process.onEffect = (effect, when) =>
      this.onCoordinatorEffect(coordinator, effect, when);
  }

  killCoordinator(coordinator: SimulatedCoordinator, { awayMs, arriving }: Death): void {
    const { running } = coordinator;
    if (running === undefined) return;
    running.process.kill();
    running.line.giveUp(arriving);
    coordinator.running = undefined;
    this.time.after(awayMs, () => this.startCoordinator(coordinator));
  }

  /** What people publish goes straight into the server: a person repeats what was not stored. */
  release(body: object): number | undefined {
    return this.server.say(releaseSubject(SERVICE), encode(body));
  }

  control(body: object): void {
    this.server.say(controlSubject(SERVICE), encode(body));
  }

  policy(body: object): void {
    this.server.say(policyKey(SERVICE), encode(body));
  }

  /** Lets time pass, and judges what is new in the log after each stretch. */
  async run(forMs: number, isOver: () => boolean = () => false): Promise<boolean> {
    const endMs = this.time.nowMs + forMs;
    while (this.time.nowMs < endMs) {
      await this.time.run(Math.min(endMs, this.time.nowMs + 1_000));
      this.readLog();
      if (this.truth.violations.length > 0) return false;
      if (isOver()) return true;
    }
    return isOver();
  }

  readLog(): void {
    for (const message of this.server.log(this.#logRead + 1)) {
      this.#logRead = message.sequence;
      const entry = readLogEntry(message);
      if (entry === undefined) continue;
      this.entries.push(entry);
      for (const { rule, message: text } of this.#checker.check(entry))
        this.truth.break(rule, `log: ${text}`);
    }
  }

  /** The last judgement: nothing more is to come. */
  finish(): readonly TrueViolation[] {
    this.readLog();
    const gone = new Set(this.nodes.filter(({ isGone }) => isGone).map(({ model }) => model.name));
    for (const { rule, message } of this.#checker.finish({ gone })) this.truth.break(rule, `log: ${message}`);
    return this.truth.violations;
  }
}

/** A digest that tells its tag, for whoever reads a trace. */
export function digestOf(tag: string): Digest {
  return `sha256:${Buffer.from(tag).toString('hex').padEnd(64, '0')}`;
}
