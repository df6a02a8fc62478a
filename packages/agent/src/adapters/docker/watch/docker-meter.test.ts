import { expect, test } from 'vitest';
import { readUsage } from './docker-meter.ts';

function stats(memory: object): object {
  return { cpu_stats: { cpu_usage: { total_usage: 2_500_000_000 } }, memory_stats: memory };
}

test('N14: memory is what docker stats shows: files that merely lie about are not counted', () => {
  const version2 = stats({ usage: 1_000, stats: { inactive_file: 300, anon: 600 } });
  const version1 = stats({ usage: 1_000, stats: { inactive_file: 100, total_inactive_file: 400 } });
  expect(readUsage(version2)).toEqual({ cpuSeconds: 2.5, memoryBytes: 700 });
  expect(readUsage(version1)).toEqual({ cpuSeconds: 2.5, memoryBytes: 600 });
  expect(readUsage(stats({ usage: 100, stats: { inactive_file: 300 } }))?.memoryBytes).toBe(100);
  expect(readUsage(stats({ usage: 100 }))?.memoryBytes).toBe(100);
});

test('a container that has just ended has none', () => {
  // What dockerd answers then.
  expect(readUsage(stats({}))).toBeUndefined();
  expect(readUsage(undefined)).toBeUndefined();
});
