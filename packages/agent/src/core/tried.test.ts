import { describe, expect, test } from 'vitest';
import {
  AgentStory,
  HEALTHY,
  newHalt,
  newWave,
  ON_V1,
  ON_V2,
  SELF,
  SICK,
  V2,
  V3,
} from '../../../../test/support/agent-story.ts';
import type { AgentEvent } from './events.ts';
import { EMPTY_JOURNAL, newService, type Tried, withJournal } from './state.ts';
import { mayTryAgain, nextId, triedOf, withBegun, withEnd } from './tried.ts';

const OUT_OF_REACH: AgentEvent = { kind: 'swap-not-prepared', reason: 'no answer', retryable: true };
const NOT_YET = { begun: 0, interrupted: 0 };

/** An attempt that is cut off before anything has stopped. */
function cutOff(agent: AgentStory, observation = ON_V1): void {
  agent.tell({ kind: 'slot-not-renewed', slot: 0, lost: true }, OUT_OF_REACH, { kind: 'swap-undone' });
  agent.look(observation);
  agent.after(11_000).pulse(agent.state.journal.highest.wave, agent.state.journal.highest.halt);
}

function results(agent: AgentStory): readonly string[] {
  const { said } = agent;
  return said.filter(({ status }) => status !== 'staged').map(({ id }) => id);
}

describe('attempts', () => {
  test('that are cut off three times have failed, and the rollout is not tried again', () => {
    const agent = new AgentStory().reach('preparing');
    cutOff(agent);
    agent.begin({ revision: 10, order: newWave() });
    cutOff(agent);
    agent.begin({ revision: 10, order: newWave() });
    cutOff(agent);
    expect(results(agent)).toEqual([
      '7.update.1.updating',
      '7.update.1.interrupted',
      '7.update.2.updating',
      '7.update.2.interrupted',
      '7.update.3.updating',
      '7.update.3.failed',
    ]);
    expect({ phase: agent.phase, effects: agent.effects }).toEqual({ phase: 'idle', effects: [] });
  });

  test('to return are counted by themselves: cut-off updates leave them all their chances', () => {
    const agent = new AgentStory().reach('preparing');
    cutOff(agent);
    agent.begin({ revision: 10, order: newWave() });
    cutOff(agent);
    agent.begin({ revision: 10, order: newWave() });
    agent.tell({ kind: 'swap-prepared' }, { kind: 'swapped' });
    agent.probe(HEALTHY);
    agent.commit();
    agent.look(ON_V2);
    const halted = { revision: 11, order: newWave({ phase: 'halted' }) };
    const halt = { revision: 12, order: newHalt() };
    agent.fire('look');
    agent.read(halted, halt);
    agent.pulse(11, 12);
    agent.begin(halted, halt);
    cutOff(agent, ON_V2);
    expect(results(agent).slice(-2)).toEqual(['7.return.1.returning', '7.return.1.interrupted']);
    agent.begin(halted, halt);
    expect(results(agent).at(-1)).toEqual('7.return.2.returning');
  });

  test('at a rollout that failed here are not repeated when the fleet settles on it again', () => {
    const agent = new AgentStory().reach('probing');
    agent.after(60_000).probe(SICK);
    agent.tell({ kind: 'swap-undone' });
    agent.look(ON_V1);
    agent.fire('look');
    agent.read({ revision: 11, order: newWave({ rollout: 8, digest: V3 }) });
    agent.pulse(11);
    agent.tell({ kind: 'image-staged', digest: V3 });
    agent.begin({ revision: 11, order: newWave({ rollout: 8, digest: V3 }) });
    agent.tell({ kind: 'halt-heard', told: { revision: 12, order: newHalt(8, V3) } });
    agent.tell({ kind: 'swap-prepared' }, { kind: 'swap-undone' });
    agent.look(ON_V1);
    agent.fire('look');
    agent.read(
      { revision: 13, order: newWave({ phase: 'settled' }) },
      { revision: 12, order: newHalt(8, V3) },
    );
    expect({ phase: agent.phase, staged: agent.state.staged }).toEqual({ phase: 'idle', staged: V3 });
  });
});

describe('what was tried', () => {
  const { health, drain, rejoin } = newWave();
  const ATTEMPT = { kind: 'update', digest: V2, leaseMs: 1, health, drain, rejoin } as const;
  const state = newService(SELF, EMPTY_JOURNAL);

  test('is remembered of the last 64 rollouts', () => {
    const all = Array.from({ length: 68 }, (_, rollout) => ({
      ...ATTEMPT,
      rollout,
      id: `${rollout}.update.1`,
    }));
    const known = all.reduce((one, attempt) => withEnd(withBegun(one, attempt), attempt, 'failed'), state);
    expect(known.journal.tried.map(({ rollout }) => rollout)).toEqual(
      Array.from({ length: 64 }, (_, n) => n + 4),
    );
    const tried: Tried = {
      rollout: 4,
      update: { begun: 1, interrupted: 0, ended: 'failed' },
      return: NOT_YET,
    };
    expect(triedOf(known, 4)).toEqual(tried);
    expect(triedOf(known, 3)).toEqual({ rollout: 3, update: NOT_YET, return: NOT_YET });
  });

  test('I8: a rollout that was forgotten and comes back gives no attempt a name of old', () => {
    const all = Array.from({ length: 70 }, (_, rollout) => ({
      ...ATTEMPT,
      rollout,
      id: `${rollout}.update.2`,
    }));
    const known = all.reduce((one, attempt) => withEnd(withBegun(one, attempt), attempt, 'healthy'), state);
    expect(triedOf(known, 3).update).toEqual(NOT_YET);
    expect([nextId(known, 3, 'update'), nextId(known, 3, 'return')]).toEqual(['3.update.3', '3.return.3']);
    const again = { ...ATTEMPT, rollout: 3, id: '3.update.3' };
    expect(nextId(withBegun(known, again), 3, 'update')).toBe('3.update.4');
  });

  test('is told by the name on the container where the journal was lost', () => {
    const known = withBegun(state, { ...ATTEMPT, rollout: 7, id: '7.update.3' });
    expect(nextId(known, 7, 'update')).toBe('7.update.4');
    expect(nextId(known, 7, 'return')).toBe('7.return.1');
    expect(nextId(withBegun(state, { ...ATTEMPT, rollout: 0, id: 'by hand' }), 0, 'update')).toBe(
      '0.update.2',
    );
  });

  test('names attempts by the mark of its journal, so that one that replaces a lost one uses no name again', () => {
    const marked = withJournal(state, { mark: 'k3f9a0-' });
    expect(nextId(marked, 7, 'update')).toBe('7.update.k3f9a0-1');
    const known = withBegun(marked, { ...ATTEMPT, rollout: 7, id: '7.update.zzzzzz-2' });
    expect(nextId(known, 7, 'update')).toBe('7.update.k3f9a0-3');
  });

  test('B14: lets a release that failed here be tried once more for each word that says so, and no other one', () => {
    const attempt = { ...ATTEMPT, rollout: 7, id: '7.update.1' };
    const { release } = newWave();
    const failed = withEnd(withBegun(state, attempt), attempt, 'failed');
    expect([undefined, 1, 2].map((retry) => mayTryAgain(failed, told(retry)))).toEqual([false, true, true]);
    const second = { ...attempt, id: '7.update.2', retry: 1 };
    const again = withEnd(withBegun(failed, second), second, 'failed');
    expect([undefined, 1, 2].map((retry) => mayTryAgain(again, told(retry)))).toEqual([false, false, true]);
    for (const ended of ['interrupted', 'returned', 'healthy'] as const)
      expect(mayTryAgain(withEnd(state, attempt, ended), told(1))).toBe(false);

    function told(retry: number | undefined) {
      return { ...release, ...(retry !== undefined && { retry }) };
    }
  });

  test('says nothing of other rollouts', () => {
    const known = withBegun(state, { ...ATTEMPT, rollout: 7, id: '7.update.1' });
    expect(nextId(known, 8, 'update')).toBe('8.update.1');
  });
});
