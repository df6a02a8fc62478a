import { DEFAULT_POLICY } from '@swell/shared/domain/policy.ts';
import type { SlotEntry } from '@swell/shared/domain/slot.ts';
import { describe, expect, test } from 'vitest';
import {
  AgentStory,
  HEALTH,
  LEASE_MS,
  newHalt,
  newWave,
  SELF,
  TERM,
  V1,
  V2,
  V3,
} from '../../../../test/support/agent-story.ts';

const HOLDER = { node: 'n1', rollout: 7, attempt: '7.update.1', leaseMs: LEASE_MS } as const;
const HALTED = { revision: 11, order: newHalt() };
const ATTEMPT = {
  id: '7.update.1',
  kind: 'update',
  rollout: 7,
  digest: V2,
  health: HEALTH,
  leaseMs: LEASE_MS,
  drain: DEFAULT_POLICY.drain,
  rejoin: DEFAULT_POLICY.rejoin,
} as const;

describe('the look at the orders after the claim (I2)', () => {
  test('is asked for with the claim, whose revision it carries', () => {
    const agent = new AgentStory().reach('checking');
    expect(agent.effects).toEqual([
      { kind: 'read-orders', asked: { wave: 10, halt: 0, fence: 100 } },
      { kind: 'set-timer', timer: 'renew', minMs: LEASE_MS / 3, maxMs: LEASE_MS / 3 },
    ]);
  });

  test('begins the attempt: it is in the journal with the report that tells by what it began', () => {
    const agent = new AgentStory().reach('preparing');
    expect(agent.state.journal.attempt).toEqual(ATTEMPT);
    expect(agent.said.at(-1)).toEqual({
      id: '7.update.1.updating',
      ...SELF,
      rollout: 7,
      status: 'updating',
      attempt: '7.update.1',
      warrant: { waveRevision: 10, slot: 0, fence: 100, pulseAgeMs: 0 },
      running: V1,
    });
    expect(agent.state.pulse?.term).toBe(TERM);
  });

  test('is not an answer that was asked for before the claim: it may be older than a halt', () => {
    const agent = new AgentStory().reach('claiming');
    agent.fire('look');
    agent.tell({ kind: 'slot-claimed', slot: 0, revision: 100 });
    agent.read({ revision: 10, order: newWave() }, { revision: 0 }, { wave: 10, halt: 0 });
    expect(agent.phase).toBe('checking');
    agent.tell({ kind: 'orders-not-read', asked: { wave: 10, halt: 0 }, reason: 'no answer' });
    expect(agent.phase).toBe('checking');
    const asked = { wave: 10, halt: 0, fence: 100 };
    agent.read({ revision: 10, order: newWave() }, { revision: 11, order: newHalt() }, asked);
    expect(agent.phase).toBe('idle');
    expect(agent.state.journal.attempt).toBe(undefined);
  });
});

describe('slots that a smaller wave has lost (I1)', () => {
  const THERE = { revision: 90 };
  const HELD = { revision: 101, holder: { ...HOLDER, node: 'n2' } };
  const ASKED = { wave: 10, halt: 0, fence: 100 };

  /** It has claimed slot 0 of one, and knows of a second. */
  function claimed(): AgentStory {
    const agent = new AgentStory().listen(newWave({ slots: 1 }));
    agent.tell({ kind: 'image-staged', digest: V2 });
    agent.readSlots([1, THERE]).fire('claim');
    agent.tell({ kind: 'slot-claimed', slot: 0, revision: 100 });
    return agent;
  }

  const reads = (agent: AgentStory, slots: number, beyond?: readonly (readonly [number, SlotEntry])[]) =>
    agent.tell({
      kind: 'orders-read',
      word: agent.word,
      asked: ASKED,
      wave: { revision: 11, order: newWave({ slots }) },
      halt: { revision: 0 },
      ...(beyond !== undefined && { beyond: new Map(beyond) }),
    });

  test('are read with the orders, as of the claim', () => {
    expect(claimed().effects).toContainEqual({
      kind: 'read-orders',
      asked: ASKED,
      beyond: { ours: { slot: 0, revision: 100 }, slots: [1] },
    });
  });

  test('let it begin where all of them are free', () => {
    const agent = claimed();
    reads(agent, 1, [[1, THERE]]);
    expect(agent.phase).toBe('preparing');
  });

  test.each<[string, (agent: AgentStory) => unknown]>([
    ['one of them is held', (agent) => reads(agent, 1, [[1, HELD]])],
    [
      'one of them was claimed while they were read',
      (agent) => (agent.tell({ kind: 'slot-heard', slot: 1, entry: HELD }), reads(agent, 1, [[1, THERE]])),
    ],
    ['they were not read', (agent) => reads(agent, 1)],
  ])('make it give its claim back where %s', (_, happens) => {
    const agent = claimed();
    happens(agent);
    expect({ phase: agent.phase, attempt: agent.state.journal.attempt }).toEqual({ phase: 'idle' });
  });

  test('that it lost only while its claim was on its way make it give that back too', () => {
    const agent = new AgentStory().reach('claiming');
    agent.tell({ kind: 'slot-heard', slot: 1, entry: HELD });
    agent.tell({ kind: 'slot-claimed', slot: 0, revision: 100 });
    reads(agent, 1);
    expect(agent.phase).toBe('idle');
  });
});

describe('a claim that comes to nothing', () => {
  const FREE = { kind: 'free-slot', slot: 0, expect: 100, holder: HOLDER } as const;
  const ASKED = { wave: 10, halt: 0, fence: 100 };

  test.each<[string, (agent: AgentStory) => unknown]>([
    [
      'the orders cannot be read',
      (agent) => agent.tell({ kind: 'orders-not-read', asked: ASKED, reason: '' }),
    ],
    ['the bus goes away', (agent) => agent.tell({ kind: 'disconnected' })],
    ['the rollout is halted', (agent) => agent.read({ revision: 10, order: newWave() }, HALTED)],
    ['the wave pauses', (agent) => agent.read({ revision: 11, order: newWave({ phase: 'paused' }) })],
    [
      'another release takes its place',
      (agent) => agent.read({ revision: 11, order: newWave({ rollout: 8, digest: V3 }) }),
    ],
    ['the bus went back in time', (agent) => agent.read({ revision: 9, order: newWave() })],
    ['the wave has lost this slot', (agent) => agent.read({ revision: 11, order: newWave({ slots: 0 }) })],
    ['no pulse came for 30 s', (agent) => agent.after(30_000).read({ revision: 10, order: newWave() })],
    [
      'the agent stops',
      (agent) => (
        agent.tell({ kind: 'stop-requested' }),
        agent.read({ revision: 10, order: newWave() }, undefined, ASKED)
      ),
    ],
  ])('is given back where %s', (_, happens) => {
    const agent = new AgentStory().reach('checking');
    happens(agent);
    expect(agent.effects).toContainEqual(FREE);
    expect({ phase: agent.phase, attempt: agent.state.journal.attempt }).toEqual({ phase: 'idle' });
    expect(agent.said.map(({ status }) => status)).toEqual(['staged']);
  });

  test('is not given back where the slot was lost before anything began: it is somebody else’s', () => {
    const agent = new AgentStory().reach('checking');
    expect(agent.tell({ kind: 'slot-not-renewed', slot: 0, lost: true })).toEqual([
      { kind: 'clear-timer', timer: 'renew' },
      { kind: 'observe', era: 0 },
    ]);
    expect(agent.read({ revision: 10, order: newWave() }, undefined, ASKED)).not.toContainEqual(
      expect.objectContaining({ kind: 'prepare-swap' }),
    );
  });

  test('is repeated after a rest, and by itself', () => {
    const agent = new AgentStory().reach('checking');
    agent.tell({ kind: 'orders-not-read', asked: ASKED, reason: 'no answer' });
    const looked = agent.look();
    expect({ phase: agent.phase, looked }).toEqual({
      phase: 'staged',
      looked: [{ kind: 'set-timer', timer: 'claim', minMs: 5_001, maxMs: 5_001 }],
    });
    agent.after(5_001).fire('claim');
    expect(agent.effects).toEqual([
      { kind: 'read-slots' },
      { kind: 'set-timer', timer: 'slots', minMs: 15_000, maxMs: 45_000 },
    ]);
    agent.readSlots().fire('claim');
    expect(agent.phase).toBe('claiming');
  });

  test('rests where nobody knows what became of it: a bus that refuses is not asked fifty times a second', () => {
    const agent = new AgentStory().reach('claiming');
    expect(agent.tell({ kind: 'slot-not-claimed', slot: 0 })).toEqual([
      { kind: 'read-slots' },
      { kind: 'set-timer', timer: 'claim', minMs: 5_001, maxMs: 5_001 },
    ]);
  });

  test('waits where the leader says that somebody else has the slot, and reads again by and by', () => {
    const agent = new AgentStory().reach('claiming');
    const entry = { revision: 8, holder: { ...HOLDER, node: 'n2' } };
    expect(agent.tell({ kind: 'slot-not-claimed', slot: 0, entry })).toEqual([
      { kind: 'set-timer', timer: 'slots', minMs: 15_000, maxMs: 45_000 },
    ]);
    expect(agent.fire('slots')).toEqual([
      { kind: 'read-slots' },
      { kind: 'set-timer', timer: 'slots', minMs: 15_000, maxMs: 45_000 },
    ]);
    expect(agent.tell({ kind: 'slot-heard', slot: 0, entry: { revision: 9 } })).toEqual([
      { kind: 'set-timer', timer: 'claim', minMs: 0, maxMs: 20 },
    ]);
    expect(agent.fire('claim')).toEqual([{ kind: 'claim-slot', slot: 0, expect: 9, holder: HOLDER }]);
  });

  test('takes the leader’s word on a slot even where it is older: the bucket was made anew', () => {
    const agent = new AgentStory().reach('queued');
    agent.readSlots([0, { revision: 500 }]);
    expect(agent.fire('claim')).toEqual([{ kind: 'claim-slot', slot: 0, expect: 500, holder: HOLDER }]);
    agent.tell({ kind: 'slot-not-claimed', slot: 0, entry: { revision: 0 } });
    expect(agent.fire('claim')).toEqual([{ kind: 'claim-slot', slot: 0, expect: 0, holder: HOLDER }]);
  });
});
