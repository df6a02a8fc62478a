// npm run fuzz -- [--runs N] [--seed S] [--door NAME [--path P]] [--json]
import { parseArgs } from 'node:util';
import { DOORS } from './doors.ts';
import { type Found, lookAt } from './run.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string' },
    path: { type: 'string' },
    door: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const doors = DOORS.filter(({ name }) => values.door === undefined || name === values.door);
if (doors.length === 0) {
  console.error(`there is no door "${values.door}": there are ${DOORS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
const runs = Number(values.runs);
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
const say = values.json ? console.error : console.log;

const found: Found[] = [];
for (const door of doors) {
  const startedMs = performance.now();
  const one = await lookAt(door, { runs, seed, ...(values.path !== undefined && { path: values.path }) });
  found.push(one);
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  say(
    `${one.failure === undefined ? 'ok    ' : 'FAILED'} ${door.name.padEnd(24)} ${String(one.runs).padStart(7)} runs ${seconds} s`,
  );
  if (one.failure === undefined) continue;
  const { failure } = one;
  say(`  ${failure.problem}\n  by ${failure.counterexample}`);
  say(
    `  replay: npm run fuzz -- --door '${door.name}' --runs ${runs} --seed ${failure.seed} --path ${failure.path}`,
  );
}
const failed = found.flatMap(({ door, failure }) => (failure === undefined ? [] : [{ door, ...failure }]));
const total = found.reduce((sum, one) => sum + one.runs, 0);
console.log(JSON.stringify({ doors: found.length, runs: total, seed, failed }));
process.exitCode = failed.length > 0 ? 1 : 0;
