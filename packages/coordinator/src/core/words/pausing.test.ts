import { expect, test } from 'vitest';
import { QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';

test('where nobody gets any further the rollout pauses, and says for whom it waits', () => {
  const story = new RolloutStory({ regions: { eu: 8 }, policy: { ...QUICK, stagesPercent: [100] } });
  story.publish('v1');
  story.behave('hangs', 'eu-1', 'eu-2', 'eu-3', 'eu-4', 'eu-5');
  story.act(() => story.rollout.phase.name === 'rolling' && story.slots.size === 2 && !story.actOnce());
  story.pass(899_000);
  expect(story.rollout.paused).toBeUndefined();
  // Renewed by agents that are stuck in the middle: their slots are not lost.
  story.pass(61_000);
  expect(story.rollout.paused?.reason).toMatch(
    /^no further node is healthy for 15m: it waits for eu-\d \(eu\), eu-\d \(eu\), eu-\d \(eu\), \d more$/,
  );
});

test('each node that comes through sets the deadline anew', () => {
  const story = new RolloutStory({
    regions: { eu: 4 },
    policy: {
      ...QUICK,
      stagesPercent: [100],
      maxUnavailable: { kind: 'count', count: 1 },
      slotLeaseMs: 86_400_000,
    },
  });
  story.publish('v1');
  story.act(() => story.rollout.phase.name === 'rolling');
  for (let node = 0; node < 4; node += 1) {
    story.pass(800_000);
    story.actOnce();
    story.actOnce();
    story.tick();
    expect(story.rollout.paused).toBeUndefined();
  }
  story.act();
  expect(story.phase).toBe('settled');
});

test('a staging that nobody answers pauses, and after the word goes on waiting', () => {
  const story = new RolloutStory({ regions: { eu: 4 } });
  story.behave('silent');
  story.publish('v1');
  story.pass(960_000);
  expect(story.rollout.paused?.reason).toMatch(
    /^no further node has the image for 15m: it waits for eu-\d \(eu\)$/,
  );
  story.control('resume');
  story.pass(840_000);
  expect(story.rollout.paused).toBeUndefined();
  story.pass(120_000);
  expect(story.rollout.paused).toBeDefined();
  story.behave('well');
  story.control('resume');
  story.act();
  expect(story.phase).toBe('settled');
});

test('a new leader gives a stage its whole deadline once more', () => {
  const story = new RolloutStory({ regions: { eu: 4 } });
  story.behave('silent');
  story.publish('v1');
  story.pass(840_000);
  story.restart();
  story.pass(840_000);
  expect(story.rollout.paused).toBeUndefined();
  story.pass(120_000);
  expect(story.rollout.paused).toBeDefined();
});

test('a gate is no standstill', () => {
  const story = new RolloutStory({ policy: { ...QUICK, approval: 'manual' }, regions: { eu: 20 } });
  story.publish('v1');
  story.act();
  story.pass(86_400_000);
  expect(story.phase).toBe('gated');
});
