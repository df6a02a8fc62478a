/** A calm fleet whose nodes run several services each: real coordinators and agents over modelled outside parts. */

import { MemoryNode } from '@swell/agent/adapters/memory-engine.ts';
import type { FleetEvent } from '@swell/shared/domain/event.ts';
import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import type { Violation } from '@swell/shared/domain/rules/rule.ts';
import type { Scope } from '@swell/shared/domain/scope.ts';
import { decode, encode } from '@swell/shared/protocol/codec.ts';
import { type Lease, leaseSchema } from '@swell/shared/protocol/records.ts';
import {
  controlSubject,
  leaseKey,
  policyKey,
  regionKey,
  releaseSubject,
  STREAMS,
} from '@swell/shared/protocol/subjects.ts';
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
import { brokenIn } from './broken.ts';

const SHAPES = await readShapes();
const TURN_MS = 10;
const COORDINATORS = ['north', 'south'];

/** Of the global one, where it has none. */
interface Leader extends Running {
  readonly scope: Scope | undefined;
  readonly name: string;
}

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
  /** What is wrong with images. */
  readonly ailments = new Ailments();
  readonly nodes: readonly NodeModel[];
  readonly #time = new VirtualTime(START_MS);
  readonly #registry = new RegistryModel();
  readonly #server: ModelServer;
  readonly #ground: Ground;
  readonly #programs: Running[] = [];
  #agents: Running[] = [];
  #leaders: Leader[] = [];
  readonly #scopes: readonly (Scope | undefined)[];
  #starts = 0;
  #deaths: Set<string> | undefined;

  /** Programs run, two coordinators in each scope beside two global ones, and the policies are in force. */
  static async open(
    policies: Readonly<Record<string, object>>,
    regions: readonly string[],
    scopes: readonly Scope[] = [],
    seed = 'services',
  ): Promise<ServicesStage> {
    const stage = new ServicesStage(Object.keys(policies), regions, scopes, seed);
    await stage.pass(60_000);
    for (const [service, policy] of Object.entries(policies)) stage.policy(service, policy);
    await stage.pass(1_000);
    return stage;
  }

  private constructor(
    services: readonly string[],
    regions: readonly string[],
    scopes: readonly Scope[],
    seed: string,
  ) {
    this.#scopes = [undefined, ...scopes];
    const time = this.#time;
    const chance = new Chance(seed);
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
      const ground = { time, chance: chance.fork(name), ailments: this.ailments, witness: NOBODY };
      return new NodeModel({ region, name }, containers, ground);
    });
    this.#agents = this.nodes.map((node) => startAgent(this.#ground, node, 1));
    this.#startLeaders();
  }

  /** All coordinators die, and others go on with what was saved. */
  replaceCoordinators(): void {
    this.killCoordinators(() => true);
    this.#startLeaders();
  }

  /** Nothing starts them again. */
  killCoordinators(isMeant: (scope: Scope | undefined, name: string) => boolean): void {
    for (const leader of this.#leaders.filter((one) => isMeant(one.scope, one.process.name))) {
      leader.process.kill();
      leader.line.giveUp(0);
    }
  }

  /** The ways of a scope's coordinators to the bus are blocked, or free again. */
  cutOff(scope: Scope | undefined, isCutOff: boolean): void {
    for (const { line } of this.#leaders.filter((one) => one.scope === scope)) {
      if (isCutOff) line.partition('both');
      else line.heal();
    }
  }

  #startLeaders(): void {
    this.#starts += 1;
    this.#leaders = this.#scopes.flatMap((scope) =>
      COORDINATORS.map((name) => this.#startLeader(scope, name)),
    );
  }

  #startLeader(scope: Scope | undefined, name: string): Leader {
    const itself = scope === undefined ? name : `${scope}-${name}`;
    const running = startCoordinator(this.#ground, this.#registry, itself, this.#starts, scope);
    const leader: Leader = { scope, name, ...running };
    running.process.onEffect = (effect, when) => this.#dieAt(leader, `${scope} ${effect} ${when}`);
    this.#programs.push(leader);
    return leader;
  }

  /** Before and after each kind of thing that it does, in each scope the first one dies that does it; it is started again. */
  dieAtFirsts(): ReadonlySet<string> {
    const seen = new Set<string>();
    this.#deaths = seen;
    return seen;
  }

  #dieAt(leader: Leader, stop: string): void {
    const seen = this.#deaths;
    if (seen === undefined || seen.has(stop)) return;
    seen.add(stop);
    leader.process.kill();
    leader.line.giveUp(1);
    this.#time.after(1_000, () => {
      this.#starts += 1;
      const again = this.#startLeader(leader.scope, leader.name);
      this.#leaders = this.#leaders.map((one) => (one === leader ? again : one));
    });
  }

  /** Somebody writes whose a region is: `undefined`, the global coordinator's. */
  assign(region: string, scope: Scope | undefined): void {
    this.#server.say(regionKey(region), encode({ scope }), scope === undefined);
  }

  /** The lease that stands in a scope. */
  leaseOf(scope: Scope | undefined): Lease | undefined {
    const message = this.#server.lastOf(STREAMS.rollouts, leaseKey(scope));
    const read = message && decode(message.body, leaseSchema);
    return read?.ok === true ? read.value : undefined;
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

  /** A tag of the registry names another image. */
  move(tag: string, version: string): void {
    this.#registry.tags.set(tag, digestOf(version));
  }

  control(service: string, action: string, more: object = {}): void {
    this.#server.say(controlSubject(service), encode({ action, ...more }));
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

  async untilTold(name: FleetEvent['name'], rollout: number, scope?: Scope): Promise<FleetEvent> {
    const find = (): FleetEvent | undefined =>
      this.events.find((event) => event.name === name && event.rollout === rollout && event.scope === scope);
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
    return this.found().map(({ rule, message }) => `${rule}: ${message}`);
  }

  found(): readonly Violation[] {
    return brokenIn(this.entries);
  }

  [Symbol.dispose](): void {
    for (const program of [...this.#programs, ...this.#agents]) program.abandon();
  }
}
