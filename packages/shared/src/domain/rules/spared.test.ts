/** How the checker reads I5 for rollouts that bring once more what the fleet had settled on. */

import { expect, test } from 'vitest';
import { digestOf, LogStory, SERVICE } from '../../../../../test/support/log-story.ts';
import { checkLog } from '../rules.ts';
import type { Halt, Wave } from '../wave.ts';

/** A release that brings the image of rollout 2. */
function again(rollout: number, of = 2): Pick<Wave, 'release'> {
  const image = { repository: 'registry.example/web', digest: digestOf(of) };
  return { release: { rollout, service: SERVICE, image, version: `v${of}` } };
}

/** The fleet has settled on rollout 2, rollout 3 was on its way, and rollout 4 undoes it: n1 is back already. */
function undoing(scope: Pick<Wave, 'scope'> = {}): LogStory {
  const story = new LogStory();
  story.order(2, scope);
  story.update('n0', 0);
  story.order(2, { phase: 'settled', ...scope });
  story.order(3, scope);
  story.update('n1', 0);
  story.order(4, { ...again(4), ...scope });
  const turn = story.claim('n1', 0);
  story.start(turn);
  story.report(turn, 'healthy', { running: digestOf(2) });
  story.free(turn);
  return story;
}

const halted = (story: LogStory, change: Partial<Halt> = {}): LogStory => {
  story.halt(4, { digest: digestOf(2), ...change });
  return story;
};

const broken = (story: LogStory): readonly string[] =>
  checkLog(story.entries, { atRest: true }).flatMap(({ rule, message }) =>
    message.startsWith('the halt') ? [`${rule}: ${message}`] : [],
  );

const TAKES_BACK =
  'I5: the halt of rollout 4 of web takes nodes back from what the fleet had settled on as rollout 2';

test('I5: the halt of an undo takes nobody back', () => {
  expect(broken(halted(undoing()))).toEqual([TAKES_BACK]);
  expect(checkLog(halted(undoing(), { stay: true, settledAs: 2 }).entries)).toEqual([]);
});

test('I5: nor that of a scope, which stands in its waves, and is one however often it is said', () => {
  const inScope = (change: Partial<Halt>) => {
    const scope = { scope: 'europe' } as const;
    const story = undoing(scope);
    const halt = {
      service: SERVICE,
      rollout: 4,
      digest: digestOf(2),
      version: 'v2',
      reason: 'bad',
      ...change,
    };
    for (let time = 0; time < 2; time += 1) story.order(4, { ...again(4), ...scope, phase: 'halted', halt });
    return broken(story);
  };
  expect(inScope({})).toEqual([TAKES_BACK]);
  expect(inScope({ stay: true, settledAs: 2 })).toEqual([]);
});

test('one that has settled itself, and is halted after all, takes everybody back', () => {
  const byWave = undoing();
  byWave.order(4, { ...again(4), phase: 'settled' });
  expect(broken(halted(byWave))).toEqual([]);
  const byEvent = halted(undoing());
  byEvent.tell('rollout-settled', { rollout: 4 });
  expect(broken(byEvent)).toEqual([]);
});

test('what was halted as bad has never settled', () => {
  const story = undoing();
  story.halt(2);
  expect(broken(halted(story))).toEqual([]);
});

test('so has not what eight other releases have followed', () => {
  const followedBy = (others: number) => {
    const story = new LogStory();
    for (let rollout = 2; rollout <= 2 + others; rollout += 1) story.order(rollout, { phase: 'settled' });
    story.order(99, again(99));
    story.halt(99, { digest: digestOf(2) });
    return broken(story).length;
  };
  expect([followedBy(7), followedBy(8)]).toEqual([1, 0]);
});

test.each<[string, Partial<Halt>]>([
  ['that brought another image', { stay: true, settledAs: 3 }],
  ['itself', { stay: true, settledAs: 4 }],
  ['the right one, and takes nodes back all the same', { settledAs: 2 }],
])('I5: a halt that names %s says what is not so', (_, change) => {
  expect(broken(halted(undoing(), change))).toEqual([
    `I5: the halt of rollout 4 of web says that the fleet had settled on it as rollout ${change.settledAs}, which is not so`,
  ]);
});

test('I5: a halt does not say so of what has never settled', () => {
  const story = new LogStory();
  story.order(2);
  story.order(4, again(4));
  expect(broken(halted(story, { stay: true, settledAs: 2 })).length).toBe(1);
  story.tell('rollout-settled', { rollout: 2, scope: 'europe' });
  expect(broken(story)).toEqual([]);
});
