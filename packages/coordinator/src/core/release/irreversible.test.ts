/** B19: what the coordinator does with a release that cannot be undone. */

import { rankOf } from '@swell/shared/domain/rank.ts';
import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';
import { explain } from '../view/explain.ts';
import { explainNode } from '../view/explain-node.ts';

const ONE_WAY = { irreversible: true } as const;

/** The only slot of the region is kept by its second node, which is not well on the release. */
function withOneOut(nodes = 4): {
  readonly story: RolloutStory;
  readonly out: string;
  readonly attempt: string;
} {
  const story = new RolloutStory({
    policy: {
      ...QUICK,
      stagesPercent: [100],
      maxUnavailable: { kind: 'count', count: 1 },
      failureBudget: { max: { kind: 'count', count: 3 }, minSample: 1 },
    },
    regions: { eu: nodes },
  });
  const rollout = story.publish('v1', ONE_WAY);
  const { seed } = story.wave('eu');
  const [, ...others] = [...story.nodes.keys()].toSorted((a, b) => rankOf(seed, a) - rankOf(seed, b));
  story.behave('hangs', ...others);
  const isOut = (node: string): boolean => story.nodes.get(node)?.attempt !== undefined;
  story.act(() => others.some(isOut));
  const out = others.find(isOut) ?? '';
  const attempt = `${rollout}.update.1`;
  story.report(out, 'unhealthy', { attempt, running: digestOf('v1'), reason: 'HTTP 503' });
  return { story, out, attempt };
}

const answers = (story: RolloutStory): readonly string[] =>
  story.told().flatMap(({ name, line }) => (name.startsWith('control-') ? [line] : []));

const settledOn = (story: RolloutStory, tag: string, intent: object = {}): void => {
  story.publish(tag, intent);
  story.act();
  expect([story.phase, story.rollout.release.version]).toEqual(['settled', tag]);
};

test('its stages begin with a quarter and a half of the first one, and nothing starts beside what it replaces', () => {
  const story = new RolloutStory({ policy: { ...QUICK, maxSurge: 1 }, regions: { eu: 100 } });
  settledOn(story, 'v1', ONE_WAY);
  const waves = story.history.map(({ wave }) => wave);
  expect([...new Set(waves.map(({ stage }) => stage.percent))]).toEqual([2.5, 5, 10, 50, 100]);
  expect(waves.every(({ maxSurge, release }) => maxSurge === 'never' && release.irreversible)).toBe(true);
  settledOn(story, 'v2');
  expect(story.wave('eu')).toMatchObject({ maxSurge: 1, stage: { of: 3 } });
});

test('a node that is not well on it counts as failed, for as long as it is not, and is told once', () => {
  const { story, out, attempt } = withOneOut();
  expect(story.told('node-unhealthy').map(({ node, line }) => [node, line])).toEqual([
    [
      out,
      `${out} in eu is not well on rollout 2 of web, which cannot be undone, and stays out of rotation: HTTP 503`,
    ],
  ]);
  story.policy({ ...QUICK, failureBudget: { max: { kind: 'count', count: 0 }, minSample: 1 } });
  expect(story.phase).toBe('rested');

  const mended = withOneOut();
  mended.story.report(mended.out, 'healthy', { attempt, running: digestOf('v1') });
  mended.story.policy({ ...QUICK, failureBudget: { max: { kind: 'count', count: 0 }, minSample: 1 } });
  expect(mended.story.told('rollout-halted')).toEqual([]);
});

test('who keeps the slots is named where nobody goes on', () => {
  const { story, out } = withOneOut();
  story.behave('well', ...[...story.nodes.keys()].filter((node) => node !== out));
  story.act(() => false, 5);
  const [first] = explain(story.state, story.nowMs);
  expect(first).toMatchObject({ because: 'slots' });
  expect(first.line).toContain(`${out} (eu) is not well on what cannot be undone, and keeps its own`);
  expect(explainNode(story.state, { region: 'eu', node: out }, story.nowMs)).toBe(
    'it is not well on v1, which cannot be undone: it stays out of rotation, with slot 0 of eu, ' +
      'until it is, or a newer release comes: HTTP 503',
  );
  story.pass(1_000_000);
  expect(story.phase).toBe('paused');
});

test('I5: its halt is one without return, whatever was said, and waits for nobody who is out', () => {
  const { story } = withOneOut();
  story.control('halt');
  story.tick();
  expect(story.halt.order).toMatchObject({ digest: digestOf('v1'), stay: true });
  expect([story.phase, story.wave('eu').phase]).toEqual(['rested', 'halted']);
  expect(story.told('rollout-rested')[0]?.line).toContain('who is on it stays');
  story.control('halt');
  expect(story.told('rollout-halted')).toHaveLength(1);
});

test('it rests only when who has begun it has come to one end or the other', () => {
  const story = new RolloutStory({ regions: { eu: 4 } });
  story.publish('v1', ONE_WAY);
  story.behave('hangs');
  story.act(() => [...story.nodes.values()].some(({ attempt }) => attempt !== undefined));
  story.control('halt');
  story.tick();
  expect(story.phase).toBe('halting');
});

test('undo and rollback go no further back than to it, and that is said again with it', () => {
  const story = new RolloutStory({ regions: { eu: 4 } });
  for (const [tag, intent] of [['v1'], ['v2', ONE_WAY], ['v3']] as const) settledOn(story, tag, intent);
  story.control('rollback', { version: 'v1' });
  expect(answers(story).at(-1)).toMatch(/rollout \d+ \(v2\) cannot be undone, and v1 is from before it/);
  story.control('undo');
  expect(story.rollout.release).toMatchObject({ version: 'v2', irreversible: true });
  story.act();
  story.control('undo');
  story.act();
  expect(story.rollout.release.version).toBe('v2');
  expect(answers(story).at(-1)).toMatch(
    /cannot be undone, and v3 is from before it: publish a newer release/,
  );
});

test('an older version needs a word, also where the fleet has not settled on it', () => {
  const { story } = withOneOut();
  story.publish('v0.9');
  expect(story.told('release-rejected')[0]?.line).toContain(
    'v0.9 is older than v1, which cannot be undone and is on some nodes',
  );
  story.publish('v0.9', { allowDowngrade: true });
  expect(story.rollout.release.version).toBe('v0.9');
});

test('what it says outlives the coordinator', () => {
  const { story } = withOneOut();
  story.restart();
  expect(story.rollout.release.irreversible).toBe(true);
  expect(story.state.record.irreversible).toEqual({ rollout: 2, version: 'v1' });
});
