import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';

const MANUAL = {
  ...QUICK,
  approval: 'manual',
  stagesPercent: [50, 100],
  failureBudget: { max: { kind: 'count', count: 2 }, minSample: 5 },
} as const;

/** Half of the fleet has been asked, and two of it have failed: as many as the budget allows. */
function failing(): { readonly story: RolloutStory; readonly failed: readonly string[] } {
  const story = new RolloutStory({ policy: MANUAL, regions: { eu: 12 } });
  story.publish('v1');
  const failed = story
    .line('eu')
    .slice(1, 3)
    .map(({ node }) => node);
  story.behave('fails', ...failed);
  story.act();
  expect([story.phase, story.told('node-failed').length]).toEqual(['gated', 2]);
  return { story, failed };
}

const on = (story: RolloutStory, tag: string): number =>
  [...story.nodes.values()].filter(({ running }) => running === digestOf(tag)).length;

const refusals = (story: RolloutStory) => story.told('control-rejected').flatMap(({ problems }) => problems);

const attempts = (story: RolloutStory, node: string) => story.reports.get(node)?.report.attempt;

test('B14: failed nodes try again, once for each word, and nobody else does', () => {
  const { story, failed } = failing();
  story.behave('well');
  const number = story.rollout.release.rollout;
  story.control('retry');
  story.control('retry');
  story.act();
  expect(failed.map((node) => attempts(story, node))).toEqual(failed.map(() => `${number}.update.2`));
  expect([story.phase, on(story, 'v1')]).toEqual(['gated', 6]);
  story.control('retry');
  expect(refusals(story)).toEqual(
    Array.from({ length: 2 }, () => `nobody has failed in rollout ${number} since it was last told to try`),
  );
});

test('N11: from the word on the failure budget counts anew', () => {
  const { story } = failing();
  story.control('retry');
  story.act();
  // Both have failed again: two, not four.
  expect([story.phase, story.told('node-failed').length]).toEqual(['gated', 4]);
  const [well] = story.line('eu').slice(8, 9);
  story.behave('fails', well?.node ?? '');
  story.control('approve');
  story.act();
  expect(story.phase).toBe('rested');
});

test('B14: a new leader knows who is to try again', () => {
  const { story } = failing();
  story.behave('well');
  story.control('retry');
  story.restart();
  story.pass(60_000);
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['gated', 6]);
});

test('B14: a lost node is one of those that failed', () => {
  const story = new RolloutStory({ policy: MANUAL, regions: { eu: 12 } });
  story.publish('v1');
  const [node = ''] = story.line('eu').map((one) => one.node);
  story.behave('hangs', node);
  story.act();
  story.nowMs += 300_000;
  story.seeAll();
  story.tick();
  story.act();
  expect(story.rollout.lost.length).toBe(1);
  story.control('retry');
  expect([story.rollout.lost, refusals(story)]).toEqual([[], []]);
});

test('B14: after a rollout has settled its failed nodes may still follow', () => {
  const { story } = failing();
  story.policy({ ...MANUAL, approval: 'automatic' });
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['settled', 10]);
  story.behave('well');
  story.control('retry');
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['settled', 12]);
});

test.each([
  ['halt', 'rested', ', with "acceptHalted": true'],
  ['abort', 'aborted', ''],
] as const)('B14: after %s nobody tries again, and the refusal says what to do', (word, phase, how) => {
  const { story } = failing();
  story.control(word);
  story.act();
  story.control('retry');
  const number = story.rollout.release.rollout;
  expect(refusals(story)).toEqual([
    `rollout ${number} is ${phase}, and nobody starts it any more: release its image again${how}`,
  ]);
});
