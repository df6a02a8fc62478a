import type { Wave } from '@swell/shared/domain/wave.ts';
import { expect, test } from 'vitest';
import { QUICK, RolloutStory } from '../../../../test/support/rollout-story.ts';
import type { Effect } from './effects.ts';
import { isVouchedFor } from './orders.ts';

function kinds(effects: readonly Effect[]): readonly string[] {
  return effects.map(({ kind }) => kind);
}

test('nothing is ordered before all of the bus has been read', () => {
  const story = new RolloutStory();
  story.publish('v1');
  const { record } = story.state;
  story.state = { ...story.state, ready: false, waves: new Map(), halt: { revision: 0, sending: false } };
  expect(story.tick(600_000)).toEqual([]);
  expect(story.state.record).toBe(record);
});

test('what stands as it ought to is not written again, however often it is looked at', () => {
  const story = new RolloutStory({ regions: { eu: 10, us: 10 } });
  story.publish('v1');
  story.actOnce();
  const { record } = story.state;
  for (let second = 0; second < 30; second += 1) expect(story.tick()).toEqual([]);
  expect(story.state.record).toBe(record);
});

test('presence that says the same again writes nothing and saves nothing', () => {
  const story = new RolloutStory({ regions: { eu: 10 } });
  story.publish('v1');
  story.actOnce();
  const { record } = story.state;
  story.nowMs += 60_000;
  story.seeAll();
  expect(story.state.record).toBe(record);
});

test('a rollout of a hundred nodes costs a handful of waves and records, not one for each node', () => {
  const story = new RolloutStory({
    regions: { eu: 100 },
    policy: { ...QUICK, maxUnavailable: { kind: 'count', count: 10 } },
  });
  story.publish('v1');
  const [waves, records] = [story.history.length, story.saved.length];
  story.act();
  expect(story.phase).toBe('settled');
  expect(story.history.length - waves).toBeLessThan(12);
  expect(story.saved.length - records).toBeLessThan(40);
});

test('a halt that nobody can read is taken away, for nobody starts while it stands (I13)', () => {
  const story = new RolloutStory({ regions: { eu: 3 } });
  story.publish('v1');
  story.halt = { revision: 1, order: undefined };
  const effects = story.post({ kind: 'halt-seen', revision: 1, halt: undefined, unreadable: true });
  expect(effects).toContainEqual({ kind: 'publish-halt', halt: undefined, expect: 1 });
  expect(story.state.halt).toEqual({ revision: story.halt.revision, sending: false });
  expect(story.tick()).toEqual([]);
});

test('of each key one write is on its way at most, and what has changed meanwhile follows its acknowledgement', () => {
  const story = new RolloutStory({ regions: { eu: 3 } });
  story.publish('v1');
  story.held = true;
  story.control('pause');
  story.control('resume');
  story.control('pause');
  const writes = story.waiting.filter(({ kind }) => kind === 'publish-wave');
  expect(writes.length).toBe(1);
  story.letGo();
  expect(story.wave('eu').phase).toBe('paused');
});

test('an acknowledgement of what is wanted no more brings the wave that is', () => {
  const story = new RolloutStory({ regions: { eu: 3 } });
  story.publish('v1');
  story.held = true;
  story.control('pause');
  story.control('abort');
  story.letGo();
  expect(story.wave('eu').phase).toBe('aborted');
  expect(story.history.map(({ wave }) => wave.phase)).toEqual(['staging', 'paused', 'aborted']);
});

test('what somebody else has written over an order of ours is written over, by the revision that he left', () => {
  const story = new RolloutStory({ regions: { eu: 3 } });
  story.publish('v1');
  const ours = story.wave('eu');
  const { effects, revision } = story.tamper({ ...ours, phase: 'open', cursor: 1 });
  expect(effects).toEqual([{ kind: 'publish-wave', wave: ours, expect: revision }]);
  expect(story.wave('eu')).toEqual(ours);
});

test('an order that somebody deleted, or that nobody can read, is written again', () => {
  const story = new RolloutStory({ regions: { eu: 3 } });
  story.publish('v1');
  const standing = story.waves.get('eu');
  if (standing === undefined) throw new Error('there is a wave');
  story.held = true;
  expect(story.post({ kind: 'wave-seen', region: 'eu', revision: 900, wave: undefined })).toEqual([
    { kind: 'publish-wave', wave: standing.order, expect: 900 },
  ]);
});

test('while a write of ours is on its way, what is seen of others starts no second one', () => {
  const story = new RolloutStory({ regions: { eu: 3 } });
  story.publish('v1');
  story.held = true;
  story.control('pause');
  const foreign: Wave = { ...story.wave('eu'), phase: 'open', cursor: 1 };
  expect(kinds(story.post({ kind: 'wave-seen', region: 'eu', revision: 900, wave: foreign }))).toEqual([]);
});

test('what is heard late of an order says nothing', () => {
  const story = new RolloutStory({ regions: { eu: 3 } });
  story.publish('v1');
  const { waves } = story.state;
  const foreign: Wave = { ...story.wave('eu'), phase: 'open', cursor: 1 };
  expect(story.post({ kind: 'wave-seen', region: 'eu', revision: 0, wave: foreign })).toEqual([]);
  expect(story.state.waves).toEqual(waves);
});

test('an event is told until the log has it, and then no more', () => {
  const story = new RolloutStory({ regions: { eu: 3 } });
  story.held = true;
  story.publish('v1');
  story.letGo();
  expect(story.state.record.outbox).toEqual([]);
  const { record } = story.state;
  story.post({ kind: 'event-stored', id: story.told()[0]?.id ?? '' });
  expect(story.state.record).toBe(record);
});

test('events that were saved and not told are told by the next leader', () => {
  const story = new RolloutStory({ regions: { eu: 3 } });
  story.held = true;
  story.publishBad('image: is missing');
  story.held = false;
  story.restart();
  expect(story.told('release-rejected').length).toBe(1);
});

test('every region that is known has an order of the present rollout, whatever it is', () => {
  const story = new RolloutStory({
    policy: { ...QUICK, regions: [['eu']] },
    regions: { eu: 3, us: 3, ap: 3 },
  });
  const number = story.publish('v1');
  for (const action of ['pause', 'resume', 'abort'] as const) {
    story.control(action);
    expect([...story.waves.values()].map(({ order }) => order.release.rollout)).toEqual([
      number,
      number,
      number,
    ]);
  }
});

test('a changed policy holds at once: health, leases and slots stand in the next wave, and the cursor stays', () => {
  const story = new RolloutStory({ regions: { eu: 50 } });
  story.publish('v1');
  story.act(() => story.rollout.phase.name === 'rolling');
  const before = story.wave('eu');
  story.policy({
    ...QUICK,
    maxUnavailable: { kind: 'count', count: 7 },
    slotLeaseMs: 30_000,
    health: { minHealthyTimeMs: 1_000 },
  });
  expect(story.wave('eu')).toEqual({
    ...before,
    cursor: expect.any(Number),
    slots: 7,
    slotLeaseMs: 30_000,
    health: { ...before.health, minHealthyTimeMs: 1_000 },
  });
  expect(story.wave('eu').cursor).toBeGreaterThanOrEqual(before.cursor);
});

test('stages that a policy takes away or adds leave the cursor where it is, and the last one is for everybody', () => {
  const lists = [[1, 2, 100], [100], [60, 100], [5, 20, 50, 51, 100]];
  for (const stagesPercent of lists) {
    const story = new RolloutStory({ regions: { eu: 40 } });
    story.publish('v1');
    story.act(() => story.rollout.percent === 50 && story.rollout.phase.name === 'rolling');
    const { cursor } = story.wave('eu');
    story.policy({ ...QUICK, stagesPercent });
    expect(story.wave('eu').cursor).toBeGreaterThanOrEqual(cursor);
    expect(story.wave('eu').stage).toMatchObject({ of: stagesPercent.length, percent: 50 });
    story.act();
    expect([story.phase, story.rollout.percent]).toEqual(['settled', 100]);
  }
});

test('slots follow a region that grows and shrinks, but not every node that comes or goes', () => {
  const story = new RolloutStory({
    regions: { eu: 100 },
    policy: { ...QUICK, maxUnavailable: { kind: 'percent', percent: 10 } },
  });
  story.publish('v1');
  story.act();
  expect(story.wave('eu').slots).toBe(10);
  const waves = story.history.length;
  story.join('eu', 10);
  story.leave('eu-1');
  expect([story.wave('eu').slots, story.history.length]).toEqual([10, waves]);
  story.join('eu', 100);
  expect(story.wave('eu').slots).toBe(20);
  story.leave(...[...story.nodes.keys()].slice(10));
  expect([story.wave('eu').slots, story.history.length]).toEqual([1, expect.any(Number)]);
  expect(story.history.length - waves).toBeLessThan(20);
});

test('no leader stands behind an open wave that it wants no more, however long the order that says so is on its way', () => {
  for (const stop of ['pause', 'halt', 'abort', 'supersede'] as const) {
    const story = new RolloutStory({ regions: { eu: 10 } });
    story.publish('v1');
    story.act(() => story.rollout.phase.name === 'rolling');
    expect(isVouchedFor(story.state, 'eu')).toBe(true);
    story.held = true;
    if (stop === 'supersede') {
      const newer = story.publish('v2');
      story.answer(newer, 'v2');
    } else story.control(stop);
    expect(isVouchedFor(story.state, 'eu')).toBe(false);
    story.letGo();
    expect(isVouchedFor(story.state, 'eu')).toBe(true);
  }
});

test('while a cursor is on its way further, what stands is stood behind', () => {
  const story = new RolloutStory({ regions: { eu: 50 }, policy: { ...QUICK, stagesPercent: [100] } });
  story.publish('v1');
  story.act(() => story.rollout.phase.name === 'rolling');
  story.held = true;
  const { cursor } = story.wave('eu');
  for (let round = 0; round < 12; round += 1) story.actOnce();
  expect(story.rollout.regions['eu']?.cursor).toBeGreaterThan(cursor);
  expect(isVouchedFor(story.state, 'eu')).toBe(true);
});
