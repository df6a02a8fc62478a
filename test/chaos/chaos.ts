/** One storm from its seed to its judgement: it blows, everything heals, the last release must reach everybody (I14). */

import { setTimeout as delay } from 'node:timers/promises';
import { Chance } from '../simulation/chance.ts';
import { comeToRest, lookOnce } from './calm.ts';
import { evidenceOf } from './evidence.ts';
import type { Network } from './network.ts';
import type { ChaosOptions } from './options.ts';
import { People } from './people.ts';
import { Storm } from './storm.ts';
import { World } from './world.ts';

export interface ChaosResult {
  readonly ok: boolean;
  readonly seconds: number;
  readonly nodes: number;
  /** Times that a node went out of rotation for another image. */
  readonly nodeUpdates: number;
  readonly rollouts: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
  /** What broke a rule by a fault that nobody could have kept it under. */
  readonly excused: readonly string[];
  readonly skipped: readonly string[];
  readonly seed: string;
}

export interface ChaosOutcome {
  readonly result: ChaosResult;
  /** What else there is to say where a rule was broken. */
  readonly evidence: readonly string[];
}

export interface Surroundings {
  readonly network: Network;
  /** Of this run alone. */
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

const LOOK_EVERY_MS = 2_000;
const LOOKS_PER_LINE = 5;

export async function runChaos(
  { seed, minutes, nodes, faults }: ChaosOptions,
  { network, directory, signal, say }: Surroundings,
): Promise<ChaosOutcome> {
  const startedMs = performance.now();
  const chance = new Chance(seed);
  await using world = await World.open({ network, directory, nodes, chance, signal });
  const people = new People(world, chance);
  const only = faults === undefined ? {} : { only: faults };
  const storm = new Storm({ world, people, chance, say, ...only });
  await people.begin();
  const { hosts, coordinators, cluster } = world.parts;
  say(
    `up: ${nodes} nodes in ${hosts.length} processes, ${coordinators.length} coordinators, ${cluster.servers.length} servers`,
  );

  const over = new AbortController();
  const end = setTimeout(() => over.abort(), minutes * 60_000);
  const storming = AbortSignal.any([signal, over.signal]);
  const looking = lookAfter(world, storming, say, () => over.abort());
  try {
    await Promise.all([storm.blow(storming), people.carryOn(storming)]);
  } finally {
    clearTimeout(end);
    over.abort();
    await looking;
  }
  signal.throwIfAborted();
  const { judge } = world;
  if (judge.violations.length === 0) {
    say('the storm is over, and all is mended: the last release');
    await comeToRest(world, people, say);
    judge.finish();
  }
  const result: ChaosResult = {
    ok: judge.violations.length === 0,
    seconds: Math.round((performance.now() - startedMs) / 1_000),
    nodes,
    nodeUpdates: world.parts.outages.all.length,
    rollouts: rolloutsOf(world).size,
    faults: Object.fromEntries(storm.struck),
    violations: judge.violations.map(({ rule, message }) => `${rule}: ${message}`),
    excused: [...judge.excused].map((message) => `I1, slots that the bus forgot: ${message}`),
    skipped: network.uncut === undefined ? [] : [`partitions: ${network.uncut}`],
    seed,
  };
  return {
    result,
    evidence: judge.violations.flatMap((violation) => evidenceOf(world.judge.seen, violation)),
  };
}

/** Looks at the rules and at the programs while the storm lasts; what is broken ends it. */
async function lookAfter(
  world: World,
  storming: AbortSignal,
  say: (line: string) => void,
  stop: () => void,
): Promise<void> {
  for (let looks = 1; !storming.aborted; looks += 1) {
    await delay(LOOK_EVERY_MS, undefined, { signal: storming }).catch(() => {});
    lookOnce(world);
    if (world.judge.violations.length > 0) stop();
    if (looks % LOOKS_PER_LINE === 0) {
      const { outages } = world.parts;
      const updates = outages.all.length;
      say(`${rolloutsOf(world).size} rollouts, ${updates} updates, ${outages.openCount} nodes are out`);
    }
  }
}

function rolloutsOf({ judge }: World): ReadonlySet<string> {
  return new Set(
    judge.seen.flatMap(({ entry }) =>
      entry.kind === 'event' && entry.event.name === 'rollout-started' ? [entry.event.line] : [],
    ),
  );
}
