import { expect, test } from 'vitest';
import { replay } from './job.ts';
import { readOptions } from './options.ts';

test('seeds are counted from the first one', () => {
  expect(
    readOptions(['--seeds', '3', '--from', '10', '--nodes', '200', '--jobs', '2', '--json']),
  ).toMatchObject({
    ok: true,
    value: { seeds: ['10', '11', '12'], nodes: 200, jobs: 2, json: true, stormHours: 1, calm: false },
  });
});

test('what a replay says is read as it was meant', () => {
  const job = {
    seed: '7',
    nodes: 5,
    stormHours: 0.5,
    calm: false,
    slow: false,
    omitted: { only: [9, 22], without: [3], withoutKinds: ['bus restart', 'full disk'] },
  };
  const command = replay(job);
  expect(command).toBe(
    "npm run sim -- --seed 7 --nodes 5 --storm 0.5 --only 9,22 --without 3 --without-kinds 'bus restart,full disk'",
  );
  const args = ['--seed', '7', '--nodes', '5', '--storm', '0.5', '--only', '9,22', '--without', '3'];
  expect(readOptions([...args, '--without-kinds', 'bus restart,full disk'])).toMatchObject({
    ok: true,
    value: { seeds: ['7'], nodes: 5, stormHours: 0.5, omitted: job.omitted },
  });
});

test('a storm of which nothing is left', () => {
  expect(
    replay({
      seed: '7',
      nodes: 5,
      stormHours: 1,
      calm: false,
      slow: false,
      omitted: { only: [], without: [], withoutKinds: [] },
    }),
  ).toMatch(/--only none$/);
  expect(readOptions(['--only', 'none'])).toMatchObject({ ok: true, value: { omitted: { only: [] } } });
});

test.each([
  [['--seeds', '0'], '--seeds: 0 is not a whole number of at least 1'],
  [['--seeds', ''], '--seeds:  is not a whole number of at least 1'],
  [['--nodes', 'many'], '--nodes: many is not a whole number of at least 1'],
  [['--nodes', '1.5'], '--nodes: 1.5 is not a whole number of at least 1'],
  [['--storm', '-1'], '--storm'],
  [['--storm=-1'], '--storm: -1 is not a number of at least 0'],
  [['--storm', 'Infinity'], '--storm: Infinity is not a number of at least 0'],
  [['--jobs', '0'], '--jobs: 0 is not a whole number of at least 1'],
  [['--without', '3,x'], '--without: x is not a whole number of at least 1'],
  [['--without-kinds', 'bus restarts'], '--without-kinds: bus restarts is none of: '],
  [['--sedes', '3'], "Unknown option '--sedes'"],
  [['3'], 'Unexpected argument'],
])('%j is refused with its reason', (args, says) => {
  const read = readOptions(args);
  expect(read.ok ? [] : read.problems).toEqual([expect.stringContaining(says)]);
});
