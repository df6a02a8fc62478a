/** What a fault is, and what all of them need: someone to strike, traps that wait for a program's next step, backups. */

import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { Backup } from '../bus/stream.ts';
import type { Chance } from '../chance.ts';
import type { Death, OnEffect, SimulatedCoordinator, SimulatedNode, World } from '../world.ts';

export interface Fault {
  /** What it strikes: its rate is meant for each machine, or for the whole world. */
  readonly per: 'machine' | 'world';
  /** Returns what it has done, in words. */
  readonly strike: (scene: Scene, chance: Chance) => string;
}

/** Waits for an effect of a program: the `skipped + 1`st that bears the name, before or after it. */
export interface Trap {
  /** How the effect's name begins; empty: any. */
  readonly effect: string;
  readonly when: 'before' | 'after';
  readonly skipped: number;
  readonly springs: () => void;
}

/** All of a bus's streams as they were at one time. */
export interface BusBackup {
  readonly atMs: number;
  readonly streams: ReadonlyMap<string, Backup>;
}

export class Scene {
  readonly world: World;
  readonly backups: BusBackup[] = [];
  /** Those that were there from the beginning: whom a strike picks does not depend on who has joined meanwhile. */
  readonly #natives: readonly SimulatedNode[];
  #isOver = false;
  readonly #traps = new Map<SimulatedNode | SimulatedCoordinator, { trap: Trap; left: number }>();

  constructor(world: World) {
    this.world = world;
    this.#natives = [...world.nodes];
    world.onAgentEffect = (node, ...effect) => this.#sees(node, ...effect);
    world.onCoordinatorEffect = (coordinator, ...effect) => this.#sees(coordinator, ...effect);
  }

  /** Any machine; every second time one in the middle of something, if there is one. */
  node(chance: Chance): SimulatedNode {
    const prefersBusy = chance.happens(0.5);
    const place = chance.next();
    const busy = prefersBusy ? this.world.nodes.filter(({ model }) => model.isInTheMiddle) : [];
    const among = busy.length > 0 ? busy : this.#natives;
    return among[Math.floor(place * among.length)] as SimulatedNode;
  }

  /** Any; whatever else a strike draws does not depend on how many there are. */
  service(chance: Chance): ServiceName {
    return chance.fork('service').pick(this.world.services);
  }

  coordinator(chance: Chance): SimulatedCoordinator {
    return chance.pick(this.world.coordinators);
  }

  /** For what heals: it may come when all is over. */
  readonly later = (ms: number, act: () => void): void => {
    this.world.time.after(ms, act);
  };

  /** For what harms. */
  unlessOver(ms: number, act: () => void): void {
    this.later(ms, () => {
      if (!this.#isOver) act();
    });
  }

  backUp(): void {
    const { server } = this.world;
    const streams = new Map(server.names().map((name) => [name, server.backup(name)]));
    this.backups.push({ atMs: this.world.nowMs, streams });
  }

  /** Streams become what they were once. */
  setBack(streams: readonly string[], act: (stream: string) => void): void {
    for (const stream of streams) act(stream);
  }

  set(victim: SimulatedNode | SimulatedCoordinator, trap: Trap): void {
    this.#traps.set(victim, { trap, left: trap.skipped });
  }

  end(): void {
    this.#isOver = true;
    this.#traps.clear();
  }

  #sees(victim: SimulatedNode | SimulatedCoordinator, ...[name, when]: Parameters<OnEffect>): void {
    const set = this.#traps.get(victim);
    if (set === undefined || set.trap.when !== when || !name.startsWith(set.trap.effect)) return;
    set.left -= 1;
    if (set.left >= 0) return;
    this.#traps.delete(victim);
    set.trap.springs();
  }
}

/** How a killed program's death is drawn. */
export function drawDeath(chance: Chance, meanAwayMs: number): Death {
  return { awayMs: chance.exponential(meanAwayMs), arriving: chance.whole(0, 3) };
}

export function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
