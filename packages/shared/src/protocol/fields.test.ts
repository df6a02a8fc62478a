import { expect, test } from 'vitest';
import { durationMs, name, share } from './fields.ts';

test.each([0, 1, 86_400_000, 30 * 86_400_000])('%d ms is a duration', (ms) => {
  expect(durationMs.safeParse(ms).success).toBe(true);
});

// A timer that is asked to wait for longer than it can fires at once; one for half a millisecond throws.
test.each([-1, 0.5, 1e308, 30 * 86_400_000 + 1, Number.NaN])(
  '%d ms is none: no timer can wait for it',
  (ms) => {
    expect(durationMs.safeParse(ms).success).toBe(false);
  },
);

test('a name that every object knows is none', () => {
  expect([name.safeParse('web').success, name.safeParse('constructor').success]).toEqual([true, false]);
});

test('a share is at most as many nodes as a wave has slots for', () => {
  expect(share.safeParse({ kind: 'count', count: 1_000_001 }).success).toBe(false);
});
