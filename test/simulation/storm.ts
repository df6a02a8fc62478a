/** Everything that goes wrong, drawn from chance at the profile's rates; and the end of all of it. */

import { noFaults } from './bus/rates.ts';
import type { Chance } from './chance.ts';
import type { Running } from './fleet-models.ts';
import { FAULT_KINDS, type FaultKind } from './profile.ts';
import { BUS_FAULTS } from './storm/bus.ts';
import { DOOR_FAULTS } from './storm/doors.ts';
import { type Fault, Scene } from './storm/fault.ts';
import { MACHINE_FAULTS, takeBack } from './storm/machines.ts';
import { NETWORK_FAULTS } from './storm/network.ts';
import { ONE_WAY_FAULTS } from './storm/one-way.ts';
import { PROGRAM_FAULTS } from './storm/programs.ts';
import { SUPPLY_FAULTS } from './storm/supply.ts';
import { WORD_FAULTS } from './storm/words.ts';
import { allOf, stackOf } from './units.ts';
import { digestOf, type SimulatedNode, type World } from './world.ts';

const HOUR_MS = 3_600_000;
const BACKUP_EVERY_MS = 300_000;

const FAULTS: Readonly<Record<FaultKind, Fault>> = {
  ...PROGRAM_FAULTS,
  ...MACHINE_FAULTS,
  ...NETWORK_FAULTS,
  ...BUS_FAULTS,
  ...SUPPLY_FAULTS,
  ...WORD_FAULTS,
  ...ONE_WAY_FAULTS,
  ...DOOR_FAULTS,
};

/** Something that went wrong, by its number in the order of time. */
export interface Strike {
  readonly number: number;
  readonly kind: FaultKind;
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
  readonly #scene: Scene;
  /** Never drawn from, only forked: so each strike draws the same, whatever came before it. */
  readonly #chance: Chance;
  readonly #without: ReadonlySet<number>;
  readonly #withoutKinds: ReadonlySet<string>;
  readonly strikes: Strike[] = [];
  #count = 0;
  #isOver = false;

  constructor(world: World, { without = new Set(), withoutKinds = new Set() }: StormOptions = {}) {
    this.#world = world;
    this.#scene = new Scene(world);
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
    const { perHour } = this.#world.profile;
    const machines = this.#world.nodes.length;
    for (const kind of FAULT_KINDS) {
      const rate = perHour[kind] * (FAULTS[kind].per === 'machine' ? machines : 1);
      if (rate > 0) this.#next(kind, HOUR_MS / rate, this.#chance.fork(`times of ${kind}`));
    }
    if (perHour['bus rewinds'] + perHour['bus rewinds one stream'] > 0) this.#keepBackups();
  }

  /** Nothing new strikes, and what was broken is repaired. Who is gone for good stays gone. */
  end(): void {
    this.#isOver = true;
    this.#scene.end();
    const { nodes, coordinators, prometheus, registry, server } = this.#world;
    server.up();
    server.thaw();
    server.ensure();
    server.skewMs = 0;
    Object.assign(server.rates, noFaults());
    registry.isDown = false;
    registry.trouble = undefined;
    prometheus.fault = undefined;
    prometheus.measure = () => 0;
    for (const node of nodes) {
      mend(node, this.#world.nowMs);
      complete(this.#world, node);
      takeBack(this.#scene, node.model);
      heal(node.running);
      this.#world.startAgent(node);
    }
    for (const coordinator of coordinators) {
      heal(coordinator.running);
      this.#world.startCoordinator(coordinator);
    }
  }

  #next(kind: FaultKind, meanMs: number, times: Chance): void {
    this.#world.time.after(times.exponential(meanMs), () => {
      if (this.#isOver) return;
      this.#strike(kind);
      this.#next(kind, meanMs, times);
    });
  }

  #strike(kind: FaultKind): void {
    this.#count += 1;
    const number = this.#count;
    if (this.#without.has(number) || this.#withoutKinds.has(kind)) return;
    const what = FAULTS[kind].strike(this.#scene, this.#chance.fork(`strike ${number}`));
    this.strikes.push({ number, kind, atMs: this.#world.nowMs, what });
  }

  #keepBackups(): void {
    if (this.#isOver) return;
    this.#scene.backUp();
    this.#world.time.after(BACKUP_EVERY_MS, () => this.#keepBackups());
  }
}

function mend(node: SimulatedNode, nowMs: number): void {
  const { model } = node;
  node.offUntilMs = 0;
  model.pullFailureRate = 0;
  model.pullIsTampered = false;
  model.pullSlowness = 1;
  model.diskIsFull = false;
  model.registryIsDown = false;
  // When it came back is remembered.
  model.dockerdDownUntilMs = Math.min(model.dockerdDownUntilMs, nowMs);
  model.slowness = 1;
  model.leave = undefined;
  model.startContainers();
}

/** A stage of nodes that all lack a part is not passed: a person has to look. */
function complete({ units, judge }: World, { model, isGone }: SimulatedNode): void {
  for (const service of units) {
    if (isGone || model.isWhole(service)) continue;
    const image = digestOf('v1');
    const stack = stackOf(image);
    if (stack.digest !== undefined) model.knowsUnit(stack.digest, allOf(image));
    model.complete(service, stack);
    judge.changedByHand(model, service);
  }
}

function heal(running: Running | undefined): void {
  running?.line.heal();
  if (running?.process.isPaused === true) running.process.resume();
}
