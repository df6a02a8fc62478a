import { expect, test } from 'vitest';
import { type Hold, heldBy } from './hold.ts';

const NODE = { node: 'n1', labels: ['canary', 'rack=7'], digests: ['sha256:a'] };

test.each<[string, Omit<Hold, 'reason'>, boolean]>([
  ['whatever it is', {}, true],
  ['by its name', { nodes: ['n0', 'n1'] }, true],
  ['not by the names of others', { nodes: ['n10'] }, false],
  ['by its label', { label: 'rack=7' }, true],
  ['not by part of a label', { label: 'rack' }, false],
  ['by what it runs', { running: ['sha256:b', 'sha256:a'] }, true],
  ['not by what others run', { running: ['sha256:b'] }, false],
  ['not by nothing', { running: [] }, false],
  ['since it runs none of those', { notRunning: ['sha256:b'] }, true],
  ['not where it runs one of those', { notRunning: ['sha256:b', 'sha256:a'] }, false],
  ['by both', { label: 'canary', running: ['sha256:a'] }, true],
  ['not by one of two alone', { label: 'canary', running: ['sha256:b'] }, false],
])('B2: a node is held %s', (_, hold, isHeld) => {
  const reason = 'its disks are being replaced';
  expect(heldBy([{ ...hold, reason }], NODE)).toBe(isHeld ? `it is held: ${reason}` : undefined);
});

test('B2: without holds nobody is held', () => {
  expect(heldBy([], NODE)).toBeUndefined();
});
