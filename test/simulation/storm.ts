/** Everything that goes wrong, drawn from chance at the profile's rates; and the end of all of it. */

import { noFaults } from './bus/rates.ts';
import type { Chance } from './chance.ts';
import type { Running } from './fleet-models.ts';
import { digestOf, type SimulatedNode, type World } from './world.ts';

const HOUR_MS = 3_600_000;

/** A kind of fault: how often it strikes, and what it does. */
interface Fault {
  readonly kind: string;
  /** Strikes per hour, over the whole world. */
  readonly perHour: number;
  /** Says what it has done, if it is more than its kind tells. */
  readonly strike: (chance: Chance) => string | void;
}

/** Something that went wrong, by its number in the order of time. */
export interface Strike {
  readonly number: number;
  readonly kind: string;
  readonly atMs: number;
  readonly what: string;
}

/**
 * What is left out, by number or by kind. Every strike keeps its number, its time and its draws whatever else is left out;
 * one that is left out is not among {@link Storm.strikes}.
 */
export interface StormOptions {
  readonly without?: ReadonlySet<number>;
  readonly withoutKinds?: ReadonlySet<string>;
}

export class Storm {
  readonly #world: World;
  /** Never drawn from, only forked: so each strike draws the same, whatever came before it. */
  readonly #chance: Chance;
  readonly #without: ReadonlySet<number>;
  readonly #withoutKinds: ReadonlySet<string>;
  readonly strikes: Strike[] = [];
  #count = 0;
  #isOver = false;

  constructor(world: World, { without = new Set(), withoutKinds = new Set() }: StormOptions = {}) {
    this.#world = world;
    this.#chance = world.chance.fork('storm');
    this.#without = without;
    this.#withoutKinds = withoutKinds;
  }

  /** How often each kind has struck. */
  get struck(): ReadonlyMap<string, number> {
    const struck = new Map<string, number>();
    for (const { kind } of this.strikes) struck.set(kind, (struck.get(kind) ?? 0) + 1);
    return struck;
  }

  begin(): void {
    for (const { model } of this.#world.nodes) model.pullFailureRate = this.#world.profile.pullFailureRate;
    for (const fault of this.#faults())
      if (fault.perHour > 0) this.#next(fault, this.#chance.fork(`times of ${fault.kind}`));
  }

  /** Nothing new strikes, and what was broken is repaired. Who is gone for good stays gone. */
  end(): void {
    this.#isOver = true;
    const { nodes, coordinators, registry, server } = this.#world;
    server.up();
    server.ensure();
    server.thaw();
    Object.assign(server.rates, noFaults());
    registry.isDown = false;
    for (const node of nodes) {
      const { model } = node;
      model.pullFailureRate = 0;
      model.diskIsFull = false;
      model.registryIsDown = false;
      model.dockerdDownUntilMs = 0;
      model.slowness = 1;
      node.running?.line.heal();
      if (node.running?.process.isPaused === true) node.running.process.resume();
      if (node.running !== undefined) node.running.process.onEffect = () => {};
      this.#world.startAgent(node);
    }
    for (const [name, { running }] of coordinators) {
      running?.line.heal();
      if (running?.process.isPaused === true) running.process.resume();
      if (running !== undefined) running.process.onEffect = () => {};
      this.#world.startCoordinator(name);
    }
  }

  #next(fault: Fault, times: Chance): void {
    this.#world.time.after(times.exponential(HOUR_MS / fault.perHour), () => {
      if (this.#isOver) return;
      this.#strike(fault);
      this.#next(fault, times);
    });
  }

  #strike({ kind, strike }: Fault): void {
    this.#count += 1;
    const number = this.#count;
    if (this.#without.has(number) || this.#withoutKinds.has(kind)) return;
    const what = strike(this.#chance.fork(`strike ${number}`)) ?? kind;
    this.strikes.push({ number, kind, atMs: this.#world.nowMs, what });
  }

  #faults(): readonly Fault[] {
    const { profile, nodes } = this.#world;
    const each = (rate: number): number => rate * nodes.length;
    return [
      this.#onNode('agent crash', each(profile.agentCrashesPerHour), (node) =>
        this.#world.killAgent(node, 20_000),
      ),
      this.#onNode('agent paused', each(profile.agentPausesPerHour), (node, chance) =>
        this.#pauseAgent(node, chance),
      ),
      this.#onNode('node away', each(profile.nodesGoAwayPerHour), (node, chance) =>
        this.#goAway(node, chance),
      ),
      this.#onNode('connection cut', each(profile.cutsPerHour), ({ running }) => {
        running?.line.cut();
      }),
      this.#onNode('partition', each(profile.partitionsPerHour), ({ running }, chance) => {
        if (running === undefined) return;
        this.#partition(running, chance, 60_000);
      }),
      this.#onNode('dockerd restart', each(profile.dockerdRestartsPerHour), ({ model }, chance) => {
        model.dockerdDownUntilMs = this.#world.nowMs + chance.exponential(10_000);
      }),
      this.#onNode('disk full', each(profile.diskFullPerHour), ({ model }, chance) => {
        model.diskIsFull = true;
        this.#world.time.after(chance.exponential(300_000), () => {
          model.diskIsFull = false;
        });
      }),
      this.#onNode('journal lost', each(profile.journalLossesPerHour), (node) => {
        this.#world.killAgent(node, 20_000);
        node.model.loseDisk();
      }),
      this.#onNode('slow node', each(profile.agentPausesPerHour), ({ model }, chance) => {
        model.slowness = chance.between(1, 20);
        this.#world.time.after(chance.exponential(300_000), () => {
          model.slowness = 1;
        });
      }),
      {
        kind: 'node joins',
        perHour: each(profile.nodesJoin),
        strike: () => this.#world.startAgent(this.#world.addNode(digestOf('v1'))),
      },
      this.#onCoordinator('coordinator crash', profile.coordinatorCrashesPerHour, (name) =>
        this.#world.killCoordinator(name),
      ),
      this.#onCoordinator('coordinator paused', profile.coordinatorPausesPerHour, (name, chance) => {
        const running = this.#world.coordinators.get(name)?.running;
        if (running === undefined) return;
        running.process.pause();
        this.#world.time.after(chance.exponential(20_000), () => running.process.resume());
      }),
      this.#onCoordinator('coordinator partitioned', profile.coordinatorPausesPerHour, (name, chance) => {
        const running = this.#world.coordinators.get(name)?.running;
        if (running !== undefined) this.#partition(running, chance, 20_000);
      }),
      {
        kind: 'bus restart',
        perHour: profile.busRestartsPerHour,
        strike: (chance) => {
          this.#world.server.down();
          this.#world.time.after(chance.exponential(5_000), () => this.#startServer(chance));
        },
      },
      {
        kind: 'stream leader lost',
        perHour: profile.leaderLossesPerHour,
        strike: (chance) => this.#world.server.loseLeader(chance.between(1_000, 8_000)),
      },
      {
        kind: 'registry down',
        perHour: profile.registryOutagesPerHour,
        strike: (chance) => this.#takeRegistryDown(chance),
      },
    ];
  }

  #onNode(kind: string, perHour: number, strike: (node: SimulatedNode, chance: Chance) => void): Fault {
    return {
      kind,
      perHour,
      strike: (chance) => {
        const node = chance.pick(this.#world.nodes);
        strike(node, chance);
        return `${kind}: ${node.model.name}`;
      },
    };
  }

  #onCoordinator(kind: string, perHour: number, strike: (name: string, chance: Chance) => void): Fault {
    return {
      kind,
      perHour,
      strike: (chance) => strike(chance.pick([...this.#world.coordinators.keys()]), chance),
    };
  }

  /** What lay in memory is made again by a coordinator that looks after the layout, a while later. */
  #startServer(chance: Chance): void {
    this.#world.server.up();
    this.#world.time.after(chance.exponential(2_000), () => void this.#world.server.ensure());
  }

  #partition({ line }: Running, chance: Chance, meanMs: number): void {
    line.partition(chance.pick(['both', 'up', 'down'] as const));
    this.#world.time.after(chance.exponential(meanMs), () => line.heal());
  }

  /** SIGSTOP, often for longer than a lease. */
  #pauseAgent({ running }: SimulatedNode, chance: Chance): void {
    if (running === undefined) return;
    running.process.pause();
    this.#world.time.after(chance.exponential(90_000), () => running.process.resume());
  }

  /** The machine is off, its containers with it: for minutes, for hours, for good. */
  #goAway(node: SimulatedNode, chance: Chance): void {
    const { running } = node;
    if (running === undefined) return;
    if (chance.happens(this.#world.profile.goneForGood)) {
      node.isGone = true;
      this.#world.killAgent(node, 1);
      return;
    }
    this.#world.killAgent(node, chance.pick([120_000, 1_200_000, 7_200_000]));
  }

  #takeRegistryDown(chance: Chance): void {
    const { registry, nodes, time } = this.#world;
    const set = (isDown: boolean): void => {
      registry.isDown = isDown;
      for (const { model } of nodes) model.registryIsDown = isDown;
    };
    set(true);
    time.after(chance.exponential(120_000), () => set(false));
  }
}
