import { expect, test } from 'vitest';
import { longestGap } from './watch.ts';

test('an outage is the longest time between two good answers, in whatever order they came', () => {
  expect(longestGap([10, 4, 0, 300, 305, 12])).toBe(288);
  expect(longestGap([])).toBe(0);
});
