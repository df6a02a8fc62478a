/** B15. Whatever keeps a rollout, there is a sentence for it. */

import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';
import { explain } from './explain.ts';

const MINUTE_MS = 60_000;

function because(story: RolloutStory): readonly string[] {
  return explain(story.state, story.nowMs).map((reason) => reason.because);
}

function line(story: RolloutStory): string {
  return explain(story.state, story.nowMs)[0].line;
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

test('B15: nothing was released, and then it is over', () => {
  const story = new RolloutStory();
  expect([because(story), line(story)]).toEqual([['nothing-released'], 'nothing of web was released yet']);
  const number = story.publish('v1');
  story.act();
  expect([because(story), line(story)]).toEqual([
    ['over'],
    `rollout ${number} of web (v1): it has settled, the fleet is on v1`,
  ]);
});

test('B15: a release waits for its registry, and for the end of its cool-down', () => {
  const story = new RolloutStory({ policy: { ...QUICK, coolDownMs: 60 * MINUTE_MS } });
  story.images.set('v1', { reason: 'it is away', retrying: true });
  const publishedAtMs = story.nowMs;
  const number = story.publish('v1');
  expect(line(story)).toBe(
    `release ${number} of web: its registry did not answer, and is asked again at ${timeOf(story.nowMs + 1_000)} for its digest`,
  );
  story.images.set('v1', digestOf('v1'));
  story.tick(1_000);
  expect(explain(story.state, story.nowMs)).toEqual([
    {
      because: 'wait',
      line: `release ${number} of web begins at ${timeOf(publishedAtMs + 60 * MINUTE_MS)}, after its cool-down of 1h`,
      untilMs: publishedAtMs + 60 * MINUTE_MS,
    },
  ]);
});

test('B15: nodes that have not downloaded it are counted and named, and so is an empty fleet', () => {
  const story = new RolloutStory({ policy: { ...QUICK, stagesPercent: [50, 100] } });
  story.behave('stage-fails');
  const number = story.publish('v1');
  story.act();
  expect([because(story), line(story)]).toEqual([
    ['staging'],
    expect.stringMatching(
      new RegExp(
        `^rollout ${number} of web \\(v1\\): 0 of 5 nodes of stage 1 of 2 \\(50 %\\) have downloaded it, 80 % must; it waits for eu-\\d+ \\(eu\\), .*, 2 more$`,
      ),
    ),
  ]);
  story.leave(...story.nodes.keys());
  expect(line(story)).toBe(`rollout ${number} of web (v1): no node of eu is there`);
});

test('B15: no slot is free, so admitted nodes wait for those who hold them, until the progress deadline', () => {
  const story = new RolloutStory({ policy: { ...QUICK, stagesPercent: [100] } });
  story.behave('hangs');
  story.publish('v1');
  story.act(() => story.slots.size === 2, 50);
  story.act(() => false, 20);
  expect(because(story)).toEqual(['slots', 'nodes']);
  const holders = [...story.slots.values()].map(({ holder }) => holder?.node).join(', ');
  expect(line(story)).toContain(
    `each of the 2 slots of eu is held, by ${holders}: 6 admitted nodes wait for one`,
  );
  const [, nodes] = explain(story.state, story.nowMs);
  expect(nodes?.line).toMatch(
    /it waits for eu-\d+ \(eu\), .*, 5 more; it pauses at \S+ if nobody gets any further$/,
  );
});

test('B15, P6: a closed window, a safe rate, a soak and a word that is awaited', () => {
  const story = new RolloutStory({ policy: { ...QUICK, stagesPercent: [50, 100] } });
  const never = {
    windows: [{ text: 'never', days: [], fromMinute: 0, toMinute: 1, timeZone: 'UTC' }],
    except: [],
  };
  story.policy({ ...QUICK, stagesPercent: [50, 100], windows: { eu: never } });
  story.publish('v1');
  story.act();
  expect([because(story), line(story)]).toEqual([
    ['window'],
    expect.stringMatching(/: the window of eu is closed: nobody starts there$/),
  ]);
  // An hour of the day that is a while ahead.
  const opensMs = Math.ceil(story.nowMs / (60 * MINUTE_MS)) * 60 * MINUTE_MS + 60 * MINUTE_MS;
  const fromMinute = (opensMs / MINUTE_MS) % 1_440;
  const daily = {
    text: 'daily',
    days: [0, 1, 2, 3, 4, 5, 6],
    fromMinute,
    toMinute: fromMinute + 1,
    timeZone: 'UTC',
  };
  story.policy({ ...QUICK, stagesPercent: [50, 100], windows: { eu: { windows: [daily], except: [] } } });
  expect(explain(story.state, story.nowMs)[0]).toEqual({
    because: 'window',
    line: expect.stringMatching(
      new RegExp(`: the window of eu is closed until ${timeOf(opensMs)}: nobody starts there$`),
    ),
    untilMs: opensMs,
  });
  story.policy({ ...QUICK, stagesPercent: [50, 100], safeRate: { percent: 10, perMs: 60 * MINUTE_MS } });
  story.act();
  const [pace] = explain(story.state, story.nowMs);
  expect(pace).toEqual({
    because: 'pace',
    line: expect.stringMatching(/: its safe rate \(10 % in 1h\) lets nobody more start before \S+Z$/),
    untilMs: expect.any(Number),
  });
  const { cursor } = story.wave('eu');
  const waitUntil = (ms: number): void => {
    while (story.nowMs < ms) {
      story.seeAll();
      story.tick(5_000);
    }
  };
  waitUntil((pace.untilMs ?? 0) - 10_000);
  expect(story.wave('eu').cursor).toBe(cursor);
  waitUntil((pace.untilMs ?? 0) + 10_000);
  expect(story.wave('eu').cursor).toBeGreaterThan(cursor);
  story.policy({ ...QUICK, stagesPercent: [50, 100], soakMs: MINUTE_MS, approval: 'manual' });
  story.act(() => story.phase === 'soaking');
  const [soak] = explain(story.state, story.nowMs);
  expect(soak).toMatchObject({ because: 'soak', untilMs: expect.any(Number) });
  story.pass(2 * MINUTE_MS);
  expect(line(story)).toMatch(
    /: stage 1 of 2 \(50 %\) is through, and the word "approve" opens the next stage$/,
  );
});

test('B15, K4: a pause says who said so, and comes first; a halt whom it waits for', () => {
  const story = new RolloutStory({ policy: { ...QUICK, approval: 'manual' } });
  story.publish('v1');
  story.act();
  story.control('pause', { reason: 'lunch' });
  expect([because(story), line(story)]).toEqual([
    ['paused', 'approval'],
    expect.stringMatching(/: it is paused since \S+, and the word "resume" lets it go on: lunch$/),
  ]);
  story.behave('hangs');
  story.control('halt', { reason: 'bad' });
  expect([because(story), line(story)]).toEqual([
    ['halting'],
    expect.stringMatching(/: it is halted \(bad\), and eu-\d+ \(eu\) has still to go back$/),
  ]);
  story.behave('well');
  story.act();
  expect(line(story)).toMatch(/: it was halted, and every node that is there has gone back: bad$/);
});

test('B13, B15: who has just begun to lead says so, and that a record was set back', () => {
  const story = new RolloutStory({ policy: { ...QUICK, approval: 'manual' } });
  story.publish('v1');
  story.act();
  story.restart('forgotten');
  story.leave('eu-1');
  expect([because(story), line(story)]).toEqual([
    ['looking-out', 'approval'],
    expect.stringMatching(
      /: a coordinator has begun to lead, and waits until \S+ for every node to show itself$/,
    ),
  ]);
  story.state = { ...story.state, ready: false, isSetBack: true };
  expect(because(story)[0]).toBe('record-set-back');
});

test('B15: a release that waits comes behind the rollout that is under way', () => {
  const story = new RolloutStory({ policy: { ...QUICK, approval: 'manual' } });
  story.publish('v1');
  story.act();
  story.policy({ ...QUICK, approval: 'manual', coolDownMs: MINUTE_MS });
  story.publish('v2');
  expect(because(story)).toEqual(['approval', 'wait']);
});
