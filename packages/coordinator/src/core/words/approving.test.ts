import { expect, test } from 'vitest';
import { QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';

const MANUAL = { ...QUICK, approval: 'manual', stagesPercent: [10, 25, 50, 100] } as const;

function begun(
  policy: object = MANUAL,
  regions: Readonly<Record<string, number>> = { eu: 20 },
): RolloutStory {
  const story = new RolloutStory({ policy, regions });
  story.publish('v1');
  story.act();
  expect([story.phase, story.rollout.percent]).toEqual(['gated', 10]);
  return story;
}

const refusals = (story: RolloutStory) => story.told('control-rejected').flatMap(({ problems }) => problems);

test('B14: approved up to a stage, those up to there open without asking, and the next one asks', () => {
  const story = begun();
  story.control('approve', { toPercent: 50 });
  story.act();
  expect([story.phase, story.rollout.percent]).toEqual(['gated', 50]);
  story.control('approve');
  story.act();
  expect(story.phase).toBe('settled');
  expect(refusals(story)).toEqual([]);
});

test('B14: it may be said before anybody is asked, and a new leader knows of it', () => {
  const story = new RolloutStory({ policy: MANUAL, regions: { eu: 20 } });
  story.publish('v1');
  story.control('approve', { toPercent: 25 });
  story.control('approve', { toPercent: 25 });
  story.restart();
  story.act();
  expect([story.phase, story.rollout.percent]).toEqual(['gated', 25]);
  expect(refusals(story)).toEqual([]);
});

test('B14: up to where it has come already it changes nothing, and is safe to repeat', () => {
  const story = begun();
  story.control('approve', { toPercent: 10 });
  expect([story.phase, story.rollout.percent, refusals(story)]).toEqual(['gated', 10, []]);
});

test('B14: short of the next stage it is refused', () => {
  const story = begun();
  story.control('approve', { toPercent: 20 });
  expect([story.phase, story.rollout.percent]).toEqual(['gated', 10]);
  expect(refusals(story)).toEqual(['to: the next stage is 25 %: name at least that']);
});

test('B14: what was said of one group of regions says nothing of the next one', () => {
  const story = begun({ ...MANUAL, regions: [['eu'], ['us']] }, { eu: 20, us: 20 });
  story.control('approve', { toPercent: 100 });
  story.act();
  expect([story.phase, story.rollout.group, story.rollout.percent]).toEqual(['gated', 0, 100]);
  story.control('approve');
  story.act();
  expect([story.phase, story.rollout.group, story.rollout.percent]).toEqual(['gated', 1, 10]);
});
