/** A calm fleet whose nodes run several services each: real coordinators and agents over modelled outside parts. */

import { MemoryNode } from '@swell/agent/adapters/memory-engine.ts';
import type { FleetEvent } from '@swell/shared/domain/event.ts';
import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import { createChecker } from '@swell/shared/domain/rules.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import { controlSubject, policyKey, releaseSubject } from '@swell/shared/protocol/subjects.ts';
import { Ailments } from '../ailments.ts';
import { readShapes } from '../bus/definition.ts';
import { ModelServer } from '../bus-model.ts';
import { Chance } from '../chance.ts';
import { type Ground, type Running, startAgent, startCoordinator } from '../fleet-models.ts';
import { LogReader } from '../judge/reader.ts';
import { NodeModel, type Witness } from '../node-model.ts';
import { RegistryModel } from '../registry-model.ts';
import { VirtualTime } from '../time.ts';
import { digestOf, START_MS } from '../world.ts';

const SHAPES = await readShapes();
const TURN_MS = 10;
const COORDINATORS = ['north', 'south'];

/** One stage, opened at once, with room for one node of a region at a time. */
const POLICY = {
  stages: [100],
  approval: 'automatic',
  maxUnavailable: 1,
  stagingSpread: '1s',
  soak: '5s',
  failureBudget: { max: '90%', minSample: 100 },
  slotLease: '30s',
  health: { interval: '1s', minHealthyTime: '5s', healthyDeadline: '1m' },
};

/** What really happens on a node is looked at by its reports here. */
const NOBODY: Witness = {
  wentOut: () => {},
  cameBack: () => {},
  works: () => {},
  cleaned: () => {},
  forgets: () => {},
};

export class ServicesStage implements Disposable {
  readonly entries: LogEntry[] = [];
  readonly nodes: readonly NodeModel[];
  readonly #time = new VirtualTime(START_MS);
  readonly #registry = new RegistryModel();
  readonly #server: ModelServer;
  readonly #ground: Ground;
  readonly #programs: Running[] = [];
  #agents: Running[] = [];
  #leaders: Running[] = [];
  #starts = 0;

  /** Programs run, and the policies are in force. */
  static async open(
    policies: Readonly<Record<string, object>>,
    regions: readonly string[],
  ): Promise<ServicesStage> {
    const stage = new ServicesStage(Object.keys(policies), regions);
    await stage.pass(60_000);
    for (const [service, policy] of Object.entries(policies)) stage.policy(service, policy);
    await stage.pass(1_000);
    return stage;
  }

  private constructor(services: readonly string[], regions: readonly string[]) {
    const time = this.#time;
    const chance = new Chance('services');
    this.#server = new ModelServer(time, chance.fork('bus'), SHAPES);
    const reader = new LogReader(SHAPES);
    this.#server.onStored = (stream, message) => {
      const entry = reader.read(stream, message, time.nowMs);
      if (entry !== undefined) this.entries.push(entry);
    };
    this.#ground = {
      time,
      chance: chance.fork('programs'),
      server: this.#server,
      onHandled: () => {},
      onLed: () => {},
      onCrash: (name, error) => {
        throw new Error(`${name} ended`, { cause: error });
      },
    };
    this.#registry.tags.set('v1', digestOf('v1'));
    this.nodes = regions.map((region, index) => {
      const name = `n${index}`;
      const containers = new MemoryNode(
        Object.fromEntries(services.map((service) => [service, { up: true, digest: digestOf('v1') }])),
      );
      const ground = { time, chance: chance.fork(name), ailments: new Ailments(), witness: NOBODY };
      return new NodeModel({ region, name }, containers, ground);
    });
    this.#agents = this.nodes.map((node) => startAgent(this.#ground, node, 1));
    this.#startLeaders();
  }

  /** All coordinators die, and others go on with what was saved. */
  replaceCoordinators(): void {
    for (const { process, line } of this.#leaders) {
      process.kill();
      line.giveUp(0);
    }
    this.#startLeaders();
  }

  #startLeaders(): void {
    this.#starts += 1;
    this.#leaders = COORDINATORS.map((name) =>
      startCoordinator(this.#ground, this.#registry, name, this.#starts),
    );
    this.#programs.push(...this.#leaders);
  }

  /** The agent of a node ends, and nothing starts it until it is told to come back. */
  away(index: number): number {
    const { process, line } = this.#agents[index] ?? this.#none(index);
    process.kill();
    line.giveUp(0);
    return index;
  }

  comeBack(index: number): void {
    const node = this.nodes[index] ?? this.#none(index);
    this.#starts += 1;
    this.#programs.push(startAgent(this.#ground, node, this.#starts));
  }

  #none(index: number): never {
    throw new Error(`there is no node ${index}`);
  }

  policy(service: string, change: object): void {
    this.#server.say(policyKey(service), encode({ ...POLICY, ...change }));
  }

  /** A tag of its own for each release; the number of its rollout. */
  release(service: string, more: object = {}): number {
    const tag = `v${this.#registry.tags.size + 1}`;
    this.#registry.tags.set(tag, digestOf(tag));
    const body = encode({ image: `registry.example/${service}:${tag}`, ...more });
    const number = this.#server.say(releaseSubject(service), body);
    if (number === undefined) throw new Error('the bus takes no release');
    return number;
  }

  control(service: string, action: string): void {
    this.#server.say(controlSubject(service), encode({ action }));
  }

  async pass(ms: number): Promise<void> {
    await this.#time.run(this.#time.nowMs + ms);
  }

  /** Lets time pass until something is so. Fails where it does not come to be. */
  async until(what: string, isSo: () => boolean, withinMs = 900_000): Promise<void> {
    const endMs = this.#time.nowMs + withinMs;
    while (!isSo()) {
      if (this.#time.nowMs >= endMs) throw new Error(`it never came to be: ${what}`);
      await this.#time.run(this.#time.nowMs + TURN_MS);
    }
  }

  async untilTold(name: FleetEvent['name'], rollout: number): Promise<FleetEvent> {
    const find = (): FleetEvent | undefined =>
      this.events.find((event) => event.name === name && event.rollout === rollout);
    await this.until(`${name} of ${rollout}`, () => find() !== undefined);
    const found = find();
    if (found === undefined) throw new Error(`${name} of ${rollout} is gone`);
    return found;
  }

  get events(): readonly FleetEvent[] {
    return this.entries.flatMap((entry) => (entry.kind === 'event' ? [entry.event] : []));
  }

  /** What nodes said of a rollout, and when. */
  reports(
    rollout: number,
    status: NodeReport['status'],
  ): readonly (NodeReport & { readonly atMs: number })[] {
    return this.entries.flatMap((entry) =>
      entry.kind === 'report' && entry.report.rollout === rollout && entry.report.status === status
        ? [{ ...entry.report, atMs: entry.atMs }]
        : [],
    );
  }

  /** What is broken of the rules, by all that was stored. */
  violations(): readonly string[] {
    const checker = createChecker({ toleranceMs: 0, patienceMs: 300_000 });
    const found = this.entries.flatMap((entry) => checker.check(entry));
    return [...found, ...checker.finish()].map(({ rule, message }) => `${rule}: ${message}`);
  }

  [Symbol.dispose](): void {
    for (const program of [...this.#programs, ...this.#agents]) program.abandon();
  }
}
