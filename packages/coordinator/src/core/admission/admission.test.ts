import { stageSize } from '@swell/shared/domain/policy.ts';
import { FIRST, LAST } from '@swell/shared/domain/rank.ts';
import type { NodeStanding } from '@swell/shared/domain/standing.ts';
import { expect, test } from 'vitest';
import { digestOf } from '../../../../../test/support/rollout-story.ts';
import { countBelow, type Line } from '../nodes/line.ts';
import { cursorAt, moveCursor } from './admission.ts';

/** A line of nodes at 0.05, 0.15, … that stand as told. */
function line(...standings: readonly NodeStanding[]): Line {
  const nodes = standings.map((_, index) => ({
    region: 'eu',
    node: `n${index}`,
    rank: (index + 0.5) / standings.length,
    seenAtMs: 0,
    running: digestOf('v0'),
    labels: [],
    report: undefined,
    reported: undefined,
  }));
  return { nodes, standings };
}

const waiting = (count: number): Line => line(...Array.from({ length: count }, () => 'waiting' as const));
const at = (cursor: number, slots: number) => ({ cursor, slots, stageBelow: FIRST, nodes: 0 });

/** How many are admitted after one look. */
function admitted(of: Line, cursor: number, slots: number, percent = 100): number {
  return countBelow(of, moveCursor(at(cursor, slots), of, percent));
}

test('an untouched line is opened for four nodes a slot', () => {
  expect(admitted(waiting(100), FIRST, 2)).toBe(8);
});

test('the window is filled again once no more than two nodes a slot are awaited', () => {
  const ended = line(
    ...Array.from({ length: 100 }, (_, index) => (index < 5 ? 'updated' : 'waiting') as NodeStanding),
  );
  expect(admitted(ended, 0.08, 2)).toBe(5 + 8);
  // Three of eight are through: five are still awaited, which is more than four.
  const three = line(
    ...Array.from({ length: 100 }, (_, index) => (index < 3 ? 'updated' : 'waiting') as NodeStanding),
  );
  expect(admitted(three, 0.08, 2)).toBe(8);
});

test('nodes that are there already, or cannot come, use up no place', () => {
  const mixed = line(
    'updated',
    'held',
    'waiting',
    'refused',
    'failed',
    'waiting',
    'waiting',
    'waiting',
    'waiting',
    'waiting',
  );
  expect(admitted(mixed, FIRST, 1)).toBe(8);
});

test('a stage is never exceeded, however many places are free', () => {
  expect(admitted(waiting(100), FIRST, 50, 10)).toBe(10);
});

test('with the whole of a line whoever comes later is admitted too', () => {
  expect(moveCursor(at(FIRST, 5), waiting(20), 100)).toBe(LAST);
  expect(moveCursor(at(FIRST, 5), waiting(20), 99.99)).toBeLessThan(LAST);
});

test('a cursor never goes back: not with a smaller stage, not with a shorter line, not with nobody there', () => {
  expect(moveCursor(at(0.9, 1), waiting(10), 10)).toBe(0.9);
  expect(moveCursor(at(0.9, 1), waiting(1), 10)).toBe(0.9);
  expect(moveCursor(at(0.9, 1), waiting(0), 100)).toBe(0.9);
  expect(moveCursor(at(FIRST, 1), waiting(0), 100)).toBe(FIRST);
});

test.each([
  [1, [1, 1, 1, 1, 1]],
  [2, [1, 1, 1, 1, 2]],
  [3, [1, 1, 1, 2, 3]],
  [16, [1, 2, 4, 8, 16]],
  [100_000, [6_250, 12_500, 25_000, 50_000, 100_000]],
])('of %i nodes the five stages take in %j', (nodes, sizes) => {
  const stages = [6.25, 12.5, 25, 50, 100];
  expect(stages.map((percent) => stageSize(percent, nodes))).toEqual(sizes);
  const all = waiting(nodes);
  const cursors = stages.map((percent) => cursorAt(all, stageSize(percent, nodes), percent));
  expect(cursors.map((cursor) => countBelow(all, cursor))).toEqual(sizes);
});
