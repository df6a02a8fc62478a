import type { SlotEntry } from '@swell/shared/domain/slot.ts';
import { describe, expect, test } from 'vitest';
import { AgentStory, LEASE_MS, newWave, ON_V1 } from '../../../../test/support/agent-story.ts';
import { type Lease, work } from './state.ts';

const HOLDER = { node: 'n1', rollout: 7, attempt: '7.update.1', leaseMs: LEASE_MS } as const;
const RENEWED = { kind: 'slot-renewed', slot: 0, revision: 120, sentAtMs: 0, holder: HOLDER } as const;
const RENEW = { kind: 'set-timer', timer: 'renew', minMs: LEASE_MS / 3, maxMs: LEASE_MS / 3 } as const;

function leaseOf(agent: AgentStory): Lease | undefined {
  return work(agent.state.phase)?.lease;
}

function read(agent: AgentStory, ...entries: readonly (readonly [number, SlotEntry])[]) {
  return agent.tell({ kind: 'slots-read', entries: new Map(entries) });
}

describe('a lease', () => {
  test('lasts from when the claim was sent, and is renewed when a third of it is over', () => {
    const agent = new AgentStory().reach('claiming');
    const sentAtMs = agent.nowMs;
    agent.after(3_000).tell({ kind: 'slot-claimed', slot: 0, revision: 100 });
    expect(leaseOf(agent)).toEqual({ slot: 0, revision: 100, untilMs: sentAtMs + LEASE_MS });
    expect(agent.effects).toContainEqual(RENEW);
    expect(agent.fire('renew')).toEqual([{ kind: 'renew-slot', slot: 0, expect: 100, holder: HOLDER }]);
  });

  test('renewed, it lasts from when the renewal was sent', () => {
    const agent = new AgentStory().reach('probing');
    const renewal = { ...RENEWED, sentAtMs: agent.nowMs + 40_000 };
    expect(agent.after(41_000).tell(renewal)).toEqual([RENEW]);
    expect(leaseOf(agent)).toEqual({ slot: 0, revision: 120, untilMs: renewal.sentAtMs + LEASE_MS });
  });

  test('renewed while its attempt ended, it is freed by its new revision: nothing else may tell of that', () => {
    const agent = new AgentStory().reach('settling');
    agent.commit();
    expect(agent.effects).toContainEqual({ kind: 'free-slot', slot: 0, expect: 100, holder: HOLDER });
    expect(agent.tell(RENEWED)).toEqual([{ kind: 'free-slot', slot: 0, expect: 120, holder: HOLDER }]);
    const lost = new AgentStory().reach('settling');
    lost.tell({ kind: 'slot-not-renewed', slot: 0, lost: true });
    expect(lost.tell(RENEWED)).toEqual([]);
  });

  test('that nobody could renew is tried again soon; refused, it is lost, and the swap that has begun goes on', () => {
    const agent = new AgentStory().reach('probing');
    expect(agent.tell({ kind: 'slot-not-renewed', slot: 0, lost: false })).toEqual([
      { kind: 'set-timer', timer: 'renew', minMs: LEASE_MS / 12, maxMs: LEASE_MS / 6 },
    ]);
    expect(agent.tell({ kind: 'slot-not-renewed', slot: 0, lost: true })).toEqual([]);
    expect({ phase: agent.phase, lease: leaseOf(agent) }).toEqual({ phase: 'probing' });
    expect(agent.fire('renew')).toEqual([]);
  });

  test('that is lost is not freed: it may be somebody else’s by now', () => {
    const agent = new AgentStory().reach('settling');
    agent.tell({ kind: 'slot-not-renewed', slot: 0, lost: true });
    agent.commit();
    expect(agent.effects.map(({ kind }) => kind)).not.toContain('free-slot');
  });
});

describe('a slot in our name', () => {
  test('is kept as it is while its own attempt goes on, renewal under way or not', () => {
    const agent = new AgentStory().reach('preparing');
    const before = leaseOf(agent);
    expect(read(agent, [0, { revision: 120, holder: HOLDER }])).toEqual([]);
    expect(leaseOf(agent)).toEqual({ ...before, revision: 120 });
    expect(read(agent, [0, { revision: 100, holder: HOLDER }])).toEqual([]);
    expect(leaseOf(agent)).toEqual({ ...before, revision: 120 });
    agent.tell({ kind: 'swap-prepared' });
    expect(agent.phase).toBe('swapping');
  });

  test('is given back where the attempt holds another one: two claims, and the first was stored after all', () => {
    const agent = new AgentStory().reach('claiming');
    agent.tell({ kind: 'slot-not-claimed', slot: 0 });
    agent.after(6_000).tell({ kind: 'wave-heard', told: { revision: 10, order: newWave() } });
    const waves = { revision: 11, order: newWave({ slots: 2 }) };
    agent.tell({ kind: 'wave-heard', told: waves });
    agent.pulse(11);
    agent.tell({ kind: 'slot-heard', slot: 0, entry: { revision: 90, holder: { ...HOLDER, node: 'n2' } } });
    agent.begin(waves);
    expect(leaseOf(agent)?.slot).toBe(1);
    const orphan = { revision: 95, holder: HOLDER };
    expect(read(agent, [0, orphan])).toEqual([{ kind: 'free-slot', slot: 0, expect: 95, holder: HOLDER }]);
    expect(agent.tell({ kind: 'slot-heard', slot: 0, entry: { revision: 999, holder: HOLDER } })).toEqual([
      { kind: 'free-slot', slot: 0, expect: 999, holder: HOLDER },
    ]);
    expect(leaseOf(agent)?.slot).toBe(1);
  });

  test('is given back where a renewal was stored after its attempt had ended', () => {
    const agent = new AgentStory().reach('settling');
    agent.commit();
    expect(agent.effects).toContainEqual({ kind: 'free-slot', slot: 0, expect: 100, holder: HOLDER });
    expect(agent.tell({ kind: 'slot-heard', slot: 0, entry: { revision: 120, holder: HOLDER } })).toEqual([
      { kind: 'free-slot', slot: 0, expect: 120, holder: HOLDER },
    ]);
  });

  test('is nobody’s to judge before the engine has told what is under way, and is looked for then', () => {
    const dead = new AgentStory().reach('probing');
    const agent = dead.dies();
    agent.tell({ kind: 'connected' });
    expect(read(agent, [0, { revision: 100, holder: HOLDER }])).toEqual([]);
    const swap = { progress: 'cut-over', attempt: '7.update.1' } as const;
    expect(agent.look({ ...ON_V1, swap })).toContainEqual({ kind: 'read-slots' });
    expect(read(agent, [0, { revision: 100, holder: HOLDER }])).toEqual([
      { kind: 'renew-slot', slot: 0, expect: 100, holder: HOLDER },
    ]);
    expect(leaseOf(agent)).toEqual({ slot: 0, revision: 100, untilMs: agent.nowMs });
  });

  test('of an older revision than the slot has by now is nothing to give back', () => {
    const agent = new AgentStory().reach('queued');
    agent.tell({ kind: 'slot-heard', slot: 0, entry: { revision: 101 } });
    expect(read(agent, [0, { revision: 100, holder: HOLDER }])).not.toContainEqual(
      expect.objectContaining({ kind: 'free-slot' }),
    );
  });

  test.each(['staging', 'queued', 'checking', 'probing'] as const)(
    'is another matter than one in somebody else’s, which is left alone (%s)',
    (phase) => {
      const agent = new AgentStory().reach(phase);
      const entry = { revision: 300, holder: { ...HOLDER, node: 'n2' } };
      read(agent, [0, entry], [1, { revision: 0 }]);
      expect(agent.effects.map(({ kind }) => kind)).not.toContain('free-slot');
    },
  );
});
