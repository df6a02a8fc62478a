import { expect, test } from 'vitest';
import { RolloutStory } from '../../../../../test/support/rollout-story.ts';

/** A fleet that has settled on a version. */
function settledOn(version: string): RolloutStory {
  const story = new RolloutStory();
  story.publish('first', { version });
  story.act();
  expect(story.phase).toBe('settled');
  return story;
}

test('B2: an older version than the one on which the fleet has settled is refused with the remedy', () => {
  const story = settledOn('v2.1.0');
  const number = story.publish('v2.0.9');
  expect(story.told('release-rejected').map(({ rollout, problems }) => [rollout, problems])).toEqual([
    [
      number,
      [
        'version: v2.0.9 is older than v2.1.0, on which the fleet has settled: ' +
          'publish a newer one, or say "allowDowngrade": true',
      ],
    ],
  ]);
  expect(story.rollout.release.version).toBe('v2.1.0');
});

test('B2: with the explicit word it rolls', () => {
  const story = settledOn('v2.1.0');
  story.publish('v2.0.9', { allowDowngrade: true });
  story.act();
  expect([story.rollout.release.version, story.phase]).toEqual(['v2.0.9', 'settled']);
});

test.each([
  ['the same version', 'v2.1.0', 'v2.1.0'],
  ['a newer one', 'v2.1.0', 'v2.1.1'],
  ['a tag that is no version', 'v2.1.0', 'latest'],
  ['a version after a tag that is none', 'nightly', 'v1'],
])('B2: %s takes no word', (_, before, after) => {
  const story = settledOn(before);
  story.publish(after);
  expect(story.rollout.release.version).toBe(after);
});

test('B2: so is one that is older than what is under way, for the nodes that have that already', () => {
  const story = settledOn('v1.0.0');
  const under = story.publish('v3.0.0');
  const number = story.publish('v2.0.0');
  expect(story.told('release-rejected').map(({ rollout, problems }) => [rollout, problems])).toEqual([
    [
      number,
      [
        `version: v2.0.0 is older than v3.0.0, which is under way as rollout ${under}: ` +
          'publish a newer one, or say "allowDowngrade": true',
      ],
    ],
  ]);
  story.control('abort');
  story.publish('v2.0.0');
  expect(story.rollout.release.version).toBe('v2.0.0');
});

test('B2: what was halted is no version that the fleet has settled on', () => {
  const story = settledOn('v2');
  story.publish('v3');
  story.act();
  story.control('halt');
  story.act();
  story.publish('v2.1');
  expect(story.rollout.release.version).toBe('v2.1');
});
