/** One fault after the other, and over each other, until it is over: then everything is mended. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Chance } from '../simulation/chance.ts';
import { Cli } from './cli.ts';
import { FAULTS, type Fault, type Stage } from './faults.ts';
import type { People } from './people.ts';
import type { World } from './world.ts';

const STRIKE_EVERY_MS = 10_000;
const STRIKE_GAP_MS = [1_500, 20_000] as const;

export interface StormOptions {
  readonly world: World;
  readonly people: People;
  readonly chance: Chance;
  /** Only these kinds; all that are possible here where it is missing. */
  readonly only?: readonly string[];
  readonly say: (line: string) => void;
}

export class Storm {
  readonly struck = new Map<string, number>();
  readonly #options: StormOptions;
  readonly #chance: Chance;
  readonly #faults: readonly Fault[];
  readonly #running = new Set<Promise<void>>();
  #deck: Fault[] = [];

  constructor(options: StormOptions) {
    this.#options = options;
    this.#chance = options.chance.fork('storm');
    this.#faults = possibleFaults(options);
    for (const { name } of this.#faults) this.struck.set(name, 0);
  }

  /** Strikes until the signal aborts; then waits for what has begun to be over. Rejects where a strike could not be done. */
  async blow(over: AbortSignal): Promise<void> {
    const { world } = this.#options;
    while (!over.aborted) {
      const [least, most] = STRIKE_GAP_MS;
      const gapMs = Math.min(most, Math.max(least, this.#chance.exponential(STRIKE_EVERY_MS)));
      await delay(gapMs, undefined, { signal: over }).catch(() => {});
      if (over.aborted) break;
      const fault = this.#deal();
      if (fault.isAlone === true) {
        await Promise.all(this.#running);
        if (await world.untilClusterIsWell()) await this.#strike(fault, over);
      } else {
        const running = this.#strike(fault, over);
        this.#running.add(running);
        void running.finally(() => this.#running.delete(running)).catch(() => {});
      }
    }
    await Promise.all(this.#running);
    this.#mend();
  }

  /** Every kind comes once before any comes again: a short storm has them all. */
  #deal(): Fault {
    if (this.#deck.length === 0) this.#deck = shuffled(this.#faults, this.#chance);
    const fault = this.#deck.pop();
    if (fault === undefined) throw new Error('no kind of fault is possible here');
    return fault;
  }

  #strike(fault: Fault, over: AbortSignal): Promise<void> {
    const { world, people, say } = this.#options;
    const times = (this.struck.get(fault.name) ?? 0) + 1;
    this.struck.set(fault.name, times);
    const stage: Stage = {
      world,
      people,
      cli: new Cli(world.parts.cluster.urls, world.parts.signal),
      chance: this.#chance.fork(`${fault.name} ${times}`),
      wait: (ms) => delay(ms, undefined, { signal: over }).catch(() => world.parts.signal.throwIfAborted()),
      tell: (what) => say(`${fault.name}: ${what}`),
    };
    return fault.strike(stage);
  }

  #mend(): void {
    const { cluster } = this.#options.world.parts;
    for (const resident of [...cluster.servers, ...this.#options.world.programs]) {
      resident.thaw();
      resident.start();
    }
  }
}

function possibleFaults({ world, only }: StormOptions): readonly Fault[] {
  return FAULTS.filter(({ cuts }) => cuts !== true || world.parts.network.uncut === undefined).filter(
    ({ name }) => only?.includes(name) ?? true,
  );
}

function shuffled<Item>(items: readonly Item[], chance: Chance): Item[] {
  return items
    .map((item) => ({ item, at: chance.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
