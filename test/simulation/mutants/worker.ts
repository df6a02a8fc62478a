/** One process, one bug (or none): lives seed after seed in a world, and tells of each. */

import { strict as assert } from 'node:assert';
import { MUTANTS } from './all.ts';
import { plant } from './mutant.ts';
import type { WORLDS, WorldName } from './worlds.ts';

export interface Job {
  /** Missing: the control, the code as it is. */
  readonly mutant?: string;
  readonly world: WorldName;
  readonly seeds: readonly string[];
}

/** What came of a seed. */
export interface Lived {
  readonly seed: string;
  readonly tookMs: number;
  readonly violations: readonly { readonly rule: string; readonly message: string }[];
}

/** One node is a small world: so many of its lives are as one of a fleet's. */
const LIVES_OF_ONE_NODE = 10;

const { mutant: planted, world, seeds } = JSON.parse(process.argv[2] ?? '{}') as Job;
if (planted !== undefined) {
  const mutant = MUTANTS.find(({ name }) => name === planted);
  assert(mutant !== undefined, `there is no mutant ${planted}`);
  plant(mutant);
}
// Only now: whatever is imported before has no bug in it.
const { readShapes } = await import('../bus/definition.ts');
const shapes = await readShapes();
const violationsOf = await livesIn(world);
for (const seed of seeds) {
  const beganMs = performance.now();
  const violations = await violationsOf(seed);
  const lived: Lived = { seed, violations, tookMs: performance.now() - beganMs };
  process.send?.(lived);
}
// The engine's deadlines of questions that nobody waits for any more would keep it for minutes.
process.once('disconnect', () => process.exit(0));
process.disconnect?.();

type ViolationsOf = (seed: string) => Promise<Lived['violations']>;

async function livesIn(which: WorldName): Promise<ViolationsOf> {
  if (which === 'one node') return onOneNode();
  return which === 'scopes' ? (await import('./in-scopes.ts')).liveInScopes : inFleet(which);
}

async function inFleet(which: keyof typeof WORLDS): Promise<ViolationsOf> {
  const { live } = await import('../life.ts');
  const { WORLDS: worlds } = await import('./worlds.ts');
  const { nodes, stormHours, profile } = worlds[which];
  const stormMs = stormHours * 3_600_000;
  return async (seed) => (await live({ seed, nodes, profile, shapes, stormMs })).violations;
}

async function onOneNode(): Promise<ViolationsOf> {
  const { liveThrough } = await import('../one-node/storm.ts');
  return async (seed) => {
    for (let life = 1; life <= LIVES_OF_ONE_NODE; life += 1) {
      const { violation } = await liveThrough(`${seed}.${life}`, shapes);
      if (violation !== undefined) return [violation];
    }
    return [];
  };
}
