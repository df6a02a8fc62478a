// npm run sim:mutants -- [--json] [--only NAME …] [--seeds N] [--jobs N]
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { MUTANTS } from './all.ts';
import { control, hunt, inParallel, type Unfit } from './hunt.ts';
import { type Mutant, patched } from './mutant.ts';
import type { WorldName } from './worlds.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    seeds: { type: 'string', default: '30' },
    jobs: { type: 'string', default: String(availableParallelism()) },
  },
});

/** Seeds of one round: the unchanged code lives them first, then every bug that is still at large. */
const ROUND_SEEDS = 5;

const jobs = Number(values.jobs);
const seeds = Array.from({ length: Number(values.seeds) }, (_, index) => String(index + 1));
const mutants = MUTANTS.filter(({ name }) => values.only?.includes(name) ?? true);
if (mutants.length === 0) throw new Error('there is no mutant of that name');
for (const mutant of mutants) patched(mutant);

const say = (line: string): void => console.error(line);
const unfit: Unfit[] = [];
const tookMs = new Map<string, number>();
const lastWord = new Map<string, string>();
let atLarge: readonly Mutant[] = mutants;
for (let from = 0; from < seeds.length && atLarge.length > 0; from += ROUND_SEEDS) {
  const round = seeds.slice(from, from + ROUND_SEEDS);
  await liveUnchanged(round);
  atLarge = await chase(round);
}
for (const { name, world } of atLarge) say(`missed ${name} (${world}) ${lastWord.get(name)}`);

const missed = atLarge.map(({ name }) => name);
const summary = {
  mutants: mutants.length,
  caught: mutants.length - missed.length,
  missed,
  ...(unfit.length > 0 && { controlFailed: unfit.map(({ world, seed }) => `${world}/${seed}`) }),
};
console.log(values.json ? JSON.stringify(summary) : summary);
process.exitCode = missed.length + unfit.length > 0 ? 1 : 0;

/** The control: where the unchanged code breaks a rule, catching a bug would mean nothing. */
async function liveUnchanged(round: readonly string[]): Promise<void> {
  const worlds = [...new Set(atLarge.map(({ world }) => world))];
  const beganMs = performance.now();
  await inParallel(jobs, worlds, async (world) => {
    for (const one of await control(world, round)) {
      unfit.push(one);
      say(`control ${one.world}, seed ${one.seed}: ${one.why}`);
    }
  });
  const lives = `${worlds.length * round.length} lives of the unchanged code, seeds ${round[0]} to ${round.at(-1)}`;
  say(`control ${lives}, ${seconds(performance.now() - beganMs)}`);
}

/** Returns who got away. */
async function chase(round: readonly string[]): Promise<readonly Mutant[]> {
  const caught = new Set<Mutant>();
  await inParallel(jobs, atLarge, async (mutant) => {
    const { name, world } = mutant;
    const beganMs = performance.now();
    const verdict = await hunt(mutant, fitSeeds(world, round));
    const took = (tookMs.get(name) ?? 0) + performance.now() - beganMs;
    tookMs.set(name, took);
    if (verdict.is === 'missed') {
      if (verdict.why !== undefined || !lastWord.has(name))
        lastWord.set(name, verdict.why ?? 'no rule was broken');
      return;
    }
    caught.add(mutant);
    say(
      `caught ${name} (${world}, seed ${verdict.seed}, ${seconds(took)}) ${verdict.rule}: ${verdict.message}`,
    );
  });
  return atLarge.filter((mutant) => !caught.has(mutant));
}

function fitSeeds(world: WorldName, round: readonly string[]): readonly string[] {
  return round.filter((seed) => !unfit.some((one) => one.world === world && one.seed === seed));
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
