import { expect, test, vi } from 'vitest';
import { systemHost } from './host.ts';

test('who waits for a month is not called at once', () => {
  vi.useFakeTimers();
  try {
    const call = vi.fn<() => void>();
    const callOff = systemHost.after(30 * 86_400_000, call);
    vi.advanceTimersByTime(24 * 86_400_000);
    expect(call).not.toHaveBeenCalled();
    callOff();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
