import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { msUntilPaced, nodesPaced } from './pace.ts';

const HOUR_MS = 3_600_000;

test.each([
  ['5%/6h of 100 after an hour', 5, 6, 100, 1, 0],
  ['5%/6h of 100 a moment before the first', 5, 6, 100, 1.2 - 1 / HOUR_MS, 0],
  ['5%/6h of 100 when the first is due', 5, 6, 100, 1.2, 1],
  ['5%/6h of 100 after six hours', 5, 6, 100, 6, 5],
  ['5%/6h of 100,000 after an hour', 5, 6, 100_000, 1, 833],
  ['5%/6h of 3 a moment before the first', 5, 6, 3, 40 - 1 / HOUR_MS, 0],
  ['5%/6h of 3 when the first is due', 5, 6, 3, 40, 1],
  ['100%/1h of 3 after twenty minutes', 100, 1, 3, 1 / 3, 1],
  ['100%/1h of 100,000 after an hour', 100, 1, 100_000, 1, 100_000],
  ['never more than there are', 100, 1, 3, 48, 3],
  ['0.01%/6h of 100,000 after six hours', 0.01, 6, 100_000, 6, 10],
  ['0.01%/6h of 100,000 a moment before the tenth', 0.01, 6, 100_000, 6 - 1 / HOUR_MS, 9],
  ['0.01%/30d of 3 after thirty days', 0.01, 720, 3, 720, 0],
])('P4: %s', (_, percent, perHours, nodes, hours, expected) => {
  expect(nodesPaced({ percent, perMs: perHours * HOUR_MS }, nodes, Math.round(hours * HOUR_MS))).toBe(
    expected,
  );
});

test('P4: the k-th node is let through in the millisecond that it is due, at every rate and size', () => {
  const rate = fc.record({
    parts: fc.integer({ min: 1, max: 1_000_000 }),
    perMs: fc.integer({ min: 1_000, max: 2_592_000_000 }),
  });
  const everyone = fc.integer({ min: 1, max: 100_000 });
  fc.assert(
    fc.property(rate, everyone, fc.nat(1_000_000), ({ parts, perMs }, nodes, draw) => {
      const wanted = 1 + (draw % nodes);
      // The first whole millisecond at which nodes × share × time ≥ wanted × per.
      const whole = BigInt(wanted) * BigInt(perMs) * 1_000_000n;
      const share = BigInt(nodes) * BigInt(parts);
      const dueMs = Number((whole + share - 1n) / share);
      fc.pre(Number.isSafeInteger(dueMs));
      const safeRate = { percent: parts / 10_000, perMs };
      expect(msUntilPaced(safeRate, nodes, wanted)).toBe(dueMs);
      expect(nodesPaced(safeRate, nodes, dueMs)).toBeGreaterThanOrEqual(wanted);
      expect(nodesPaced(safeRate, nodes, dueMs - 1)).toBeLessThan(wanted);
    }),
    { numRuns: 1_000 },
  );
});
