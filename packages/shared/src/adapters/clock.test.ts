import { afterEach, expect, test, vi } from 'vitest';
import { systemClock } from './clock.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('a wall clock set back does not move the monotonic one', () => {
  const before = systemClock.monotonicMs();
  vi.useFakeTimers({ toFake: ['Date'], now: 0 });
  expect(systemClock.wallMs()).toBe(0);
  expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(before);
});
