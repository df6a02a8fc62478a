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
import type { StreamShape } from './bus/definition.ts';
import { ModelServer } from './bus-model.ts';
import { Chance } from './chance.ts';
import { type Ground, RegistryModel, type Running, startAgent, startCoordinator } from './fleet-models.ts';
import { NodeModel } from './node-model.ts';
import type { Profile } from './profile.ts';
import { VirtualTime } from './time.ts';
import { type TrueViolation, Truth } from './truth.ts';

export interface WorldOptions {
  readonly seed: string;
  readonly nodes: number;
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
}

export class World {
  readonly seed: string;
  readonly chance: Chance;
  readonly time = new VirtualTime(START_MS);
  readonly truth = new Truth(this.time);
  readonly registry = new RegistryModel();
  readonly server: ModelServer;
  readonly ground: Ground;
  readonly nodes: SimulatedNode[] = [];
  readonly coordinators = new Map<string, { running: Running | undefined; incarnation: number }>();
  readonly entries: LogEntry[] = [];
  readonly profile: Profile;
  readonly #checker: Checker;
  #logRead = 0;

  constructor({ seed, nodes, profile, shapes }: WorldOptions) {
    this.seed = seed;
    this.profile = profile;
    this.chance = new Chance(seed);
    this.server = new ModelServer(this.time, this.chance.fork('bus'), shapes);
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
    for (const name of COORDINATORS) this.coordinators.set(name, { running: undefined, incarnation: 0 });
  }

  get nowMs(): number {
    return this.time.nowMs;
  }

  /** An image in the registry; `ailing` says where it does not work. */
  publishImage(tag: string, ails: 'no' | 'sick' | 'fails-to-start' = 'no'): Digest {
    const digest = digestOf(tag);
    this.registry.tags.set(tag, digest);
    for (const { model } of this.nodes) this.ail(model, digest, ails);
    return digest;
  }

  ail(model: NodeModel, digest: Digest, ails: 'no' | 'sick' | 'fails-to-start'): void {
    if (ails === 'sick') model.containers.ailments.sick.add(digest);
    if (ails === 'fails-to-start') model.containers.ailments.failsToStart.add(digest);
  }

  addNode(digest = digestOf('v1')): SimulatedNode {
    const region = REGIONS[this.nodes.length % REGIONS.length] ?? REGIONS[0];
    const name = `n${this.nodes.length}`;
    const containers = new MemoryNode({ [SERVICE]: { up: true, digest } });
    const model = new NodeModel({ region, name }, containers, this.time, this.chance.fork(name), this.truth);
    const node: SimulatedNode = { model, running: undefined, incarnation: 0, isGone: false };
    this.nodes.push(node);
    return node;
  }

  startAll(): void {
    for (const name of this.coordinators.keys()) this.startCoordinator(name);
    for (const node of this.nodes) {
      this.time.after(this.chance.between(0, 5_000), () => this.startAgent(node));
    }
  }

  startAgent(node: SimulatedNode): void {
    if (node.running !== undefined || node.isGone) return;
    node.incarnation += 1;
    node.running = startAgent(this.ground, node.model, node.incarnation);
    this.#mayDie(node.running, this.profile.agentDiesAtEffect, () => this.killAgent(node, 30_000));
  }

  /** SIGKILL; Docker starts it again after a while. */
  killAgent(node: SimulatedNode, awayMs: number): void {
    const { running } = node;
    if (running === undefined) return;
    running.process.kill();
    running.line.giveUp(this.chance.whole(0, 3));
    node.running = undefined;
    this.time.after(this.chance.exponential(awayMs), () => this.startAgent(node));
  }

  startCoordinator(name: string): void {
    const coordinator = this.coordinators.get(name);
    if (coordinator === undefined || coordinator.running !== undefined) return;
    coordinator.incarnation += 1;
    coordinator.running = startCoordinator(this.ground, this.registry, name, coordinator.incarnation);
    this.#mayDie(coordinator.running, this.profile.coordinatorDiesAtEffect, () => this.killCoordinator(name));
  }

  killCoordinator(name: string): void {
    const coordinator = this.coordinators.get(name);
    if (coordinator?.running === undefined) return;
    coordinator.running.process.kill();
    coordinator.running.line.giveUp(this.chance.whole(0, 3));
    coordinator.running = undefined;
    this.time.after(this.chance.exponential(20_000), () => this.startCoordinator(name));
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

  #mayDie({ process }: Running, rate: number, die: () => void): void {
    if (rate === 0) return;
    const chance = this.chance.fork(`deaths of ${process.name}`);
    process.onEffect = () => {
      if (chance.happens(rate)) die();
    };
  }
}

/** A digest that tells its tag, for whoever reads a trace. */
export function digestOf(tag: string): Digest {
  return `sha256:${Buffer.from(tag).toString('hex').padEnd(64, '0')}`;
}
