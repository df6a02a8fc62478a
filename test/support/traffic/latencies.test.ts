import { expect, test } from 'vitest';
import { Latencies } from './latencies.ts';

test('so many percent took no longer', () => {
  const latencies = Latencies.of(Array.from({ length: 100 }, (_, index) => [index + 1, 1] as const));
  expect([1, 50, 99, 100].map((percent) => latencies.percentile(percent))).toEqual([1, 50, 99, 100]);
});

test('a part of a millisecond is a whole one', () => {
  const latencies = new Latencies();
  latencies.add(0.2);
  latencies.add(7.01, 3);
  expect(latencies.entries()).toEqual([
    [1, 1],
    [8, 3],
  ]);
});

test('of nothing there is no percentile', () => {
  expect(new Latencies().percentile(99)).toBe(0);
});
