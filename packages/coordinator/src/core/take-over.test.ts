import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory, roundTripped } from '../../../../test/support/rollout-story.ts';

const MANUAL = { ...QUICK, approval: 'manual', soakMs: 300_000 } as const;

/** A story that has come to each of the phases in turn, and what it is called. */
function* everywhere(): Generator<readonly [string, RolloutStory]> {
  const story = new RolloutStory({ policy: MANUAL, regions: { eu: 20, us: 6 } });
  story.publish('v1');
  yield ['staging', story];
  story.act(() => story.rollout.phase.name === 'rolling');
  story.actOnce();
  yield ['rolling', story];
  story.control('pause');
  yield ['paused', story];
  story.control('resume');
  story.act();
  yield ['soaking', story];
  story.pass(300_000);
  yield ['gated', story];
  story.control('approve');
  story.act(() => story.rollout.phase.name === 'rolling');
  story.actOnce();
  yield ['rolling', story];
  story.control('halt');
  yield ['halting', story];
  story.act();
  yield ['rested', story];
  story.publish('v2');
  story.control('abort');
  yield ['aborted', story];
  story.policy(QUICK);
  story.publish('v3');
  story.act();
  yield ['settled', story];
}

test('after a restart everything is exactly what it was, in every phase', () => {
  const phases: string[] = [];
  for (const [phase, story] of everywhere()) {
    phases.push(story.phase);
    expect(story.phase).toBe(phase);
    const { record, waves, halt, slots, census } = story.state;
    const written = story.history.length;
    story.restart();
    expect(story.state.record).toEqual(record);
    expect(roundTripped(record)).toEqual(record);
    expect([story.state.waves, story.state.halt]).toEqual([waves, halt]);
    const held = new Map([...slots].map(([region, places]) => [region, places.size]));
    expect(new Map([...story.state.slots].map(([region, places]) => [region, places.size]))).toEqual(held);
    // What nodes said is read again; by whom it was heard makes no difference.
    expect([...(story.state.census.get('eu')?.keys() ?? [])]).toEqual([...(census.get('eu')?.keys() ?? [])]);
    expect(story.history.length).toBe(written);
  }
  expect(phases.length).toBe(10);
});

test('a rollout that changes its leader at every step comes to the same end', () => {
  const story = new RolloutStory({ regions: { eu: 12, us: 5 } });
  story.publish('v1');
  for (let round = 0; round < 400 && story.phase !== 'settled'; round += 1) {
    story.actOnce();
    story.tick(1_000);
    const { cursor = 0 } = story.rollout.regions['eu'] ?? {};
    story.restart();
    expect(story.rollout.regions['eu']?.cursor).toBeGreaterThanOrEqual(cursor);
  }
  expect(story.phase).toBe('settled');
  expect(new Set([...story.nodes.values()].map(({ running }) => running))).toEqual(new Set([digestOf('v1')]));
});

test('what was saved and not ordered any more is ordered by the next leader', () => {
  const story = new RolloutStory({ regions: { eu: 5 } });
  story.publish('v1');
  story.held = true;
  story.control('halt');
  story.held = false;
  story.restart();
  expect([story.wave('eu').phase, story.halt.order?.version]).toEqual(['halted', 'v1']);
});

test('a release whose digest nobody knew yet is asked for by the next leader', () => {
  const story = new RolloutStory({ regions: { eu: 5 } });
  story.held = true;
  const number = story.publish('v1');
  story.held = false;
  story.restart();
  story.tick(10_000);
  expect(story.rollout.release.rollout).toBe(number);
});

test('half a fleet that has been read draws no stage and ends none, but halts for its failures', () => {
  const story = new RolloutStory({
    regions: { eu: 20 },
    policy: { ...QUICK, failureBudget: { max: { kind: 'count', count: 0 }, minSample: 1 } },
  });
  story.publish('v1');
  story.act(() => story.rollout.percent === 50 && story.rollout.phase.name === 'rolling');
  const before = story.rollout;
  // The bus restarted and has forgotten presence; only who is on the release already has shown himself again.
  const fast = [...story.nodes.values()].filter(({ running }) => running === digestOf('v1'));
  for (const node of story.nodes.values()) node.here = fast.includes(node);
  story.restart('forgotten');
  story.tick(9_000);
  expect(story.rollout).toEqual(before);
  story.report('eu-1', 'failed', { attempt: '1' });
  expect(story.rollout.phase.name).toBe('halting');
});

test('once everybody has had his time to show himself, the leader goes on with those who are there', () => {
  const story = new RolloutStory({ regions: { eu: 20 } });
  story.publish('v1');
  story.act(() => story.rollout.percent === 50 && story.rollout.phase.name === 'rolling');
  for (const node of story.line('eu').slice(-5)) node.here = false;
  story.restart('forgotten');
  story.act();
  story.tick(10_000);
  story.act();
  expect(story.phase).toBe('settled');
});

test('a release that comes while half a fleet has been read is placed when the rest has shown itself', () => {
  const story = new RolloutStory({ regions: { eu: 20 } });
  story.publish('v1');
  story.act();
  for (const node of story.nodes.values()) node.here = node.node === 'eu-1';
  story.restart('forgotten');
  const number = story.publish('v2');
  expect(story.rollout.release.rollout).not.toBe(number);
  for (const node of story.nodes.values()) node.here = true;
  story.seeAll();
  expect(story.rollout).toMatchObject({ release: { rollout: number }, regions: { eu: { nodes: 20 } } });
});

test('half a fleet that has been read takes no slots from the other half', () => {
  const policy = { ...QUICK, maxUnavailable: { kind: 'percent', percent: 20 } } as const;
  const story = new RolloutStory({ policy, regions: { eu: 50 } });
  story.publish('v1');
  story.act(() => story.rollout.phase.name === 'rolling');
  for (const node of story.nodes.values()) node.here = node.node.endsWith('1');
  story.restart('forgotten');
  expect(story.wave('eu').slots).toBe(10);
  // Who has not come by then is away.
  story.tick(10_000);
  expect(story.wave('eu').slots).toBe(1);
});
