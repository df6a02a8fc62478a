import { rankOf } from '@swell/shared/domain/rank.ts';
import { expect, test } from 'vitest';
import { deepFreeze } from '../../../../../test/support/deep-freeze.ts';
import { digestOf } from '../../../../../test/support/rollout-story.ts';
import type { NodeSighting } from '../events.ts';
import { type Census, reranked, withReports, withSightings } from './census.ts';
import { countBelow, presentNodes } from './line.ts';

const NAMES = Array.from({ length: 40 }, (_, index) => `n${index}`);

const SEED = () => ({ seed: 'seed' });

function seen(node: string, seenAtMs: number, region = 'eu'): NodeSighting {
  return { region, node, seenAtMs, presence: { running: digestOf('v0'), phase: 'idle', ready: true } };
}

function names(census: Census, nowMs: number): readonly string[] {
  return presentNodes(census, 'eu', nowMs).map(({ node }) => node);
}

const inOrder = (seed: string): readonly string[] =>
  NAMES.toSorted((a, b) => rankOf(seed, a) - rankOf(seed, b));

test('nodes stand in order of rank, in whichever order they were heard of', () => {
  const halves = [NAMES.slice(20), NAMES.slice(0, 20)];
  const census = halves.reduce<Census>(
    (before, half) =>
      withSightings(
        before,
        half.map((node) => seen(node, 0)),
        SEED,
      ),
    new Map(),
  );
  expect(names(census, 0)).toEqual(inOrder('seed'));
  expect(
    names(
      reranked(census, () => ({ seed: 'another' })),
      0,
    ),
  ).toEqual(inOrder('another'));
});

test('who is silent for three minutes is away, and there again with his next word', () => {
  const census = withSightings(new Map(), [seen('n1', 0), seen('n2', 60_000)], SEED);
  expect(names(census, 179_999).length).toBe(2);
  expect(names(census, 180_000)).toEqual(['n2']);
  // Asked for an earlier moment the answer is that moment's, whatever was asked before.
  expect(names(census, 179_999).length).toBe(2);
  expect(names(withSightings(census, [seen('n1', 200_000)], SEED), 200_000).length).toBe(2);
});

test('who has no such container any more is away at once', () => {
  const census = withSightings(new Map(), [seen('n1', 0), { region: 'eu', node: 'n1', seenAtMs: 1 }], SEED);
  expect(names(census, 1)).toEqual([]);
});

test('of two nodes with one name in two regions each is its own', () => {
  const census = withSightings(new Map(), [seen('n1', 0), seen('n1', 0, 'us')], SEED);
  expect([...census].map(([region, nodes]) => [region, [...nodes.keys()]])).toEqual([
    ['eu', ['n1']],
    ['us', ['n1']],
  ]);
});

test('an older report changes nothing; one of a stream that was made again does', () => {
  const report = (id: string) => ({
    id,
    region: 'eu',
    node: 'n1',
    service: 'web',
    rollout: 7,
    status: 'staged' as const,
  });
  const said = (census: Census) => census.get('eu')?.get('n1')?.report?.id;
  const known = withReports(new Map(), [{ report: report('new'), sequence: 9, heardAtMs: 100 }], SEED);
  expect(said(withReports(known, [{ report: report('old'), sequence: 8, heardAtMs: 90 }], SEED))).toBe('new');
  expect(said(withReports(known, [{ report: report('reborn'), sequence: 1, heardAtMs: 200 }], SEED))).toBe(
    'reborn',
  );
});

test('what is known is never changed, only followed by what is known next', () => {
  const census = deepFreeze(withSightings(new Map(), [seen('n1', 0)], SEED));
  expect(names(withSightings(census, [seen('n2', 0)], SEED), 0).length).toBe(2);
  expect(names(census, 0)).toEqual(['n1']);
});

test('a rank splits a line where it stands', () => {
  const nodes = presentNodes(
    withSightings(
      new Map(),
      NAMES.map((node) => seen(node, 0)),
      SEED,
    ),
    'eu',
    0,
  );
  for (const [index, { rank }] of nodes.entries()) {
    expect(countBelow({ nodes }, rank)).toBe(index);
    expect(countBelow({ nodes }, rank + 1e-9)).toBe(index + 1);
  }
  expect(countBelow({ nodes: [] }, 1)).toBe(0);
});
