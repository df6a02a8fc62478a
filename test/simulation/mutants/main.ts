// npm run sim:mutants -- [--json] [--only NAME] [--seeds N] [--jobs N]
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { MUTANTS } from './all.ts';
import { control, hunt, inParallel, type Unfit } from './hunt.ts';
import { patched } from './mutant.ts';
import type { WorldName } from './worlds.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    seeds: { type: 'string', default: '20' },
    jobs: { type: 'string', default: String(availableParallelism()) },
  },
});

/** Seeds that one process of the control lives. */
const CONTROL_SEEDS = 5;
const jobs = Number(values.jobs);
const seeds = Array.from({ length: Number(values.seeds) }, (_, index) => String(index + 1));
const mutants = MUTANTS.filter(({ name }) => values.only?.includes(name) ?? true);
if (mutants.length === 0) throw new Error(`there is no mutant of that name`);
for (const mutant of mutants) patched(mutant);

const say = (line: string): void => console.error(line);
const seconds = (sinceMs: number): string => `${((performance.now() - sinceMs) / 1_000).toFixed(1)} s`;

// The control: where the unchanged code breaks a rule, catching a bug would mean nothing.
const unfit: Unfit[] = [];
const controls = [...new Set(mutants.map(({ world }) => world))].flatMap((world) =>
  Array.from({ length: Math.ceil(seeds.length / CONTROL_SEEDS) }, (_, index) => ({
    world,
    seeds: seeds.slice(index * CONTROL_SEEDS, (index + 1) * CONTROL_SEEDS),
  })),
);
const controlMs = performance.now();
await inParallel(jobs, controls, async ({ world, seeds: some }) => {
  for (const one of await control(world, some)) {
    unfit.push(one);
    say(`control: ${one.world}, seed ${one.seed}: ${one.why}`);
  }
});
say(
  `control: ${controls.reduce((sum, one) => sum + one.seeds.length, 0)} lives, ${unfit.length} unfit, ${seconds(controlMs)}`,
);

const missed: string[] = [];
await inParallel(jobs, mutants, async (mutant) => {
  const sinceMs = performance.now();
  const verdict = await hunt(mutant, fitSeeds(mutant.world));
  const tells =
    verdict.is === 'caught'
      ? `seed ${verdict.seed}, ${verdict.rule}: ${verdict.message.slice(0, 160)}`
      : verdict.why;
  if (verdict.is === 'missed') missed.push(mutant.name);
  say(`${verdict.is} ${mutant.name} (${mutant.world}, ${seconds(sinceMs)}) ${tells}`);
});

const summary = {
  mutants: mutants.length,
  caught: mutants.length - missed.length,
  missed,
  ...(unfit.length > 0 && { controlFailed: unfit.map(({ world, seed }) => `${world}/${seed}`) }),
};
console.log(values.json ? JSON.stringify(summary) : summary);
process.exitCode = missed.length + unfit.length > 0 ? 1 : 0;

function fitSeeds(world: WorldName): readonly string[] {
  return seeds.filter((seed) => !unfit.some((one) => one.world === world && one.seed === seed));
}
