import type { PolicyLayer } from '@swell/shared/domain/policy.ts';
import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';

const WATCHING: PolicyLayer = {
  ...QUICK,
  watch: {
    image: { repository: 'registry.example/web', tag: 'latest' },
    everyMs: 300_000,
    mode: 'propose',
  },
};
const V1 = digestOf('v1');

/** v1 is proposed to a fleet on v0. */
function proposed(): RolloutStory {
  const story = new RolloutStory({ policy: QUICK, regions: { eu: 3 } });
  story.images.set('latest', V1);
  story.policy(WATCHING);
  story.tick();
  expect(story.state.record.watched?.proposal?.digest).toBe(V1);
  return story;
}

/** What became of the last word. */
function answer(story: RolloutStory): string | undefined {
  return story.events.findLast(({ name }) => name.startsWith('control-'))?.line;
}

test('N1: approval is answered with the release that it has become', () => {
  const story = proposed();
  story.control('approve', { digest: V1 });
  const { rollout, version } = story.rollout.release;
  expect(answer(story)).toBe(`approve of web: release ${rollout} is ${version}`);
  story.control('approve', { digest: V1 });
  expect(answer(story)).toBe('approve of web: it is released already');
});

test('N1: where a release by hand comes first, what was approved is proposed still', () => {
  const story = proposed();
  story.held = true;
  story.control('approve', { digest: V1 });
  const late = story.waiting.splice(0);
  story.held = false;
  const other = story.publish('v5');
  for (const effect of late) story.perform(effect);
  expect(answer(story)).toBe(
    `approve of web is refused: release ${other} came first: say it again if it still holds`,
  );
  expect(story.state.record.watched?.proposal?.digest).toBe(V1);
  story.control('approve', { digest: V1 });
  story.act();
  expect(story.rollout.release.image.digest).toBe(V1);
});

test('N1: while another release is just being published, approval waits for a second word', () => {
  const story = proposed();
  story.held = true;
  const release = { image: `registry.example/web@${digestOf('v5')}`, version: 'v5' };
  const { record } = story.state;
  story.state = { ...story.state, record: { ...record, publishing: { publication: 'undo-1', release } } };
  story.control('approve', { digest: V1 });
  story.letGo();
  expect(answer(story)).toBe('approve of web is refused: v5 is just being published: say it again');
});

test('N1: to reject twice is to reject once, and what is released is not rejected', () => {
  const story = proposed();
  story.control('reject', { digest: V1 });
  story.control('reject', { digest: V1 });
  expect(answer(story)).toBe('reject of web: done');
  // Somebody may still release it by hand.
  story.publish('v1');
  story.act();
  story.control('reject', { digest: V1 });
  expect(answer(story)).toBe('reject of web is refused: digest: it is released: halt or abort its rollout');
});

test('a proposal outlives its leader, and no other word than one with its digest touches it', () => {
  const story = proposed();
  story.control('approve');
  expect(answer(story)).toBe('approve of web is refused: there is no rollout yet');
  story.restart();
  story.tick(60_000);
  expect(story.state.record.watched?.proposal?.digest).toBe(V1);
  expect(story.told('release-proposed').length).toBe(1);
});
