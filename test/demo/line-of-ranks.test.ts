import { describe, expect, it } from 'vitest';
import { drawLine } from './line-of-ranks.ts';

/** One letter for each node, `━` admitted, `─` downloading, `┄` beyond, `▶` the cursor. */
function drawn(
  ranks: Readonly<Record<string, number>>,
  cursor: number,
  stageBelow: number,
  width: number,
): string {
  const placed = Object.entries(ranks).map(([node, rank]) => ({ node, rank }));
  const track = { admitted: '━', staging: '─', beyond: '┄' } as const;
  return drawLine(placed, { cursor, stageBelow }, width)
    .map((cell) => (cell.kind === 'node' ? cell.node : cell.kind === 'cursor' ? '▶' : track[cell.is]))
    .join('');
}

describe('the line of ranks', () => {
  it('is drawn to scale', () => {
    expect(drawn({ a: 0.1, b: 0.5, c: 0.9 }, 0.3, 0.7, 10)).toBe('━a━▶─b─┄┄c');
    expect(drawn({ a: 0.1, b: 0.5, c: 0.9 }, 0, 0, 10)).toBe('┄a┄┄┄b┄┄┄c');
    expect(drawn({ a: 0.1, b: 0.5, c: 0.9 }, 1, 1, 10)).toBe('━a━━━b━━━c');
  });

  it('moves nodes apart that would stand in one column, and keeps their order', () => {
    expect(drawn({ b: 0.52, a: 0.51, c: 0.53 }, 0, 0, 10)).toBe('┄┄┄┄┄abc┄┄');
    expect(drawn({ a: 0.97, b: 0.98, c: 0.99 }, 0, 0, 6)).toBe('┄┄┄abc');
  });

  it('never shows an admitted node behind the cursor, or another one before it', () => {
    expect(drawn({ a: 0.51, b: 0.52, c: 0.53 }, 0.525, 0.525, 10)).toBe('━━━━━abc┄┄');
    expect(drawn({ a: 0.5, b: 0.9 }, 0.51, 0.51, 10)).toBe('━━━━━a▶┄┄b');
  });

  it('leaves out the last nodes where there is no room', () => {
    expect(drawn({ a: 0.1, b: 0.2, c: 0.3 }, 0, 0, 2)).toBe('ab');
  });
});
