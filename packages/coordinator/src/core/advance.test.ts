import { LAST, rankOf } from '@swell/shared/domain/rank.ts';
import { admits } from '@swell/shared/domain/wave.ts';
import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../test/support/rollout-story.ts';
import { explain } from './view/explain.ts';

const MANUAL = { ...QUICK, approval: 'manual', soakMs: 300_000 } as const;

/** How many nodes run a tag. */
function on(story: RolloutStory, tag: string): number {
  return [...story.nodes.values()].filter(({ running }) => running === digestOf(tag)).length;
}

function names(story: RolloutStory, from: number): readonly string[] {
  return story.names().slice(from);
}

test('a good release goes from stage to stage and settles, with every node on it', () => {
  const story = new RolloutStory({ regions: { eu: 20, us: 3 } });
  story.publish('v1');
  story.act();
  expect(names(story, 3)).toEqual([
    'stage-staging',
    'stage-opened',
    'stage-finished',
    'stage-staging',
    'stage-opened',
    'stage-finished',
    'stage-staging',
    'stage-opened',
    'stage-finished',
    'rollout-settled',
  ]);
  expect(on(story, 'v1')).toBe(23);
  expect(story.wave('eu')).toMatchObject({
    phase: 'settled',
    cursor: LAST,
    stage: { number: 3, of: 3, percent: 100 },
  });
});

test('a stage that has come to its end is watched, and then waits for a person', () => {
  const story = new RolloutStory({ policy: MANUAL, regions: { eu: 20 } });
  story.publish('v1');
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['soaking', 2]);
  const { phase } = story.rollout;
  if (phase.name === 'soaking') story.nowMs = phase.sinceMs + 299_999;
  story.seeAll();
  story.tick(0);
  expect(story.phase).toBe('soaking');
  story.tick(1);
  expect(story.phase).toBe('gated');
  story.pass(3_600_000);
  expect([story.phase, on(story, 'v1')]).toEqual(['gated', 2]);
  story.control('approve');
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['soaking', 10]);
});

test('a stage waits until a quorum of its nodes has the image', () => {
  const story = new RolloutStory({ regions: { eu: 10 }, policy: { ...QUICK, stagesPercent: [100] } });
  story.publish('v1');
  for (let index = 1; index <= 7; index += 1) story.report(`eu-${index}`, 'staged');
  expect([story.phase, story.wave('eu').phase]).toEqual(['staging', 'staging']);
  story.report('eu-8', 'staged');
  expect([story.phase, story.wave('eu').phase]).toEqual(['rolling', 'open']);
});

test('who refuses the image is not asked for it: a fleet where a third is pinned still rolls', () => {
  const story = new RolloutStory({ regions: { eu: 9 } });
  story.behave('refuses', 'eu-1', 'eu-2', 'eu-3');
  story.publish('v1');
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['settled', 6]);
});

test('a stage of nodes that all cannot come is not passed, but paused with their names', () => {
  const story = new RolloutStory({ regions: { eu: 5 }, policy: { ...QUICK, stagingQuorumPercent: 0 } });
  story.behave('stage-fails');
  story.publish('v1');
  story.act();
  story.pass(900_000);
  expect(story.phase).toBe('paused');
  expect(story.rollout.paused?.reason).toMatch(
    /^no further node is healthy for 15m: it waits for eu-\d \(eu\)$/,
  );
});

test('a stage of nodes that all refuse tells nothing, and the next one has its turn', () => {
  const story = new RolloutStory({ regions: { eu: 20 }, policy: MANUAL });
  story.publish('v1');
  const [first, second] = [...story.nodes.values()]
    .toSorted((a, b) => rankOf(story.wave('eu').seed, a.node) - rankOf(story.wave('eu').seed, b.node))
    .map(({ node }) => node);
  story.behave('refuses', first ?? '', second ?? '');
  story.act();
  // A person is still asked; there is nothing to be watched.
  expect([story.phase, on(story, 'v1'), story.names().slice(-2)]).toEqual([
    'gated',
    0,
    ['stage-opened', 'approval-awaited'],
  ]);
  story.control('approve');
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['soaking', 8]);
});

test('a stage in which everybody has failed halts it, however many failures the policy allows', () => {
  const failureBudget = { max: { kind: 'count', count: 10 }, minSample: 1 } as const;
  const story = new RolloutStory({ regions: { eu: 20 }, policy: { ...QUICK, failureBudget } });
  story.behave('fails');
  story.publish('v1');
  story.act();
  expect(story.rollout.phase).toEqual({ name: 'rested', reason: '2 of 2 nodes failed' });
});

test('a release that every node refuses does not settle: a person has to look', () => {
  const story = new RolloutStory({ regions: { eu: 5 } });
  story.behave('refuses');
  story.publish('v1');
  story.act();
  expect(explain(story.state, story.nowMs)[0].line).toMatch(
    /: nobody takes it: eu-\d .* refuse it, each for its own reason$/,
  );
  story.pass(900_000);
  expect([story.phase, on(story, 'v1')]).toEqual(['paused', 0]);
  expect(story.rollout.paused?.reason).toMatch(/^no further node is healthy for 15m: it waits for eu-\d/);
});

test('regions that all refuse keep nobody from settling who is through', () => {
  const story = new RolloutStory({
    regions: { eu: 3, us: 3 },
    policy: { ...QUICK, regions: [['eu'], ['us']] },
  });
  story.behave('refuses', 'us-1', 'us-2', 'us-3');
  story.publish('v1');
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['settled', 3]);
});

test('nobody there is no quorum: a rollout without any node waits, pauses, and goes on when they come', () => {
  const story = new RolloutStory({ regions: { eu: 3 } });
  story.leave('eu-1', 'eu-2', 'eu-3');
  story.publish('v1');
  story.pass(960_000);
  expect([story.phase, story.rollout.paused?.reason]).toEqual([
    'paused',
    'no further node has the image for 15m: no node of eu is there',
  ]);
  story.comeBack('eu-1', 'eu-2', 'eu-3');
  story.control('resume');
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['settled', 3]);
});

test('nodes that were on the image already are no attempts, whatever they reported of it before', () => {
  const story = new RolloutStory({
    regions: { eu: 10 },
    policy: { ...QUICK, failureBudget: { max: { kind: 'percent', percent: 40 }, minSample: 1 } },
  });
  story.publish('v1');
  story.act();
  // The same bytes once more: ten are there, and of the two that are not one fails. That is half, not a twelfth.
  story.join('eu', 2);
  story.images.set('v1b', digestOf('v1'));
  const again = story.publish('v1b');
  story.behave('fails', 'eu-11');
  story.act();
  expect([story.rollout.release.rollout, story.rollout.phase]).toEqual([
    again,
    { name: 'rested', reason: expect.stringMatching(/^1 of [12] nodes failed$/) },
  ]);
});

test('a node that went away stalls nobody, and catches up when it comes back (K4, K5)', () => {
  const story = new RolloutStory({ regions: { eu: 10 } });
  story.publish('v1');
  story.act(() => story.rollout.percent === 50);
  const [, , , away] = story.line('eu');
  if (away === undefined) throw new Error('there are ten');
  story.leave(away.node);
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['settled', 9]);
  story.comeBack(away.node);
  story.act();
  expect(on(story, 'v1')).toBe(10);
});

test('a failure after its stage has ended still counts', () => {
  const story = new RolloutStory({
    policy: { ...MANUAL, failureBudget: { max: { kind: 'count', count: 0 }, minSample: 1 } },
    regions: { eu: 20 },
  });
  story.publish('v1');
  story.act();
  expect(story.phase).toBe('soaking');
  const [first] = story.line('eu');
  story.report(first?.node ?? '', 'failed', { attempt: 'late' });
  expect(story.rollout.phase.name).toBe('halting');
});

test('while a stage is watched a small sample is enough, as it was at its end', () => {
  const story = new RolloutStory({
    policy: { ...MANUAL, failureBudget: { max: { kind: 'percent', percent: 10 }, minSample: 50 } },
    regions: { eu: 20 },
  });
  story.publish('v1');
  story.act();
  expect(story.phase).toBe('soaking');
  // A node that joins below the cursor, and is still to come, does not take the stage's end back.
  const { cursor } = story.wave('eu');
  const { seed } = story.rollout;
  const below =
    Array.from({ length: 1_000 }, (_, index) => `x-${index}`).find((id) => rankOf(seed, id) < cursor) ?? '';
  story.nodes.set(below, { ...story.node('eu-1'), node: below, running: digestOf('v0') });
  story.seeAll();
  expect(admits(story.wave('eu'), rankOf(seed, below))).toBe(true);
  const [first] = story.line('eu');
  story.report(first?.node ?? '', 'failed', { attempt: 'late' });
  expect(story.rollout.phase.name).toBe('halting');
});

test.each([1, 2, 3])('a fleet of %i nodes has as many stages as it has nodes to tell apart', (count) => {
  const story = new RolloutStory({
    regions: { eu: count },
    policy: { ...QUICK, stagesPercent: [6.25, 12.5, 25, 50, 100] },
  });
  story.publish('v1');
  story.act();
  expect(story.told('stage-finished').length).toBe(count);
  expect([story.phase, on(story, 'v1')]).toEqual(['settled', count]);
});

test('a node may be interrupted and try again; nobody counts the interruption', () => {
  const story = new RolloutStory({
    regions: { eu: 3 },
    policy: { ...QUICK, failureBudget: { max: { kind: 'count', count: 0 }, minSample: 1 } },
  });
  story.publish('v1');
  story.actOnce();
  const [first] = story.line('eu');
  story.report(first?.node ?? '', 'interrupted', { attempt: '1', reason: 'the agent was restarted' });
  expect(story.rollout.phase.name).toBe('rolling');
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['settled', 3]);
});

test('nothing is drawn or asked once a rollout has settled, for days', () => {
  const story = new RolloutStory({ regions: { eu: 5 } });
  story.publish('v1');
  story.act();
  const { record } = story.state;
  const before = story.history.length;
  story.pass(86_400_000);
  expect(story.state.record).toBe(record);
  expect(story.history.length).toBe(before);
});
