import type { Halt } from '@swell/shared/domain/wave.ts';
import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';
import { newService } from '../state.ts';
import { heedElsewhere } from './heeding.ts';

const haltOf = (rollout: number, tag: string): Halt => ({
  service: 'web',
  rollout,
  digest: digestOf(tag),
  version: tag,
  reason: 'bad there',
});

function settledOn(...tags: readonly string[]): { story: RolloutStory; rollouts: readonly number[] } {
  const story = new RolloutStory({ policy: QUICK });
  const rollouts = tags.map((tag) => {
    const rollout = story.publish(tag);
    story.act();
    return rollout;
  });
  return { story, rollouts };
}

function heed({ state }: RolloutStory, ...halts: readonly Halt[]) {
  return heedElsewhere({ ...state, elsewhere: new Map(halts.map((halt) => [halt.rollout, halt])) });
}

test('B12: what has settled here is halted by what another scope has found', () => {
  const { story, rollouts } = settledOn('v1', 'v2');
  const [, second = 0] = rollouts;
  const { record } = heed(story, haltOf(second, 'v2'));
  expect(record.rollout?.phase).toEqual({ name: 'halting', reason: 'in another scope: bad there' });
  expect(record.halted.map(({ rollout, reason }) => [rollout, reason])).toEqual([
    [second, 'in another scope: bad there'],
  ]);
  expect(record.settled.map(({ version }) => version)).toEqual(['v1']);
});

test('an older halt says nothing about what has taken its place, and none is answered twice', () => {
  const { story, rollouts } = settledOn('v1', 'v2');
  const [first = 0, second = 0] = rollouts;
  expect(heed(story, haltOf(first, 'v1'))).toEqual({ ...story.state, elsewhere: expect.anything() });
  const once = heed(story, haltOf(second, 'v2'));
  expect(heedElsewhere(once)).toBe(once);
});

test('a release that has not begun is dropped, and one that is not here yet is known as bad', () => {
  const state = newService('web');
  const candidate = { rollout: 7, image: { repository: 'web' }, overrides: {}, acceptHalted: false } as const;
  const waiting = {
    ...state,
    record: { ...state.record, candidate: { ...candidate, publishedAtMs: 0 } },
    elsewhere: new Map([[7, haltOf(7, 'v7')]]),
  };
  const dropped = heedElsewhere(waiting).record;
  expect([dropped.candidate, dropped.halted.map(({ rollout }) => rollout)]).toEqual([undefined, [7]]);
  expect(dropped.outbox.map(({ name }) => name)).toEqual(['rollout-aborted']);
  const early = heedElsewhere({ ...state, elsewhere: new Map([[9, haltOf(9, 'v9')]]) });
  expect(early.record.halted.map(({ rollout }) => rollout)).toEqual([9]);
});

test('what has settled here is trusted here: a halt of what brings it again takes nobody back', () => {
  const { story, rollouts } = settledOn('v1', 'v2');
  const [, second = 0] = rollouts;
  const { record } = heed(story, haltOf(second + 5, 'v2'));
  expect(record.halted).toMatchObject([{ rollout: second + 5, stay: true, settledAs: second }]);
  const claimed = heed(story, { ...haltOf(second + 5, 'v9'), stay: true, settledAs: second }).record;
  expect(claimed.halted.map(({ stay, settledAs }) => [stay, settledAs])).toEqual([[true, undefined]]);
});
