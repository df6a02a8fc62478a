import { expect, test } from 'vitest';
import { risingWeight } from './traffic.ts';

test.each([
  ['at once, where no time is given', 0, 0, 100],
  ['a tenth at first', 0, 60_000, 10],
  ['in a line', 30_000, 60_000, 55],
  ['the whole at the end', 60_000, 60_000, 100],
  ['the whole from then on', 90_000, 60_000, 100],
  ['a tenth where a clock has gone back', -5_000, 60_000, 10],
])('a weight rises: %s', (_, sinceMs, rampMs, percent) => {
  expect(risingWeight(sinceMs, rampMs)).toBe(percent);
});
