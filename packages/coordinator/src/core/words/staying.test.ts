import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';

const MANUAL = { ...QUICK, approval: 'manual', stagesPercent: [50, 100] } as const;

/** Half of the fleet is on v1, and nobody is in the middle. */
function halfway(): RolloutStory {
  const story = new RolloutStory({ policy: MANUAL, regions: { eu: 8, us: 2 } });
  story.publish('v1');
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['gated', 5]);
  return story;
}

const on = (story: RolloutStory, tag: string): number =>
  [...story.nodes.values()].filter(({ running }) => running === digestOf(tag)).length;

test('B14: after a halt without return nobody starts, and who is on it stays', () => {
  const story = halfway();
  story.control('halt', { stay: true, reason: 'leaks' });
  story.act();
  expect([story.phase, on(story, 'v1'), on(story, 'v0')]).toEqual(['rested', 5, 5]);
  expect(story.halt.order).toMatchObject({ digest: digestOf('v1'), stay: true });
  expect(story.wave('eu').phase).toBe('halted');
  story.restart();
  story.pass(600_000);
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['rested', 5]);
});

test('B14: it rests as soon as nobody is in the middle of it, and not before', () => {
  const story = new RolloutStory({ policy: MANUAL, regions: { eu: 8 } });
  story.publish('v1');
  story.act(() => story.told('stage-opened').length > 0);
  story.actOnce();
  const begun = [...story.nodes.values()].filter(({ attempt }) => attempt !== undefined);
  expect(begun.length).toBe(2);
  story.control('halt', { stay: true });
  story.tick();
  expect(story.phase).toBe('halting');
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['rested', 0]);
});

test('N13: who was let stay is taken back by a halt that says nothing of it, and only once', () => {
  const story = halfway();
  story.control('halt', { stay: true });
  story.act();
  story.control('halt', { stay: true });
  expect(story.told('rollout-halted').length).toBe(1);
  story.control('halt', { reason: 'it leaks after all' });
  expect(story.phase).toBe('halting');
  story.act();
  story.control('halt', { stay: true });
  story.act();
  expect([story.phase, on(story, 'v1'), story.halt.order?.stay]).toEqual(['rested', 0, undefined]);
  expect(story.told('control-rejected')).toEqual([]);
  expect(story.state.record.halted.length).toBe(1);
});

test('B12: the digest is remembered as halted, and another release leads on, region by region', () => {
  const story = halfway();
  story.control('halt', { stay: true });
  story.act();
  expect(story.told('release-rejected')).toEqual([]);
  story.publish('v1');
  expect(story.told('release-rejected').length).toBe(1);
  story.policy({ ...MANUAL, regions: [['eu'], ['us']] });
  story.publish('v2');
  story.act();
  // Those who wait for their turn stay as they are.
  expect([story.phase, on(story, 'v2'), on(story, 'v1')]).toEqual(['gated', 4, expect.any(Number)]);
  const inUs = [...story.nodes.values()].filter(({ region }) => region === 'us');
  expect(inUs.map(({ running }) => running).sort()).toEqual([digestOf('v0'), digestOf('v1')]);
  story.policy(QUICK);
  story.act();
  expect([story.phase, on(story, 'v2')]).toEqual(['settled', 10]);
});
