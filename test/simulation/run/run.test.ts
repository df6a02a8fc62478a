/** A short run, as `npm run sim` does it: the rules hold, all of them are judged, and threads change nothing. */

import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { readShapes } from '../bus/definition.ts';
import { RULES } from '../judge/bench.ts';
import { live } from '../life.ts';
import { type Job, lifeOptions, NOTHING } from './job.ts';
import { readOptions } from './options.ts';
import { Pool } from './pool.ts';
import { run } from './run.ts';

const TIMEOUT_MS = 180_000;

test('a seed has one history, whoever lives it and beside whatever else', {
  timeout: TIMEOUT_MS,
}, async () => {
  const job: Job = { seed: '3', nodes: 9, stormHours: 0.1, calm: false, slow: false, omitted: NOTHING };
  const here = await live(lifeOptions(job, await readShapes()));
  await using pool = new Pool(2);
  const [there, other] = await Promise.all([pool.live(job), pool.live({ ...job, seed: '4' })]);
  expect(there).toEqual(here);
  expect(other.history).not.toBe(here.history);
});

test('a storm of which everything is left out is no storm, and one of which nothing is left out is the same', {
  timeout: TIMEOUT_MS,
}, async () => {
  const job: Job = { seed: '3', nodes: 9, stormHours: 0.1, calm: false, slow: false, omitted: NOTHING };
  await using pool = new Pool(2);
  const whole = await pool.live(job);
  const numbers = whole.strikes.map(({ number }) => number);
  const [only, none] = await Promise.all([
    pool.live({ ...job, omitted: { ...NOTHING, only: numbers } }),
    pool.live({ ...job, omitted: { ...NOTHING, only: [] } }),
  ]);
  expect(numbers.length).toBeGreaterThan(0);
  expect(only.history).toBe(whole.history);
  expect(none.strikes).toEqual([]);
});

/** No operator stops his container in so few worlds. */
const SELDOM: readonly string[] = ['I12'];

test('a few seeds: no rule is broken, and each is judged', { timeout: TIMEOUT_MS }, async () => {
  const options = readOptions(['--seeds', '3', '--from', '3', '--nodes', '24', '--storm', '0.5', '--json']);
  if (!options.ok) throw new Error(options.problems.join());
  const lines: string[] = [];
  const out = new PassThrough() as unknown as NodeJS.WriteStream;
  const summary = await run(options.value, { out, say: (line) => lines.push(line) });
  expect({ violations: summary.violations, lines: summary.violations > 0 ? lines : [] }).toEqual({
    violations: 0,
    lines: [],
  });
  expect(Object.keys(summary.ruleChecks)).toEqual([...RULES]);
  const never = Object.entries(summary.ruleChecks).filter(([, times]) => times === 0);
  expect(never.map(([rule]) => rule).filter((rule) => !SELDOM.includes(rule))).toEqual([]);
  expect(summary.seeds).toBe(3);
  expect(lines).toContainEqual('3 seeds: 3 different histories, 3 different sets of transitions');
});
