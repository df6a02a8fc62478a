import { expect, test } from 'vitest';
import { nearest } from './nearest.ts';

const KNOWN = ['stages', 'soak', 'approval', 'maxUnavailable', 'to'];

test.each<[string, string | undefined]>([
  ['stage', 'stages'],
  ['aproval', 'approval'],
  ['maxunavailable', 'maxUnavailable'],
  ['saok', undefined],
  ['soaks', 'soak'],
  ['of', undefined],
  ['timeout', undefined],
  ['', undefined],
  ['s'.repeat(60_000), undefined],
])('by %s is meant %s', (word, meant) => {
  expect(nearest(word, KNOWN)).toBe(meant);
});
