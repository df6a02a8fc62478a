import type { PolicyLayer } from '@swell/shared/domain/policy.ts';
import { expect, test } from 'vitest';
import { digestOf, QUICK, RolloutStory } from '../../../../../test/support/rollout-story.ts';

const LEASE_MS = 120_000;
const GRACE_MS = 2_000;
const TOLERANT = { ...QUICK, failureBudget: { max: { kind: 'count', count: 3 }, minSample: 1 } } as const;
const STRICT = { ...QUICK, failureBudget: { max: { kind: 'count', count: 0 }, minSample: 1 } } as const;

/** A rollout in whose middle a node dies, with its slot in hand. */
function withDeadNode(policy: PolicyLayer = TOLERANT) {
  const story = new RolloutStory({ policy, regions: { eu: 10 } });
  story.publish('v1');
  story.act(() => [...story.nodes.values()].some(({ attempt }) => attempt !== undefined));
  const dead = [...story.nodes.values()].find(({ attempt }) => attempt !== undefined);
  if (dead?.attempt === undefined) throw new Error('nobody has begun');
  story.behave('hangs', dead.node);
  dead.here = false;
  const slot = story.slots.get(`eu.${dead.attempt.slot}`);
  return {
    story,
    dead: dead.node,
    slot: dead.attempt.slot,
    revision: slot?.revision ?? 0,
    claimedAtMs: slot?.atMs ?? 0,
  };
}

function holders(story: RolloutStory): readonly (string | undefined)[] {
  return [...story.slots.values()].map(({ holder }) => holder?.node);
}

test('a lease ends by the clock of the bus, a little grace included, and not before', () => {
  const { story, claimedAtMs, dead, slot, revision } = withDeadNode();
  story.nowMs = claimedAtMs + LEASE_MS + GRACE_MS;
  story.tick(0);
  expect(story.told('slot-lost')).toEqual([]);
  story.tick(1);
  const fields = {
    service: 'web',
    rollout: story.rollout.release.rollout,
    region: 'eu',
    node: dead,
    slot,
    revision,
  };
  const mark = `web.${fields.rollout}.slot`;
  expect([...story.told('slot-lost'), ...story.told('slot-cleared')]).toEqual([
    {
      ...fields,
      id: `${mark}-lost.eu.${slot}.${revision}`,
      name: 'slot-lost',
      line: `slot ${slot} of web in eu, held by ${dead}, has not been renewed: its node counts as failed`,
    },
    {
      ...fields,
      id: `${mark}-cleared.eu.${slot}.${revision}`,
      name: 'slot-cleared',
      line: `slot ${slot} of web in eu, held by ${dead}, is cleared`,
    },
  ]);
  expect(holders(story)).not.toContain(dead);
});

test('a renewed slot is not lost', () => {
  const { story, claimedAtMs, dead, slot } = withDeadNode();
  story.nowMs = claimedAtMs + LEASE_MS;
  const held = story.slots.get(`eu.${slot}`)?.holder;
  story.writeSlot('eu', slot, held);
  story.tick(LEASE_MS);
  expect([story.told('slot-lost'), holders(story).includes(dead)]).toEqual([[], true]);
});

test('a lost node counts as failed once, and the others go on', () => {
  const { story, dead } = withDeadNode();
  story.pass(LEASE_MS + 60_000);
  expect(story.rollout.lost.map(({ region, node }) => [region, node])).toEqual([['eu', dead]]);
  story.act();
  expect(story.phase).toBe('settled');
  expect([...story.nodes.values()].filter(({ running }) => running === digestOf('v1')).length).toBe(9);
});

test('a slot whose loss breaks the budget stays taken until the halt stands, and only then is cleared', () => {
  const { story, dead } = withDeadNode(STRICT);
  story.held = true;
  story.pass(LEASE_MS + 60_000);
  expect(story.rollout.phase).toEqual({ name: 'halting', reason: '1 of 1 nodes failed' });
  story.pass(60_000);
  expect(story.waiting.map(({ kind }) => kind)).not.toContain('clear-slot');
  expect(holders(story)).toContain(dead);
  // The halt alone is not enough: the wave that let its successor in has to be gone too.
  const halt = story.waiting.findIndex(({ kind }) => kind === 'publish-halt');
  for (const effect of story.waiting.splice(halt, 1)) story.perform(effect);
  story.tick();
  expect(story.waiting.map(({ kind }) => kind)).not.toContain('clear-slot');
  story.letGo();
  story.tick();
  expect(holders(story)).not.toContain(dead);
  expect(story.wave('eu').phase).toBe('halted');
});

test('once the halt stands, lost slots are cleared so that others can go back, and the rollout comes to rest', () => {
  const story = new RolloutStory({ policy: STRICT, regions: { eu: 10 } });
  story.publish('v1');
  story.act(() => [...story.nodes.values()].filter(({ running }) => running === digestOf('v1')).length >= 4);
  story.behave('hangs');
  story.actOnce();
  const dead = [...story.nodes.values()].filter(({ attempt }) => attempt !== undefined);
  expect(dead.length).toBe(2);
  for (const node of dead) node.here = false;
  story.behave('well');
  story.behave('hangs', ...dead.map(({ node }) => node));
  story.pass(LEASE_MS + 120_000);
  story.act();
  expect(story.rollout.phase).toEqual({ name: 'rested', reason: '2 of 7 nodes failed' });
  const others = [...story.nodes.values()].filter(({ here }) => here);
  expect(new Set(others.map(({ running }) => running))).toEqual(new Set([digestOf('v0')]));
});

test('a lost node that comes back healthy stays a failure, and is not waited for', () => {
  const { story, dead } = withDeadNode();
  story.pass(LEASE_MS + 60_000);
  const node = story.node(dead);
  node.here = true;
  node.behaviour = 'well';
  delete node.attempt;
  node.running = digestOf('v1');
  story.report(dead, 'healthy', { attempt: 'one', running: digestOf('v1') });
  story.act();
  expect([story.phase, story.rollout.lost.length]).toEqual(['settled', 1]);
  // Halted after all, it goes back like everybody else.
  story.control('halt');
  story.act();
  expect([story.phase, node.running]).toEqual(['rested', digestOf('v0')]);
});

test('a node that loses a second slot is told again, and counted once', () => {
  const { story, dead, slot } = withDeadNode();
  story.pass(LEASE_MS + 60_000);
  const rollout = story.rollout.release.rollout;
  story.writeSlot('eu', slot, { node: dead, rollout, attempt: 'second', leaseMs: LEASE_MS });
  story.pass(LEASE_MS + 60_000);
  expect([story.told('slot-lost').length, story.told('slot-cleared').length]).toEqual([2, 2]);
  expect(story.rollout.phase.name).toBe('rolling');
});

test('however often a node loses its slot, the record holds one loss of it', () => {
  const { story, dead, slot } = withDeadNode();
  const rollout = story.rollout.release.rollout;
  let last = 0;
  for (let time = 0; time < 5; time += 1) {
    story.pass(LEASE_MS + 60_000);
    last = story.writeSlot('eu', slot, { node: dead, rollout, attempt: `${time}`, leaseMs: LEASE_MS });
  }
  story.pass(LEASE_MS + 60_000);
  expect([story.rollout.lost, story.told('slot-lost').length]).toEqual([
    [{ region: 'eu', node: dead, revision: last }],
    6,
  ]);
});

test('losses whose slots are not cleared are all remembered: none is charged twice', () => {
  const { story, dead, slot } = withDeadNode(STRICT);
  const rollout = story.rollout.release.rollout;
  story.writeSlot('eu', slot + 1, { node: dead, rollout, attempt: 'second', leaseMs: LEASE_MS });
  story.held = true;
  story.pass(2 * LEASE_MS);
  expect([
    story.rollout.lost.length,
    story.state.record.outbox.filter(({ name }) => name === 'slot-lost').length,
  ]).toEqual([2, 2]);
});

test('nodes of one name in two regions are two nodes', () => {
  const story = new RolloutStory({
    policy: {
      ...QUICK,
      stagesPercent: [100],
      failureBudget: { max: { kind: 'count', count: 1 }, minSample: 1 },
    },
    regions: { eu: 1, us: 1 },
  });
  story.publish('v1');
  const rollout = story.rollout.release.rollout;
  for (const region of ['eu', 'us'])
    story.writeSlot(region, 0, { node: 'twin', rollout, attempt: '1', leaseMs: LEASE_MS });
  story.pass(LEASE_MS + 60_000);
  expect(story.rollout.phase).toEqual({ name: 'rested', reason: '2 of 2 nodes failed' });
});

test('a node that was never heard of but by its slot is a failure too', () => {
  const story = new RolloutStory({ policy: STRICT, regions: { eu: 3 } });
  story.publish('v1');
  const rollout = story.rollout.release.rollout;
  story.writeSlot('eu', 0, { node: 'ghost', rollout, attempt: '1', leaseMs: LEASE_MS });
  story.pass(LEASE_MS + 60_000);
  expect(story.rollout.phase.name).toBe('rested');
});

test('the slot of a rollout that is over costs the present one nothing, and is cleared, told once', () => {
  const { story, dead, slot } = withDeadNode(STRICT);
  const first = story.rollout.release.rollout;
  story.publish('v2');
  story.pass(LEASE_MS + 120_000);
  expect(story.rollout.lost).toEqual([]);
  expect(story.told('slot-lost').map(({ rollout, node, slot: lost }) => [rollout, node, lost])).toEqual([
    [first, dead, slot],
  ]);
  expect(holders(story)).not.toContain(dead);
});

test('nodes that catch up with what has settled may lose slots as well; nothing is charged, and the slot comes free', () => {
  const story = new RolloutStory({ policy: STRICT, regions: { eu: 3 } });
  story.publish('v1');
  story.act();
  const rollout = story.rollout.release.rollout;
  story.writeSlot('eu', 0, { node: 'eu-9', rollout, attempt: '1', leaseMs: LEASE_MS });
  story.pass(LEASE_MS + 120_000);
  expect([story.phase, story.rollout.lost]).toEqual(['settled', []]);
  expect(new Set(holders(story))).toEqual(new Set([undefined]));
});

test('a new leader takes nobody for lost who could not renew while the bus was away', () => {
  const { story, dead } = withDeadNode(STRICT);
  // Ten minutes without bus and coordinator.
  story.nowMs += 600_000;
  story.restart();
  story.tick();
  expect(story.told('slot-lost')).toEqual([]);
  story.pass(LEASE_MS);
  expect([story.told('slot-lost'), holders(story).includes(dead)]).toEqual([[], true]);
  story.pass(60_000);
  expect(story.told('slot-lost').length).toBe(1);
});

test('a loss that was charged is charged and told no more by the next leader', () => {
  const { story } = withDeadNode(STRICT);
  story.held = true;
  story.pass(LEASE_MS + 60_000);
  const { lost } = story.rollout;
  story.held = false;
  story.restart();
  story.pass(LEASE_MS + 60_000);
  expect(story.rollout.lost).toEqual(lost);
  expect(story.told('slot-lost').length).toBe(1);
  story.act();
  expect(story.phase).toBe('rested');
});

test('a slot that nobody can read is held by somebody, for a day', () => {
  const story = new RolloutStory({ policy: STRICT, regions: { eu: 3 } });
  story.publish('v1');
  story.writeSlot('eu', 0, { node: 'unknown', rollout: 0, attempt: 'unknown', leaseMs: 86_400_000 });
  story.pass(86_000_000);
  expect(holders(story)).toContain('unknown');
  story.pass(600_000);
  expect(holders(story)).not.toContain('unknown');
});
