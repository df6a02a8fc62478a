import { FIRST, LAST } from '@swell/shared/domain/rank.ts';
import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';

const ONE_STAGE = { ...QUICK, stagesPercent: [100] } as const;
const GROUPED = { ...ONE_STAGE, regions: [['eu'], ['us']] } as const;
const GATED = { ...GROUPED, approval: 'manual' } as const;

/** How many nodes of each region run a tag. */
function on(story: RolloutStory, tag: string): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { region, running } of story.nodes.values())
    counts[region] = (counts[region] ?? 0) + (running === digestOf(tag) ? 1 : 0);
  return counts;
}

test('groups of regions go one after the other, and those that no group names come last', () => {
  const story = new RolloutStory({ policy: GATED, regions: { eu: 3, us: 3, ap: 3 } });
  story.publish('v1');
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['gated', { eu: 3, us: 0, ap: 0 }]);
  story.control('approve');
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['gated', { eu: 3, us: 3, ap: 0 }]);
  story.control('approve');
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['settled', { eu: 3, us: 3, ap: 3 }]);
});

test('a region that is through shows its last stage, whatever stage the others are in', () => {
  const story = new RolloutStory({
    policy: { ...GATED, stagesPercent: [50, 100] },
    regions: { eu: 4, us: 4 },
  });
  story.publish('v1');
  story.act();
  for (let word = 0; word < 2; word += 1) {
    story.control('approve');
    story.act();
  }
  expect(on(story, 'v1')).toEqual({ eu: 4, us: 2 });
  expect([story.wave('eu').stage, story.wave('us').stage]).toEqual([
    { number: 2, of: 2, percent: 100 },
    { number: 1, of: 2, percent: 50 },
  ]);
});

test('before its turn a region stays with what the fleet has settled on', () => {
  const story = new RolloutStory({ policy: GATED, regions: { eu: 3, us: 3 } });
  story.publish('v1');
  story.act();
  story.control('approve');
  story.act();
  expect(story.phase).toBe('settled');
  story.publish('v2');
  story.act();
  expect([story.wave('eu').release.version, story.wave('us').release.version]).toEqual(['v2', 'v1']);
  story.join('us', 1);
  story.act();
  expect(on(story, 'v1')).toEqual({ eu: 0, us: 4 });
});

test('where nothing has settled yet, a region before its turn has an order that lets nobody do anything', () => {
  const story = new RolloutStory({ policy: GATED, regions: { eu: 3, us: 3 } });
  story.publish('v1');
  expect(story.wave('us')).toMatchObject({ phase: 'staging', cursor: FIRST, stageBelow: FIRST });
});

test('the open wave of a superseded rollout stands nowhere any more', () => {
  const story = new RolloutStory({ policy: GATED, regions: { eu: 3, us: 9 } });
  story.publish('v1');
  story.act();
  story.control('approve');
  story.act(() => (on(story, 'v1')['us'] ?? 0) >= 2);
  expect(story.wave('us')).toMatchObject({ phase: 'open', release: { version: 'v1' } });
  story.publish('v2');
  const before = on(story, 'v1')['us'] ?? 0;
  // It is the first group's turn again: the second one stays as it is, half-way, with nobody starting either.
  expect(story.wave('us')).toMatchObject({ phase: 'staging', cursor: FIRST, release: { version: 'v2' } });
  story.act();
  expect([story.phase, on(story, 'v2')['eu']]).toEqual(['gated', 3]);
  expect((on(story, 'v1')['us'] ?? 0) - before).toBeLessThanOrEqual(2);
});

test('nodes of a region that was left half-way are not taken back to what had settled before their turn comes', () => {
  for (const stop of ['supersede', 'abort'] as const) {
    const story = new RolloutStory({ policy: GATED, regions: { eu: 3, us: 9 } });
    const goThrough = (tag: string) => {
      story.publish(tag);
      story.act();
      story.control('approve');
    };
    goThrough('v1');
    story.act();
    expect(story.phase).toBe('settled');
    goThrough('v2');
    story.act(() => (on(story, 'v2')['us'] ?? 0) >= 2);
    if (stop === 'abort') story.control('abort');
    story.act(() => ![...story.nodes.values()].some(({ attempt }) => attempt !== undefined));
    const updated = on(story, 'v2')['us'];
    story.publish('v3');
    story.act();
    expect([story.phase, on(story, 'v2')['us'], on(story, 'v3')]).toEqual([
      'gated',
      updated,
      { eu: 3, us: 0 },
    ]);
    story.control('approve');
    story.act();
    expect([story.phase, on(story, 'v3')]).toEqual(['settled', { eu: 3, us: 9 }]);
  }
});

test('a first group that nobody has ever been in is passed over', () => {
  const story = new RolloutStory({
    policy: { ...GROUPED, regions: [['mars'], ['eu']] },
    regions: { eu: 3, us: 2 },
  });
  story.publish('v1');
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['settled', { eu: 3, us: 2 }]);
});

test('a fleet that no group names is a group of its own', () => {
  const story = new RolloutStory({
    policy: { ...GROUPED, regions: [['mars'], ['venus']] },
    regions: { eu: 3 },
  });
  story.publish('v1');
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['settled', { eu: 3 }]);
});

test('nodes that turn up in an unnamed region, while all that was named is empty, get their turn', () => {
  const story = new RolloutStory({ policy: { ...GROUPED, regions: [['mars']] }, regions: {} });
  story.publish('v1');
  expect(story.phase).toBe('staging');
  story.join('eu', 3);
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['settled', { eu: 3 }]);
});

test('a named group is waited for while its nodes are away: nobody skips the first region in silence', () => {
  const story = new RolloutStory({ policy: GROUPED, regions: { eu: 3, us: 3 } });
  const eu = ['eu-1', 'eu-2', 'eu-3'];
  story.leave(...eu);
  story.publish('v1');
  story.pass(960_000);
  expect([story.phase, story.rollout.paused?.reason]).toEqual([
    'paused',
    'no further node has the image for 15m: no node of eu is there',
  ]);
  // Taken out of the policy it is waited for no more.
  story.policy({ ...GROUPED, regions: [['us']] });
  story.control('resume');
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['settled', { eu: 0, us: 3 }]);
  story.comeBack(...eu);
  story.act();
  expect(on(story, 'v1')).toEqual({ eu: 3, us: 3 });
});

test('side by side, a region where nobody is holds up nobody', () => {
  const story = new RolloutStory({ policy: ONE_STAGE, regions: { eu: 3, us: 3 } });
  story.leave('us-1', 'us-2', 'us-3');
  story.publish('v1');
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['settled', { eu: 3, us: 0 }]);
});

test('a last group whose nodes all leave in the middle does not hold up the end', () => {
  const story = new RolloutStory({ policy: { ...GROUPED, regions: [['eu']] }, regions: { eu: 3, us: 3 } });
  story.publish('v1');
  story.act(() => story.rollout.group === 1);
  expect(story.rollout.group).toBe(1);
  story.leave('us-1', 'us-2', 'us-3');
  story.act();
  expect(story.phase).toBe('settled');
});

test('a region that turns up in the middle of a stage has its part in it', () => {
  const story = new RolloutStory({ policy: { ...QUICK, stagesPercent: [50, 100] }, regions: { eu: 40 } });
  story.publish('v1');
  story.act(() => (on(story, 'v1')['eu'] ?? 0) > 3);
  story.join('us', 10);
  story.tick();
  expect(story.rollout.regions['us']).toMatchObject({ slots: 2, nodes: 10 });
  story.act(() => story.rollout.percent === 100);
  expect(on(story, 'v1')).toEqual({ eu: 20, us: 5 });
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['settled', { eu: 40, us: 10 }]);
});

test('a region of a group that is through already, seen for the first time, waits for the end', () => {
  const story = new RolloutStory({
    policy: { ...GATED, regions: [['eu', 'af'], ['us']] },
    regions: { eu: 3, us: 3 },
  });
  story.publish('v1');
  story.act();
  story.control('approve');
  story.join('af', 2);
  story.tick();
  expect(story.wave('af')).toMatchObject({ phase: 'staging', cursor: FIRST });
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['settled', { eu: 3, us: 3, af: 2 }]);
});

test('a region without a present node when its stage was entered is drawn when they come', () => {
  const story = new RolloutStory({ policy: QUICK, regions: { eu: 10, us: 3 } });
  story.leave('us-1', 'us-2', 'us-3');
  story.publish('v1');
  expect(story.rollout.regions['us']).toMatchObject({ stageBelow: FIRST });
  story.comeBack('us-1', 'us-2', 'us-3');
  expect(story.rollout.regions['us']?.stageBelow).toBeGreaterThan(FIRST);
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['settled', { eu: 10, us: 3 }]);
});

test.each([
  ['side by side', 'parallel'],
  ['the other way round', [['us'], ['eu']]],
  ['into one group', [['eu', 'us', 'ap']]],
  ['into none that are known', [['mars']]],
  ['with another in between', [['eu'], ['ap'], ['us']]],
] as const)('a policy that groups the regions anew in the middle, %s, loses nobody', (_, regions) => {
  for (const group of [0, 1, 2]) {
    const story = new RolloutStory({ policy: GROUPED, regions: { eu: 5, us: 5, ap: 5 } });
    story.publish('v1');
    story.act(() => story.rollout.group === group && story.rollout.phase.name === 'rolling');
    const cursors = () => Object.values(story.rollout.regions).map(({ cursor }) => cursor);
    const before = cursors();
    story.policy({ ...GROUPED, regions });
    expect(cursors().every((cursor, index) => cursor >= (before[index] ?? 0))).toBe(true);
    story.act();
    expect([story.phase, on(story, 'v1')]).toEqual(['settled', { eu: 5, us: 5, ap: 5 }]);
  }
});

test('a region whose nodes are all let in is not through by a policy that groups it anew while some are not done', () => {
  const story = new RolloutStory({
    policy: { ...QUICK, stagesPercent: [50, 100] },
    regions: { eu: 5, us: 5 },
  });
  story.publish('v1');
  const isLetIn = () => story.rollout.regions['eu']?.cursor === LAST;
  story.act(isLetIn);
  expect(isLetIn()).toBe(true);
  expect(on(story, 'v1')['eu']).toBeLessThan(5);
  story.policy({ ...QUICK, stagesPercent: [50, 100], regions: [['eu'], ['us']] });
  expect([story.rollout.group, story.rollout.percent]).toEqual([0, 100]);
  story.act(() => story.rollout.group === 1);
  expect(on(story, 'v1')['eu']).toBe(5);
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['settled', { eu: 5, us: 5 }]);
});

test('a policy that groups the regions anew waits for those who are let in already and not done', () => {
  const story = new RolloutStory({ policy: GROUPED, regions: { eu: 5, us: 5, ap: 5 } });
  story.behave('hangs', 'eu-1');
  story.publish('v1');
  story.act(() => story.rollout.regions['eu']?.cursor === LAST && on(story, 'v1')['eu'] === 4);
  story.policy({ ...GROUPED, regions: [['eu'], ['ap'], ['us']] });
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['rolling', { eu: 4, us: 0, ap: 0 }]);
  story.policy({ ...GROUPED, regions: [['eu', 'ap'], ['us']] });
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['rolling', { eu: 4, us: 0, ap: 5 }]);
  story.behave('well', 'eu-1');
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['settled', { eu: 5, us: 5, ap: 5 }]);
});

test('a policy that is written again with the same groups moves nothing', () => {
  const story = new RolloutStory({ policy: GATED, regions: { eu: 3, us: 3 } });
  story.publish('v1');
  story.act();
  const { rollout } = story;
  story.policy({ ...GATED, regions: [['eu'], ['us']] });
  expect(story.rollout).toEqual(rollout);
});

test('a gate between groups stays one when another group is put behind it', () => {
  const story = new RolloutStory({ policy: GATED, regions: { eu: 3, us: 3, ap: 3 } });
  story.publish('v1');
  story.act();
  expect(story.phase).toBe('gated');
  story.policy({ ...GATED, regions: [['eu'], ['ap'], ['us']] });
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['gated', { eu: 3, us: 0, ap: 0 }]);
  story.control('approve');
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['gated', { eu: 3, us: 0, ap: 3 }]);
});

test.each(['staging', 'rolling', 'soaking', 'gated'] as const)(
  'with everybody away while it is %s a rollout does not settle, and goes on when they are back',
  (phase) => {
    const story = new RolloutStory({
      policy: {
        ...QUICK,
        approval: phase === 'gated' ? 'manual' : 'automatic',
        soakMs: phase === 'soaking' ? 300_000 : 0,
      },
      regions: { eu: 10 },
    });
    story.publish('v1');
    story.act(() => story.rollout.phase.name === phase);
    expect(story.rollout.phase.name).toBe(phase);
    for (const node of story.nodes.values()) node.here = false;
    story.pass(400_000);
    if (phase === 'gated') story.control('approve');
    story.pass(86_400_000);
    expect(story.phase).not.toBe('settled');
    for (const node of story.nodes.values()) node.here = true;
    story.seeAll();
    for (let word = 0; word < 6 && story.phase !== 'settled'; word += 1) {
      story.control(story.rollout.paused === undefined ? 'approve' : 'resume');
      story.act();
      story.pass(300_000);
    }
    expect([story.phase, on(story, 'v1')]).toEqual(['settled', { eu: 10 }]);
  },
);

test('nodes that are away when a stage ends do not make it the last one', () => {
  const story = new RolloutStory({
    policy: { ...QUICK, stagesPercent: [10, 100], approval: 'manual' },
    regions: { eu: 20 },
  });
  story.publish('v1');
  story.act();
  expect([story.phase, on(story, 'v1')]).toEqual(['gated', { eu: 2 }]);
  // Only those two are left: all that is there is on it.
  story.leave(
    ...[...story.nodes.values()].filter(({ running }) => running !== digestOf('v1')).map(({ node }) => node),
  );
  story.tick();
  expect(story.phase).toBe('gated');
});
