/** B15. Why a node waits, as far as the coordinator knows. */

import { nextOpenTime, parseWindow } from '@swell/shared/domain/window.ts';
import { expect, test } from 'vitest';
import { QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';
import { explainNode, regionsOf } from './explain-node.ts';

const TENTH = { ...QUICK, stagesPercent: [10, 100], approval: 'manual' } as const;

function why(story: RolloutStory, node: string): string | undefined {
  return explainNode(story.state, { region: 'eu', node }, story.nowMs);
}

test('B15: by its place in the line: there, at hand but not admitted, not in this stage', () => {
  const story = new RolloutStory({ policy: TENTH });
  expect(why(story, 'eu-1')).toBe('it is there, and there is no rollout yet');
  story.publish('v1');
  const [first = '', second = ''] = story.line('eu').map(({ node }) => node);
  expect(why(story, first)).toBe(
    'it has to download the image; it is number 1 of 10 in the line of eu, and the first 0 are admitted',
  );
  expect(why(story, second)).toBe(
    'it is number 2 of 10 in the line of eu, and the present stage takes in the first 1',
  );
  story.report(first, 'staged');
  expect(why(story, first)).toBe('it is admitted, and its turn has come');
  story.act();
  expect(why(story, first)).toBe('it is on v1');
  story.control('pause', { reason: 'lunch' });
  expect(why(story, second)).toBe('the rollout is paused: lunch');
});

test('B15, P6: a closed window, and until when, whether it is admitted or not', () => {
  const window = parseWindow('04:00-05:00');
  if (typeof window === 'string') throw new Error(window);
  const windows = { eu: { windows: [window], except: [] } };
  const story = new RolloutStory({ policy: { ...TENTH, windows } });
  const opens = new Date(nextOpenTime(windows.eu, story.nowMs) ?? 0).toISOString().replace('.000Z', 'Z');
  story.publish('v1');
  const [first = '', second = ''] = story.line('eu').map(({ node }) => node);
  expect(why(story, first)).toBe(
    `it has to download the image; it is number 1 of 10 in the line of eu, and the window of eu is closed until ${opens}`,
  );
  expect(why(story, second)).toMatch(/and the present stage takes in the first 1$/);
  story.policy(TENTH);
  story.report(first, 'staged');
  expect(why(story, first)).toBe('it is admitted, and its turn has come');
  story.policy({ ...TENTH, windows });
  story.tick();
  expect(why(story, first)).toBe(`the window of eu is closed until ${opens}`);
});

test('B15, K3: admitted or not, nobody starts where another service is waited for', () => {
  const story = new RolloutStory({ policy: TENTH });
  story.publish('v1');
  const [first = ''] = story.line('eu').map(({ node }) => node);
  story.report(first, 'staged');
  const awaiting = { regions: ['eu'], reason: 'rollout 3 of db, which is under way' };
  const { record } = story.state;
  const state = { ...story.state, record: { ...record, rollout: { ...story.rollout, awaiting } } };
  expect(explainNode(state, { region: 'eu', node: first }, story.nowMs)).toBe(
    'nobody starts in eu, it waits for rollout 3 of db, which is under way',
  );
});

test('B15, P1: who is below the minimum version waits for a slot, wherever he stands in the line', () => {
  const story = new RolloutStory({ policy: QUICK });
  story.publish('v1', { version: '1.0.0' });
  story.act();
  story.policy({ ...TENTH, maxUnavailable: { kind: 'count', count: 1 }, minimumVersion: ['>=2.0.0'] });
  story.behave('hangs');
  story.publish('v2', { version: '2.0.0' });
  story.act();
  const [first] = story.line('eu').map(({ node }) => node);
  const holder = story.slots.get('eu.0')?.holder?.node;
  const waits = story.wave('eu').canaries?.find((node) => node !== holder && node !== first);
  expect(why(story, waits ?? '')).toBe('it is admitted, and waits for one of the 1 slots of eu');
});

test('B15: in the middle with its slot, behind those who hold them all, failed, lost', () => {
  const story = new RolloutStory({
    policy: {
      ...QUICK,
      stagesPercent: [100],
      failureBudget: { max: { kind: 'count', count: 5 }, minSample: 1 },
    },
  });
  story.publish('v1');
  const [first = '', second = '', third = ''] = story.line('eu').map(({ node }) => node);
  story.behave('hangs');
  story.act(() => story.slots.size === 2, 50);
  story.actOnce();
  const holder = story.slots.get('eu.0')?.holder?.node ?? '';
  expect(why(story, holder)).toBe('it is in the middle of its update to v1, with slot 0 of eu');
  const waiting = [first, second, third].find((one) => story.node(one).attempt === undefined) ?? '';
  expect(why(story, waiting)).toBe('it is admitted, and waits for one of the 2 slots of eu');
  story.behave('fails', holder);
  story.actOnce();
  expect(why(story, holder)).toBe('it failed with v1: it crashed');
  const silent = story.slots.get('eu.1')?.holder?.node ?? '';
  story.behave('silent');
  story.tick(130_000);
  expect(why(story, silent)).toBe(
    'it did not renew its slot in time, and counts as failed: is its agent running?',
  );
});

test('B15, P2, P4: held by a predicate, refused by its operator, without the image, away', () => {
  const story = new RolloutStory({
    policy: { ...TENTH, stagesPercent: [100], hold: [{ label: 'lab', reason: 'it is measured' }] },
  });
  story.label('lab', 'eu-1');
  story.behave('refuses', 'eu-2');
  story.behave('stage-fails', 'eu-3');
  story.leave('eu-4');
  story.publish('v1');
  expect(why(story, 'eu-1')).toBe('it is held: it is measured');
  story.act();
  expect(why(story, 'eu-1')).toBe('it does not follow: it is held: it is measured');
  expect(why(story, 'eu-2')).toBe('it does not follow: pinned');
  expect(why(story, 'eu-3')).toBe('it could not download v1, and tries again: disk full');
  expect(why(story, 'eu-4')).toBe('it is not there: nobody waits for it, and it follows when it comes back');
  expect(why(story, 'eu-99')).toBeUndefined();
});

test('B15: after a halt who has to go back and who need not; and regions whose turn has not come', () => {
  const story = new RolloutStory({
    policy: { ...TENTH, regions: [['eu'], ['us']] },
    regions: { eu: 10, us: 2 },
  });
  story.publish('v1');
  story.act();
  expect(explainNode(story.state, { region: 'us', node: 'us-1' }, story.nowMs)).toBe(
    'the turn of us has not come',
  );
  const [first = '', second = ''] = story.line('eu').map(({ node }) => node);
  story.control('halt', { reason: 'bad' });
  const { rollout } = story.rollout.release;
  expect([why(story, first), why(story, second)]).toEqual([
    'it has to go back from v1',
    `rollout ${rollout} is halted, and it has nothing to go back from`,
  ]);
});

test('B15: where nodes of several regions have one name, each is named', () => {
  const story = new RolloutStory({ regions: { eu: 1 } });
  story.post({
    kind: 'nodes-seen',
    nodes: [{ region: 'us', node: 'eu-1', seenAtMs: story.nowMs, presence: { phase: 'idle', ready: true } }],
  });
  expect([
    regionsOf(story.state, 'eu-1'),
    regionsOf(story.state, 'eu-1', 'us'),
    regionsOf(story.state, 'no'),
  ]).toEqual([['eu', 'us'], ['us'], []]);
});
