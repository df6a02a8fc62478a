import { expect, test } from 'vitest';
import { longestDrainMs, risingWeight } from './traffic.ts';

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

const DRAIN = { checks: 0, timeMs: 1_000, maxMs: 60_000 };

test.each([
  ['its time', DRAIN, 1_000],
  ['its bound, where a balancer has to ask', { ...DRAIN, checks: 1 }, 60_000],
  ['its bound, where nothing may be in flight', { ...DRAIN, inFlight: { port: 80, path: '/' } }, 60_000],
])('the longest drain is %s', (_, drain, longestMs) => {
  expect(longestDrainMs(drain)).toBe(longestMs);
});
