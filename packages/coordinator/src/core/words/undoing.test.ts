import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';

const MANUAL = { ...QUICK, approval: 'manual', soakMs: 300_000 } as const;

/** A fleet that has settled on each of these, one after the other. */
function settledOn(...tags: readonly string[]): RolloutStory {
  const story = new RolloutStory({ regions: { eu: 6 } });
  for (const tag of tags) {
    story.publish(tag);
    story.act();
    expect(story.phase).toBe('settled');
  }
  return story;
}

const answers = (story: RolloutStory): readonly string[] =>
  story.told().flatMap(({ name, line }) => (name.startsWith('control-') ? [line] : []));

const running = (story: RolloutStory): ReadonlySet<string> =>
  new Set([...story.nodes.values()].map((node) => node.running));

test('Z6: undo leads a settled fleet back to what had settled before, though that is older', () => {
  const story = settledOn('v1', 'v2');
  story.control('undo');
  const { release } = story.rollout;
  expect(release).toMatchObject({ version: 'v1', image: { digest: digestOf('v1') } });
  expect(answers(story)).toEqual([`undo of web: release ${release.rollout} is v1`]);
  story.act();
  expect([story.phase, running(story)]).toEqual(['settled', new Set([digestOf('v1')])]);
  expect(story.state.record.settled.map(({ version }) => version)).toEqual(['v1', 'v2']);
});

test.each(['under way', 'halted', 'aborted'] as const)('Z6: what is %s counts as present', (how) => {
  const story = settledOn('v1', 'v2');
  story.policy(MANUAL);
  story.publish('v3');
  story.act(() => story.rollout.phase.name === 'rolling');
  story.act();
  if (how === 'halted') story.control('halt');
  if (how === 'aborted') story.control('abort');
  story.act();
  story.policy(QUICK);
  story.control('undo');
  story.act();
  expect([story.rollout.release.version, running(story)]).toEqual(['v2', new Set([digestOf('v2')])]);
});

test('Z6: an undo that is said twice is done once', () => {
  const story = settledOn('v1', 'v2');
  story.policy(MANUAL);
  story.control('undo');
  const { rollout } = story.rollout.release;
  story.control('undo');
  story.act();
  story.control('undo');
  expect([story.rollout.release.rollout, answers(story).slice(1)]).toEqual([
    rollout,
    Array.from({ length: 2 }, () => 'undo of web: it is under way already'),
  ]);
});

test('Z6: an abort does not pass over an undo that is just being published', () => {
  const story = settledOn('v1', 'v2');
  story.policy(MANUAL);
  story.publish('v3');
  story.held = true;
  story.control('undo');
  story.control('abort');
  expect([story.phase, answers(story)]).toEqual(['staging', []]);
  story.letGo();
  expect(answers(story)).toContain('abort of web is refused: v2 is just being published: say it again');
  story.control('abort');
  expect([story.rollout.release.version, story.phase]).toEqual(['v2', 'aborted']);
});

test('Z6: once it has settled, an undo of it leads forward again', () => {
  const story = settledOn('v1', 'v2');
  for (const version of ['v1', 'v2', 'v1']) {
    story.control('undo');
    story.act();
    expect([story.phase, story.rollout.release.version]).toEqual(['settled', version]);
  }
});

test('Z6: where nothing else has settled there is nothing to undo to', () => {
  const story = settledOn('v1');
  story.control('undo');
  expect(answers(story)).toEqual([
    'undo of web is refused: there is nothing to go back to: before v1 the fleet had settled on nothing else',
  ]);
});

test('B14: a fleet is rolled back to a version on which it has settled, whatever came since', () => {
  const story = settledOn('v1', 'v2', 'v3');
  story.control('rollback', { version: 'v1' });
  story.control('rollback', { version: 'v1' });
  story.act();
  expect([story.phase, running(story)]).toEqual(['settled', new Set([digestOf('v1')])]);
  const { rollout } = story.rollout.release;
  story.control('rollback', { version: 'v1' });
  expect(answers(story)).toEqual([
    `rollback of web: release ${rollout} is v1`,
    `rollback of web: rollout ${rollout} brings v1 already`,
    `rollback of web: rollout ${rollout} brings v1 already`,
  ]);
});

test('B14: a version that is not known is refused with those that are', () => {
  const story = settledOn('v1', 'v2');
  story.publish('v3');
  story.control('halt', { reason: 'leaks' });
  const { rollout } = story.rollout.release;
  story.control('rollback', { version: 'v9' });
  story.control('rollback', { version: 'v3' });
  const known = 'of late; it has on: v2, v1';
  expect(answers(story).slice(1)).toEqual([
    `rollback of web is refused: version: the fleet has not settled on v9 ${known}`,
    `rollback of web is refused: version: the fleet has not settled on v3 ${known}. ` +
      `It was halted as rollout ${rollout} (leaks): release it with "acceptHalted": true`,
  ]);
});

test('B14: two different words at once: the second one is to be said again', () => {
  const story = settledOn('v1', 'v2', 'v3');
  story.held = true;
  story.control('undo');
  story.control('undo');
  story.control('rollback', { version: 'v1' });
  story.letGo();
  story.act();
  expect(story.rollout.release.version).toBe('v2');
  expect(answers(story).map((line) => line.replace(/\d+ is/, 'N is'))).toEqual([
    'undo of web: release N is v2',
    'undo of web: it is under way already',
    'rollback of web is refused: another release is being published at this moment: say it again',
  ]);
});
