/** One world's life from its seed to its judgement. */

import { takeCare } from './care.ts';
import type { Counts } from './coverage.ts';
import { end } from './ending.ts';
import type { RuleChecks, TrueViolation } from './judge/bench.ts';
import { type Happening, traceOf } from './judge/chronicle.ts';
import { People } from './people.ts';
import { Storm, type StormOptions, type Strike } from './storm.ts';
import { START_MS, World, type WorldOptions } from './world.ts';

export interface LifeOptions extends WorldOptions, StormOptions {
  /** How long the storm lasts. */
  readonly stormMs: number;
  /** Whoever looks for one violation waits no longer than this. */
  readonly patienceMs?: number;
}

/** Nothing but what can be handed from one thread to another. */
export interface Life {
  readonly seed: string;
  readonly violations: readonly TrueViolation[];
  /** Times that a node has gone out for another image. */
  readonly nodeUpdates: number;
  readonly livedMs: number;
  /** All its nodes' time together. */
  readonly nodeMs: number;
  /** How often each rule was really judged. */
  readonly checks: RuleChecks;
  /** What broke a rule by a fault that nobody could have kept it under, by why. */
  readonly excused: Counts;
  readonly strikes: readonly Strike[];
  readonly coverage: Counts;
  /** The same for the same history. */
  readonly history: string;
  readonly entries: number;
  readonly mostOut: number;
  /** Of the first violation. */
  readonly trace: readonly string[];
}

const WARM_UP_MS = 60_000;
const HEALING_MS = 300_000;

export async function live(options: LifeOptions): Promise<Life> {
  using world = new World(options);
  const storm = new Storm(world, options);
  const people = world.services.map((service) => new People(world, service));
  world.startAll();
  await world.run(WARM_UP_MS);
  for (const one of people) one.begin();
  storm.begin();
  takeCare(world);
  const { stormMs, patienceMs = Number.POSITIVE_INFINITY } = options;
  await world.run(Math.min(stormMs, patienceMs - WARM_UP_MS));
  if (patienceMs >= stormMs && !isBroken(world)) {
    storm.end();
    await world.run(HEALING_MS);
    if (!isBroken(world)) await end(world, people);
  }
  return tell(world, storm, options);
}

function isBroken({ bench }: World): boolean {
  return bench.violations.length > 0;
}

function tell(world: World, storm: Storm, { seed }: LifeOptions): Life {
  const { judge, coverage } = world;
  const { violations } = world.bench;
  const truths = [...world.truths.values()];
  const [first] = violations;
  const struck = storm.strikes.map(
    ({ number, kind, what, atMs }): Happening => ({
      atMs,
      what: `the storm's strike ${number}, ${kind}: ${what}`,
      concern: {},
    }),
  );
  return {
    seed,
    violations,
    nodeUpdates: truths.reduce((sum, { updates }) => sum + updates, 0),
    livedMs: world.nowMs - START_MS,
    nodeMs: world.nodeMs,
    checks: judge.checks(),
    excused: Object.fromEntries(judge.excused),
    strikes: storm.strikes,
    coverage: coverage.counts(),
    history: judge.history,
    entries: judge.entries.length,
    mostOut: Math.max(...truths.map(({ mostOut }) => mostOut)),
    trace:
      first === undefined ? [] : traceOf(first, judge.entries, [...judge.happenings, ...struck], START_MS),
  };
}
