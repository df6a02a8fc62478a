import { expect, test } from 'vitest';
import { DEFAULT_POLICY, layeredPolicy, policyProblems, stageSize, unavailableLimit } from './policy.ts';

const COUNTS = [1, 2, 3, 7, 10, 16, 99, 100, 101, 1_000, 9_999, 10_000, 65_536, 99_999, 100_000];
const HUNDREDTHS = Array.from({ length: 10_000 }, (_, index) => index + 1);

/** Every count with every percentage of two decimals for which a size is not what exact arithmetic says. */
function inexact(
  size: (percent: number, nodes: number) => number,
  exactly: (hundredths: bigint, nodes: bigint) => bigint,
) {
  return COUNTS.flatMap((nodes) =>
    HUNDREDTHS.filter(
      (hundredths) => BigInt(size(hundredths / 100, nodes)) !== exactly(BigInt(hundredths), BigInt(nodes)),
    ).map((hundredths) => `${hundredths / 100} % of ${nodes}`),
  );
}

test('a stage takes in its share rounded up, exactly, for every percentage with two decimals', () => {
  expect(inexact(stageSize, (hundredths, nodes) => (hundredths * nodes + 9_999n) / 10_000n)).toEqual([]);
});

test('a limit is its share rounded down, exactly, but never nobody', () => {
  const limit = (percent: number, nodes: number) => unavailableLimit({ kind: 'percent', percent }, nodes);
  expect(
    inexact(limit, (hundredths, nodes) => {
      const share = (hundredths * nodes) / 10_000n;
      return share > 0n ? share : 1n;
    }),
  ).toEqual([]);
});

test.each([
  [0.01, 3, 1],
  [6.25, 3, 1],
  [33.33, 3, 1],
  [33.34, 3, 2],
  [100, 3, 3],
  [0.01, 100_000, 10],
  [6.25, 100_000, 6_250],
  [7, 100, 7],
  [100, 100_000, 100_000],
  [50, 0, 0],
])('a stage of %d %% of %i nodes takes in %i', (percent, nodes, size) => {
  expect(stageSize(percent, nodes)).toBe(size);
});

test.each([
  [0.01, 3, 1],
  [5, 3, 1],
  [66.66, 3, 1],
  [66.67, 3, 2],
  [100, 3, 3],
  [0.01, 100_000, 10],
  [0.0199, 100_000, 19],
  [5, 100_000, 5_000],
  [100, 100_000, 100_000],
])('a limit of %d %% of %i nodes is %i', (percent, nodes, limit) => {
  expect(unavailableLimit({ kind: 'percent', percent }, nodes)).toBe(limit);
});

test('a limit that is a number is that number, however few nodes there are', () => {
  expect(unavailableLimit({ kind: 'count', count: 4 }, 3)).toBe(4);
});

test('a later layer goes over an earlier one, and health field by field', () => {
  expect(
    layeredPolicy(
      { approval: 'automatic', soakMs: 1, health: { intervalMs: 5, probe: { kind: 'docker' } } },
      { soakMs: 2, health: { intervalMs: 6 } },
    ),
  ).toEqual({
    ...DEFAULT_POLICY,
    approval: 'automatic',
    soakMs: 2,
    health: { ...DEFAULT_POLICY.health, intervalMs: 6, probe: { kind: 'docker' } },
  });
  expect(layeredPolicy()).toEqual(DEFAULT_POLICY);
});

test('deadlines that contradict each other are named with their remedy; the defaults do not', () => {
  expect(policyProblems(DEFAULT_POLICY)).toEqual([]);
  const health = { minHealthyTimeMs: 1_000_000, healthyDeadlineMs: 1_000_000 };
  expect(policyProblems(layeredPolicy({ health }))).toEqual([
    'health.minHealthyTime must be shorter than health.healthyDeadline',
    'health.healthyDeadline must be shorter than progressDeadline: raise progressDeadline',
  ]);
});
