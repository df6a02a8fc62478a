import type { Watch } from '@swell/shared/domain/watch.ts';
import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';

const EVERY_MS = 300_000;
const IMAGE = { repository: 'registry.example/team/web', tag: 'latest' };
const HINT = { kind: 'tag-hinted', hint: { repository: 'team/web', tag: 'latest' } } as const;
const WATCH: Watch = { image: IMAGE, everyMs: EVERY_MS, mode: 'auto' };
const AWAY = { reason: 'the registry does not answer', retrying: true };

/** A fleet that watches a tag, and when the registry was asked for it. */
function fleet(watch = WATCH) {
  const story = new RolloutStory({ policy: QUICK });
  const askedAtMs: number[] = [];
  const show = story.show.bind(story);
  story.show = (image) => {
    askedAtMs.push(story.nowMs);
    show(image);
  };
  story.images.set(watch.image.tag, digestOf('v0'));
  story.policy({ ...QUICK, watch });
  return { story, askedAtMs };
}

/** How long it was from each question to the next. */
const waits = (askedAtMs: readonly number[]): readonly number[] =>
  askedAtMs.slice(1).map((ms, index) => ms - (askedAtMs[index] ?? 0));

/** Time passes second by second, as it does for a leader. */
function tick(story: RolloutStory, ms: number): void {
  for (let left = ms; left > 0; left -= 1_000) story.tick(Math.min(left, 1_000));
}

test('a tag is looked at when the policy names it, and then at each interval', () => {
  const { story, askedAtMs } = fleet();
  expect(askedAtMs).toEqual([story.nowMs]);
  tick(story, 4 * EVERY_MS);
  const [first = 0, ...rest] = waits(askedAtMs);
  expect(first).toBeLessThanOrEqual(EVERY_MS + 1_000);
  expect(rest).toEqual([EVERY_MS, EVERY_MS, EVERY_MS].slice(0, rest.length));
  expect(rest.length).toBeGreaterThanOrEqual(2);
});

test('services that watch one tag look in the same second, those of other tags in others', () => {
  const [one, two, three] = [
    fleet(),
    fleet(),
    fleet({ ...WATCH, image: { ...IMAGE, tag: 'stable' } }),
  ] as const;
  two.story.tick(17_000);
  for (const { story } of [one, three]) story.tick(17_000);
  const nextOf = ({ story, askedAtMs }: ReturnType<typeof fleet>): number => {
    tick(story, EVERY_MS);
    return askedAtMs.at(-1) ?? 0;
  };
  expect(nextOf(one)).toBe(nextOf(two));
  expect(nextOf(three)).not.toBe(one.askedAtMs.at(-1));
});

test('a registry that is away is asked less and less often, and told of once', () => {
  const { story, askedAtMs } = fleet();
  tick(story, 2 * EVERY_MS);
  story.images.set('latest', AWAY);
  askedAtMs.length = 0;
  tick(story, 3_600_000);
  expect(waits(askedAtMs).slice(0, 5)).toEqual([300_000, 600_000, 600_000, 600_000, 600_000]);
  expect(story.told('tag-out-of-reach').length).toBe(1);
  story.restart();
  story.tick();
  expect(story.told('tag-out-of-reach').length).toBe(1);
  // It is back, and goes away again: that is another time.
  story.images.set('latest', digestOf('v0'));
  tick(story, 600_000);
  story.images.set('latest', AWAY);
  tick(story, 2 * EVERY_MS);
  expect(story.told('tag-out-of-reach').length).toBe(2);
});

test('N1: a registry that limits the rate is left alone for as long as it says, whatever is hinted', () => {
  const { story, askedAtMs } = fleet();
  story.images.set('latest', { ...AWAY, retryAfterMs: 3_600_000 });
  tick(story, EVERY_MS + 1_000);
  askedAtMs.length = 0;
  for (let minutes = 0; minutes < 54; minutes += 1) {
    story.post(HINT);
    tick(story, 60_000);
  }
  expect(askedAtMs).toEqual([]);
  tick(story, 600_000);
  expect(askedAtMs.length).toBe(1);
});

test('so is one that answers, and says that all is used up', () => {
  const { story, askedAtMs } = fleet();
  story.images.delete('latest');
  tick(story, EVERY_MS + 1_000);
  story.post({ kind: 'tag-seen', image: IMAGE, digest: digestOf('v0'), restMs: 2 * EVERY_MS });
  askedAtMs.length = 0;
  tick(story, 2 * EVERY_MS - 1_000);
  expect(askedAtMs).toEqual([]);
  tick(story, 1_000);
  expect(askedAtMs.length).toBe(1);
});

test('N1: a hint has the tag looked at at once, and one of another tag does not', () => {
  const { story, askedAtMs } = fleet();
  tick(story, 10_000);
  askedAtMs.length = 0;
  story.post({ kind: 'tag-hinted', hint: { repository: 'team/web', tag: 'v2' } });
  expect(askedAtMs).toEqual([]);
  story.images.set('latest', digestOf('v1'));
  story.post(HINT);
  expect(askedAtMs).toEqual([story.nowMs]);
  story.act();
  expect(story.rollout.release.image.digest).toBe(digestOf('v1'));
});

test('a hint while the registry is being asked has it asked again: the answer may be older', () => {
  const { story, askedAtMs } = fleet();
  story.images.delete('latest');
  tick(story, EVERY_MS + 1_000);
  askedAtMs.length = 0;
  story.post(HINT);
  tick(story, 2 * EVERY_MS);
  expect(askedAtMs).toEqual([]);
  story.post({ kind: 'tag-seen', image: IMAGE, digest: digestOf('v0') });
  expect(askedAtMs).toEqual([story.nowMs]);
});

test('an answer about a tag that is watched no more is none', () => {
  const { story } = fleet();
  story.policy({ ...QUICK, watch: { ...WATCH, image: { ...IMAGE, tag: 'stable' } } });
  story.images.set('stable', digestOf('v0'));
  tick(story, EVERY_MS);
  const { record } = story.state;
  story.post({ kind: 'tag-seen', image: IMAGE, digest: digestOf('v1') });
  expect(story.state.record).toBe(record);
});
