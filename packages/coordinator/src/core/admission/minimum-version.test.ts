import type { PolicyLayer } from '@swell/shared/domain/policy.ts';
import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';

const CAREFUL: PolicyLayer = { ...QUICK, approval: 'manual', stagesPercent: [10, 50, 100] };
const SLOTS = 2;

function on(story: RolloutStory, tag: string): readonly string[] {
  const there = [...story.nodes.values()].filter(({ running }) => running === digestOf(tag));
  return there.map(({ node }) => node).sort();
}

/** Twenty nodes on `v1`, on which the fleet has settled as 1.0.0, and six more that come with what nobody remembers. */
function storyOf(policy: PolicyLayer): RolloutStory {
  const story = new RolloutStory({ policy: QUICK, regions: { eu: 20 } });
  story.publish('v1', { version: '1.0.0' });
  story.act();
  expect(story.phase).toBe('settled');
  story.join('eu', 6);
  story.behave('hangs', ...on(story, 'v0'));
  story.policy(policy);
  return story;
}

const OLD = ['eu-21', 'eu-22', 'eu-23', 'eu-24', 'eu-25', 'eu-26'];

test('P1: nodes below the minimum version are through before the first stage is left, the others wait for it', () => {
  const story = storyOf({ ...CAREFUL, minimumVersion: ['>=1.0.0'] });
  story.behave('well', ...OLD);
  story.publish('v2', { version: '2.0.0' });
  story.act();
  expect(story.phase).toBe('gated');
  expect(on(story, 'v0')).toEqual([]);
  const stage = story.line('eu').slice(0, 3);
  expect(on(story, 'v2')).toEqual([...new Set([...OLD, ...stage.map(({ node }) => node)])].sort());
  expect(story.told('nodes-outdated')).toMatchObject([{ region: 'eu' }]);
});

test('P1: all go without approval where all are below it, a few at a time', () => {
  const story = storyOf({ ...CAREFUL, minimumVersion: ['>=2.0.0'] });
  story.behave('well', ...OLD);
  story.publish('v2', { version: '2.0.0' });
  story.act();
  expect([on(story, 'v2').length, story.phase]).toEqual([26, 'gated']);
  const named = story.history.map(({ wave }) => wave.canaries?.length ?? 0);
  expect(Math.max(...named)).toBe(4 * SLOTS);
});

test('P1: however many slots there are, a wave names a hundred, and not each of them that ends is a wave', () => {
  const story = new RolloutStory({ policy: { ...QUICK, stagingSpreadMs: 0 }, regions: { eu: 120 } });
  story.publish('v1', { version: '1.0.0' });
  story.act();
  story.policy({
    ...CAREFUL,
    minimumVersion: ['>=2.0.0'],
    maxUnavailable: { kind: 'count', count: 60 },
  });
  story.publish('v2', { version: '2.0.0' });
  story.act();
  expect([on(story, 'v2').length, story.phase]).toEqual([120, 'gated']);
  const named = story.history.map(({ wave }) => wave.canaries?.length ?? 0);
  expect(Math.max(...named)).toBe(100);
  expect(named.filter((count) => count > 0).length).toBeLessThan(20);
});

test('P1: one that comes with an older version in a later stage does not wait either', () => {
  const story = storyOf({ ...CAREFUL, minimumVersion: ['>=1.0.0'] });
  story.leave(...OLD);
  story.behave('well', ...OLD);
  story.publish('v2', { version: '2.0.0' });
  story.act();
  expect([on(story, 'v2').length, story.phase]).toEqual([2, 'gated']);
  story.comeBack(...OLD);
  story.act();
  expect(on(story, 'v2')).toEqual(expect.arrayContaining(OLD));
});

test('P1: those that fail halt the rollout as any others would', () => {
  const story = storyOf({
    ...CAREFUL,
    minimumVersion: ['>=1.0.0'],
    failureBudget: { max: { kind: 'count', count: 1 }, minSample: 1 },
  });
  story.behave('fails', ...OLD);
  story.publish('v2', { version: '2.0.0' });
  story.act();
  expect(story.phase).toBe('rested');
});

test('P1: a release that is below the minimum itself, and a first release, admit nobody before his turn', () => {
  const story = storyOf({ ...CAREFUL, minimumVersion: ['>=3.0.0'] });
  story.publish('v2', { version: '2.0.0' });
  story.tick();
  const first = new RolloutStory({ policy: { ...CAREFUL, minimumVersion: ['>=1.0.0'] } });
  first.publish('v1', { version: '1.0.0' });
  first.act();
  expect([first.phase, on(first, 'v1').length]).toEqual(['gated', 1]);
  for (const { history } of [story, first])
    expect(history.every(({ wave }) => wave.canaries === undefined)).toBe(true);
});

test('P1, P2: canaries come before them', () => {
  const story = storyOf({
    ...CAREFUL,
    minimumVersion: ['>=1.0.0'],
    canary: { label: 'canary', soakMs: 3_600_000 },
  });
  story.behave('well', ...OLD);
  story.label('canary', 'eu-3');
  story.publish('v2', { version: '2.0.0' });
  story.act();
  expect([on(story, 'v2'), story.phase]).toEqual([['eu-3'], 'soaking']);
});

test('P1, B14: nobody is named while a person has paused the rollout, and the windows hold', () => {
  const story = storyOf({ ...CAREFUL, minimumVersion: ['>=1.0.0'] });
  story.behave('well', ...OLD);
  story.publish('v2', { version: '2.0.0' });
  story.control('pause');
  story.act();
  expect([on(story, 'v0'), story.wave('eu').phase]).toEqual([OLD, 'paused']);
  story.control('resume');
  story.act();
  expect(on(story, 'v0')).toEqual([]);
});

test('P1: who is named when the policy asks for no version any more ends what he may have begun, and nobody follows', () => {
  const story = storyOf({ ...CAREFUL, stagesPercent: [5, 100], minimumVersion: ['>=2.0.0'] });
  story.behave('hangs', ...[...story.nodes.values()].map(({ node }) => node));
  story.publish('v2', { version: '2.0.0' });
  story.act(() => (story.wave('eu').canaries ?? []).length === 4 * SLOTS);
  const { canaries } = story.wave('eu');
  story.policy({ ...CAREFUL, stagesPercent: [5, 100] });
  expect([canaries?.length, story.wave('eu').canaries]).toEqual([4 * SLOTS, canaries]);
  story.behave('well', ...[...story.nodes.values()].map(({ node }) => node));
  story.act();
  expect(on(story, 'v2')).toEqual(expect.arrayContaining([...(canaries ?? [])]));
  expect(on(story, 'v2').length).toBeLessThanOrEqual(4 * SLOTS + 2);
});

test('P1, P6: the next leader names the same', () => {
  const story = storyOf({ ...CAREFUL, minimumVersion: ['>=1.0.0'] });
  story.publish('v2', { version: '2.0.0' });
  story.act(() => story.wave('eu').canaries !== undefined);
  const { canaries } = story.wave('eu');
  story.restart('forgotten');
  story.tick(1_000);
  expect([canaries, story.wave('eu').canaries]).toEqual([OLD, OLD]);
});
