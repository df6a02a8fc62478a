import { expect, test } from 'vitest';
import { isSpent } from './failure-budget.ts';

const TEN_PERCENT = { max: { kind: 'percent', percent: 10 }, minSample: 5 } as const;
const TWO = { max: { kind: 'count', count: 2 }, minSample: 5 } as const;

test('a number is spent by one failure more, at once', () => {
  expect(isSpent(TWO, { attempted: 2, failed: 2, stageEnded: false })).toBe(false);
  expect(isSpent(TWO, { attempted: 3, failed: 3, stageEnded: false })).toBe(true);
});

test('none allowed means none', () => {
  const none = { max: { kind: 'count', count: 0 }, minSample: 5 } as const;
  expect(isSpent(none, { attempted: 1_000, failed: 0, stageEnded: true })).toBe(false);
  expect(isSpent(none, { attempted: 1_000, failed: 1, stageEnded: false })).toBe(true);
});

test('a percentage is spent by more than it, not by just as many', () => {
  expect(isSpent(TEN_PERCENT, { attempted: 20, failed: 2, stageEnded: false })).toBe(false);
  expect(isSpent(TEN_PERCENT, { attempted: 20, failed: 3, stageEnded: false })).toBe(true);
});

test('a percentage waits for a minimum sample, but no longer than the stage lasts', () => {
  expect(isSpent(TEN_PERCENT, { attempted: 4, failed: 4, stageEnded: false })).toBe(false);
  expect(isSpent(TEN_PERCENT, { attempted: 5, failed: 1, stageEnded: false })).toBe(true);
  expect(isSpent(TEN_PERCENT, { attempted: 3, failed: 3, stageEnded: true })).toBe(true);
  expect(isSpent(TEN_PERCENT, { attempted: 3, failed: 1, stageEnded: true })).toBe(true);
});

test('a stage through which nobody has come spends any budget, once it has ended', () => {
  const ten = { max: { kind: 'count', count: 10 }, minSample: 5 } as const;
  const all = { max: { kind: 'percent', percent: 100 }, minSample: 1 } as const;
  for (const budget of [ten, all]) {
    expect(isSpent(budget, { attempted: 2, failed: 2, stageEnded: false })).toBe(false);
    expect(isSpent(budget, { attempted: 2, failed: 2, stageEnded: true })).toBe(true);
    expect(isSpent(budget, { attempted: 3, failed: 2, stageEnded: true })).toBe(false);
  }
});

test('where nothing was attempted nothing has failed', () => {
  expect(isSpent(TEN_PERCENT, { attempted: 0, failed: 0, stageEnded: true })).toBe(false);
});

test('a percentage with two decimals is exact at its very limit', () => {
  const wrong = Array.from({ length: 9_999 }, (_, index) => index + 1).filter((hundredths) => {
    const budget = { max: { kind: 'percent', percent: hundredths / 100 }, minSample: 5 } as const;
    const tally = { attempted: 10_000, stageEnded: false };
    const atLimit = isSpent(budget, { ...tally, failed: hundredths });
    return atLimit || !isSpent(budget, { ...tally, failed: hundredths + 1 });
  });
  expect(wrong).toEqual([]);
});
