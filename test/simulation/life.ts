/** One world's life from its seed to its judgement. */

import { takeCare } from './care.ts';
import type { Counts } from './coverage.ts';
import type { RuleChecks, TrueViolation } from './judge/bench.ts';
import { type Happening, traceOf } from './judge/chronicle.ts';
import { hasBeenLeft, isOver, whatIsLeft } from './liveness.ts';
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
const CALM_MAX_MS = 2 * 3_600_000;
/** Messages of the last result still travel. */
const AFTERMATH_MS = 300_000;

export async function live(options: LifeOptions): Promise<Life> {
  const world = new World(options);
  const storm = new Storm(world, options);
  const people = new People(world);
  world.startAll();
  await world.run(WARM_UP_MS);
  people.begin();
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

/**
 * With everything healed: a bad release is halted by itself, and everybody leaves it (I5); a good one reaches everybody
 * (I14), and whoever comes after it (K5).
 */
async function end(world: World, people: People): Promise<void> {
  const bad = people.lastBad();
  const badVersion = people.lastVersion;
  if (!(await comesAbout(world, 'I5', bad, () => hasBeenLeft(world, bad, badVersion), badVersion))) return;
  const last = people.last();
  const version = people.lastVersion;
  const reached = (): boolean => isOver(world, last, version);
  if (!(await comesAbout(world, 'I14', last, reached, version))) return;
  world.startAgent(world.addNode());
  if (!(await comesAbout(world, 'I14', last, reached, version))) return;
  await world.run(AFTERMATH_MS);
  if (!isBroken(world)) world.finish();
}

async function comesAbout(
  world: World,
  rule: 'I5' | 'I14',
  rollout: number | undefined,
  isSo: () => boolean,
  version: string,
): Promise<boolean> {
  const came = await world.run(CALM_MAX_MS, isSo);
  if (isBroken(world)) return false;
  world.truth.bench.judged(rule, 1 + world.nodes.filter(({ isGone }) => !isGone).length);
  if (!came) world.truth.break(rule, whatIsLeft(world, rollout, version), { rollout });
  return came;
}

function isBroken({ truth }: World): boolean {
  return truth.violations.length > 0;
}

function tell(world: World, storm: Storm, { seed }: LifeOptions): Life {
  const { truth, judge, coverage } = world;
  const { violations } = truth;
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
    nodeUpdates: truth.updates,
    livedMs: world.nowMs - START_MS,
    nodeMs: world.nodeMs,
    checks: judge.checks(),
    excused: Object.fromEntries(judge.excused),
    strikes: storm.strikes,
    coverage: coverage.counts(),
    history: judge.history,
    entries: judge.entries.length,
    mostOut: truth.mostOut,
    trace:
      first === undefined ? [] : traceOf(first, judge.entries, [...judge.happenings, ...struck], START_MS),
  };
}
