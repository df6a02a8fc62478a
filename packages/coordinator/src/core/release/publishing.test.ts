import type { Publishing } from '@swell/shared/domain/publishing.ts';
import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';
import type { Effect } from '../effects.ts';
import { withRecord } from '../state.ts';

const PUBLISHING: Publishing = {
  publication: 'undo-7',
  release: { image: `registry.example/web@${digestOf('v1')}`, version: 'v1', allowDowngrade: true },
  asked: { action: 'undo', mark: '7-0' },
};

/** A fleet that has settled on v2, and a release of v1 that is to be published; the bus does not answer yet. */
function decided(publishing: Publishing = PUBLISHING): RolloutStory {
  const story = new RolloutStory({ policy: QUICK });
  story.publish('v2');
  story.act();
  expect(story.phase).toBe('settled');
  story.held = true;
  story.state = withRecord(story.state, { publishing });
  return story;
}

const publications = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.kind === 'publish-release' ? [effect.expect] : []));

/** What became of it. */
const answers = (story: RolloutStory): readonly string[] =>
  story.told().flatMap(({ name, line }) => (name.startsWith('control-') ? [line] : []));

test('a release of our own is asked for once, behind the last one that was taken', () => {
  const story = decided();
  const { sequence } = story.state.record.releasesTaken;
  expect(publications(story.tick())).toEqual([sequence]);
  expect(publications(story.tick(60_000))).toEqual([]);
  story.letGo();
  expect(story.state.record).not.toHaveProperty('publishing');
  expect(story.told('release-accepted').length).toBe(2);
  expect(answers(story)).toEqual([`undo of web: release ${story.rollout.release.rollout} is v1`]);
  story.act();
  expect([story.phase, story.rollout.release.version]).toEqual(['settled', 'v1']);
});

test('its digest is what was decided on: no registry is asked', () => {
  const story = decided();
  story.images.clear();
  const asked = [story.tick(), story.tick()].flat();
  story.letGo();
  expect(asked.filter(({ kind }) => kind === 'resolve-image')).toEqual([]);
  expect(story.rollout.release.image.digest).toBe(digestOf('v1'));
});

test('a leader that comes after a crash between store and acknowledgement finds it on the stream, and publishes nothing', () => {
  const story = decided();
  story.tick();
  const effect = story.waiting.splice(0).find(({ kind }) => kind === 'publish-release');
  story.restart();
  const again = story.waiting.splice(0).find(({ kind }) => kind === 'publish-release');
  expect(again).toEqual(effect);
  // What the first leader sent has been stored after all; the second one's stands behind it, and is refused.
  story.held = false;
  if (effect !== undefined) story.perform(effect);
  const { rollout } = story.rollout.release;
  if (again !== undefined) story.perform(again);
  story.act();
  expect([story.rollout.release.rollout, story.state.record.publishing]).toEqual([rollout, undefined]);
  expect(story.told('release-accepted').length).toBe(2);
  expect(answers(story)).toEqual([`undo of web: release ${rollout} is v1`]);
});

test('it waits for what stands in its place, and is not published again while that has not been heard', () => {
  const story = decided();
  story.tick();
  story.waiting.length = 0;
  const { sequence } = story.state.record.releasesTaken;
  story.post({ kind: 'release-overtaken', publication: 'undo-7', last: sequence + 1 });
  expect(publications(story.tick(600_000))).toEqual([]);
  // The stream was put back: what is last now has been taken long ago.
  story.post({ kind: 'release-overtaken', publication: 'undo-7', last: sequence - 1 });
  expect(story.waiting.flatMap((one) => (one.kind === 'publish-release' ? [one.expect] : []))).toEqual([
    sequence - 1,
  ]);
});

test('a release that came between is the newer word: ours is given up, and whoever asked for it hears so', () => {
  const story = decided();
  const effect = story.tick().find(({ kind }) => kind === 'publish-release');
  story.held = false;
  const newer = story.publish('v3');
  expect(story.state.record.publishing).toBeUndefined();
  if (effect !== undefined) story.perform(effect);
  story.act();
  expect(story.rollout.release).toMatchObject({ rollout: newer, version: 'v3' });
  expect(answers(story)).toEqual([
    `undo of web is refused: release ${newer} came first: say it again if it still holds`,
  ]);
});

test("one that came between and is none stands in nobody's way: ours is published behind it", () => {
  const story = decided();
  story.tick();
  story.held = false;
  const bad = story.publishBad('image: is missing');
  expect(story.state.record.publishing).toEqual(PUBLISHING);
  const late = story.waiting.splice(0).find(({ kind }) => kind === 'publish-release');
  if (late !== undefined) story.perform(late);
  story.act();
  expect(story.rollout.release.version).toBe('v1');
  expect(story.rollout.release.rollout).toBeGreaterThan(bad);
});

test('what is refused on its way in is no success', () => {
  const { allowDowngrade: _, ...release } = PUBLISHING.release;
  const story = decided({ ...PUBLISHING, release });
  story.held = false;
  story.tick();
  const [rejected] = story.told('release-rejected');
  expect(answers(story)).toEqual([
    `undo of web is refused: release ${rejected?.rollout}, which it led to, is rejected`,
  ]);
});

test('where the bus does not let us publish, that is the answer', () => {
  const story = decided();
  story.tick();
  story.held = false;
  story.post({ kind: 'release-not-published', publication: 'undo-7', reason: 'permissions violation' });
  expect(story.state.record.publishing).toBeUndefined();
  expect(answers(story)).toEqual([
    'undo of web is refused: its release cannot be published: permissions violation',
  ]);
});

test('nobody hears of one that nobody asked for', () => {
  const { asked: _, ...unasked } = PUBLISHING;
  const story = decided(unasked);
  story.held = false;
  story.tick();
  story.act();
  expect([story.rollout.release.version, answers(story)]).toEqual(['v1', []]);
});
