/** Everything that goes wrong, drawn from chance at the profile's rates; and the end of all of it. */

import { noFaults } from './bus/rates.ts';
import type { Chance } from './chance.ts';
import type { Running } from './fleet-models.ts';
import { digestOf, type SimulatedNode, type World } from './world.ts';

const HOUR_MS = 3_600_000;

/** A kind of fault: how often it strikes, and what it does. */
interface Fault {
  readonly name: string;
  /** Strikes per hour, over the whole world. */
  readonly perHour: number;
  strike(chance: Chance): void;
}

export class Storm {
  readonly #world: World;
  readonly #chance: Chance;
  readonly struck = new Map<string, number>();
  #isOver = false;

  constructor(world: World) {
    this.#world = world;
    this.#chance = world.chance.fork('storm');
  }

  begin(): void {
    for (const { model } of this.#world.nodes) model.pullFailureRate = this.#world.profile.pullFailureRate;
    for (const fault of this.#faults()) if (fault.perHour > 0) this.#next(fault);
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

  #next(fault: Fault): void {
    const waitMs = this.#chance.exponential(HOUR_MS / fault.perHour);
    this.#world.time.after(waitMs, () => {
      if (this.#isOver) return;
      this.struck.set(fault.name, (this.struck.get(fault.name) ?? 0) + 1);
      fault.strike(this.#chance);
      this.#next(fault);
    });
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
        name: 'node joins',
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
        name: 'bus restart',
        perHour: profile.busRestartsPerHour,
        strike: (chance) => {
          this.#world.server.down();
          this.#world.time.after(chance.exponential(5_000), () => this.#startServer(chance));
        },
      },
      {
        name: 'stream leader lost',
        perHour: profile.leaderLossesPerHour,
        strike: (chance) => this.#world.server.loseLeader(chance.between(1_000, 8_000)),
      },
      {
        name: 'registry down',
        perHour: profile.registryOutagesPerHour,
        strike: (chance) => this.#takeRegistryDown(chance),
      },
    ];
  }

  #onNode(name: string, perHour: number, strike: (node: SimulatedNode, chance: Chance) => void): Fault {
    return { name, perHour, strike: (chance) => strike(chance.pick(this.#world.nodes), chance) };
  }

  #onCoordinator(name: string, perHour: number, strike: (name: string, chance: Chance) => void): Fault {
    return {
      name,
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
