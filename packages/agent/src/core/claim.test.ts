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
} from '../../../../test/support/agent-story.ts';

const ATTEMPT = {
  id: '7.update.1',
  kind: 'update',
  rollout: 7,
  digest: V2,
  health: HEALTH,
  leaseMs: LEASE_MS,
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
