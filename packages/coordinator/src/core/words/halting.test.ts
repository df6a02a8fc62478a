import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';

const STRICT = { ...QUICK, failureBudget: { max: { kind: 'count', count: 0 }, minSample: 1 } } as const;

function running(story: RolloutStory): ReadonlySet<string> {
  return new Set([...story.nodes.values()].filter(({ here }) => here).map((node) => node.running));
}

test('beyond the budget the rollout halts, every node is back on what it ran before, and the digest is remembered', () => {
  const story = new RolloutStory({ policy: STRICT, regions: { eu: 20 } });
  story.publish('v1');
  story.act();
  const bad = story.publish('v2');
  story.behave(
    'fails',
    ...story
      .line('eu')
      .slice(5, 7)
      .map(({ node }) => node),
  );
  story.act();
  expect(story.rollout.phase).toEqual({ name: 'rested', reason: '1 of 7 nodes failed' });
  expect(running(story)).toEqual(new Set([digestOf('v1')]));
  expect(story.halt.order).toEqual({
    service: 'web',
    rollout: bad,
    digest: digestOf('v2'),
    version: 'v2',
    reason: '1 of 7 nodes failed',
  });
  // What stands is what the fleet had settled on before: nodes that come later take that.
  expect(story.wave('eu')).toMatchObject({ phase: 'settled', release: { version: 'v1' } });
});

test('the halt is published before the waves', () => {
  const story = new RolloutStory({ policy: STRICT, regions: { eu: 3, us: 3 } });
  story.publish('v1');
  story.held = true;
  story.report('eu-1', 'failed', { attempt: '1' });
  expect(story.waiting.map(({ kind }) => kind).slice(0, 3)).toEqual([
    'publish-halt',
    'publish-wave',
    'publish-wave',
  ]);
});

test('no rest before everybody can have heard the halt', () => {
  const story = new RolloutStory({ policy: STRICT, regions: { eu: 3 } });
  story.publish('v1');
  story.held = true;
  story.report('eu-1', 'failed', { attempt: '1' });
  story.pass(60_000);
  expect(story.phase).toBe('halting');
  story.letGo();
  expect(story.phase).toBe('rested');
});

test('no rest while a node is in the middle of it, though its word has not come yet', () => {
  const story = new RolloutStory({ regions: { eu: 3 } });
  story.publish('v1');
  const rollout = story.rollout.release.rollout;
  story.writeSlot('eu', 0, { node: 'eu-2', rollout, attempt: '1', leaseMs: 120_000 });
  story.control('halt');
  story.tick();
  expect(story.phase).toBe('halting');
  story.writeSlot('eu', 0, undefined);
  expect(story.phase).toBe('rested');
});

test('a node that is away holds up no rest, and goes back when it returns (B11)', () => {
  const story = new RolloutStory({ regions: { eu: 5 } });
  story.publish('v1');
  story.act();
  const [away] = story.line('eu');
  if (away === undefined) throw new Error('there are five');
  story.leave(away.node);
  story.control('halt');
  story.act();
  expect([story.phase, away.running]).toEqual(['rested', digestOf('v1')]);
  story.comeBack(away.node);
  story.act();
  expect([story.phase, away.running]).toEqual(['rested', digestOf('v0')]);
});

test('a node whose operator has brought it elsewhere by hand holds up no rest', () => {
  const story = new RolloutStory({ regions: { eu: 3 } });
  story.publish('v1');
  story.act();
  const byHand = story.node('eu-1');
  byHand.running = digestOf('by-hand');
  byHand.behaviour = 'silent';
  story.pass(120_000);
  story.control('halt');
  story.act();
  expect([story.phase, byHand.running]).toEqual(['rested', digestOf('by-hand')]);
});

test('who keeps the halted image, since there is nothing to go back to, holds up no rest', () => {
  const story = new RolloutStory({ regions: { eu: 3 } });
  story.publish('v1');
  story.act();
  story.behave('silent');
  story.control('halt');
  for (const node of ['eu-1', 'eu-2', 'eu-3']) {
    expect(story.phase).toBe('halting');
    story.report(node, 'kept', { reason: 'there is no last good image on this node' });
  }
  expect(story.phase).toBe('rested');
});

test('the slots for the way back are those of the region as it is now, not as it was', () => {
  const story = new RolloutStory({
    regions: { eu: 100 },
    policy: { ...QUICK, maxUnavailable: { kind: 'percent', percent: 20 } },
  });
  story.publish('v1');
  story.act();
  expect(story.wave('eu').slots).toBe(20);
  story.leave(...Array.from({ length: 90 }, (_, index) => `eu-${index + 11}`));
  expect(story.wave('eu').slots).toBe(2);
  story.control('halt');
  expect(story.wave('eu')).toMatchObject({ phase: 'halted', slots: 2 });
});

test('after a restart in the middle of going back the next leader waits for everybody too', () => {
  const story = new RolloutStory({ regions: { eu: 6 } });
  story.publish('v1');
  story.act();
  story.control('halt');
  expect(story.phase).toBe('halting');
  // The bus was away as well, and has forgotten who is there.
  for (const node of story.nodes.values()) node.here = false;
  story.restart('forgotten');
  story.tick();
  expect(story.phase).toBe('halting');
  for (const node of story.nodes.values()) node.here = true;
  story.seeAll();
  story.tick();
  expect(story.phase).toBe('halting');
  story.act();
  expect([story.phase, running(story)]).toEqual(['rested', new Set([digestOf('v0')])]);
});

test('a paused rollout halts for its failures all the same, in whichever phase', () => {
  for (const phase of ['staging', 'rolling'] as const) {
    const story = new RolloutStory({ policy: STRICT, regions: { eu: 10 } });
    story.publish('v1');
    story.act(() => story.rollout.phase.name === phase);
    story.control('pause');
    story.report('eu-1', 'failed', { attempt: '1' });
    expect(story.phase).toBe('rested');
  }
});

test('a percentage waits for its sample, but no longer than the stage', () => {
  const story = new RolloutStory({
    policy: { ...QUICK, failureBudget: { max: { kind: 'percent', percent: 10 }, minSample: 5 } },
    regions: { eu: 20 },
  });
  story.publish('v1');
  story.act(() => story.rollout.phase.name === 'rolling');
  const [first, second] = story.line('eu');
  story.report(first?.node ?? '', 'failed', { attempt: '1' });
  expect(story.rollout.phase.name).toBe('rolling');
  story.report(second?.node ?? '', 'failed', { attempt: '1' });
  expect(story.rollout.phase).toMatchObject({ reason: '2 of 2 nodes failed' });
});

test('halted digests are remembered, the newest first, and no more than 64', () => {
  const story = new RolloutStory({ regions: { eu: 1 } });
  for (let round = 0; round < 70; round += 1) {
    story.publish(`bad-${round}`);
    story.control('halt');
  }
  expect(story.state.record.halted.length).toBe(64);
  expect(story.state.record.halted[0]?.digest).toBe(digestOf('bad-69'));
});

test('what had settled and is halted after all has never settled: the fleet is on what it was on before', () => {
  const story = new RolloutStory({ regions: { eu: 5 } });
  for (const tag of ['v1', 'v2']) {
    story.publish(tag);
    story.act();
  }
  expect(story.state.record.settled.map(({ version }) => version)).toEqual(['v2', 'v1']);
  story.control('halt');
  story.act();
  expect(story.state.record.settled.map(({ version }) => version)).toEqual(['v1']);
  expect(story.wave('eu')).toMatchObject({ phase: 'settled', release: { version: 'v1' } });
  expect(running(story)).toEqual(new Set([digestOf('v1')]));
});
