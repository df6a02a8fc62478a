import { describe, expect, test } from 'vitest';
import { AgentStory, newHalt, newWave } from '../../../../test/support/agent-story.ts';
import { EMPTY_JOURNAL } from './state.ts';

function story(): AgentStory {
  return new AgentStory().listen();
}

describe('orders', () => {
  test('one that is older than the newest ever seen says nothing, also after a restart (I6)', () => {
    const agent = story();
    agent.tell({ kind: 'wave-heard', told: { revision: 12, order: newWave({ slots: 2 }) } });
    const known = agent.state;
    agent.tell({ kind: 'wave-heard', told: { revision: 11, order: newWave({ slots: 3 }) } });
    expect(agent.state).toEqual(known);

    const restarted = new AgentStory(known.journal);
    restarted.tell({ kind: 'wave-heard', told: { revision: 11, order: newWave({ slots: 3 }) } });
    expect(restarted.state.wave).toBe(undefined);
    restarted.tell({ kind: 'wave-heard', told: { revision: 12, order: newWave({ slots: 2 }) } });
    expect(restarted.state.wave).toEqual({ revision: 12, order: newWave({ slots: 2 }) });
  });

  test('another one of the same revision is what stands since the bus was set back', () => {
    const agent = story();
    agent.tell({ kind: 'wave-heard', told: { revision: 10, order: newWave({ slots: 3 }) } });
    agent.tell({ kind: 'halt-heard', told: { revision: 20, order: newHalt() } });
    agent.tell({ kind: 'halt-heard', told: { revision: 20, order: newHalt(8) } });
    expect({ wave: agent.state.wave, halt: agent.state.halt }).toEqual({
      wave: { revision: 10, order: newWave({ slots: 3 }) },
      halt: { revision: 20, order: newHalt(8) },
    });
  });

  test('an answer that tells nothing new, a halt that there never was included, leaves the journal as it is', () => {
    const agent = story();
    const { journal } = agent.state;
    agent.fire('look');
    agent.read({ revision: 10, order: newWave() });
    expect(agent.state.journal).toBe(journal);
  });

  test('what was deleted is forgotten, and does not come back late', () => {
    const agent = story();
    agent.tell({ kind: 'halt-heard', told: { revision: 20, order: newHalt() } });
    agent.tell({ kind: 'halt-heard', told: { revision: 21 } });
    agent.tell({ kind: 'halt-heard', told: { revision: 20, order: newHalt() } });
    expect(agent.state.halt).toBe(undefined);
    expect(agent.state.journal.highest).toEqual({ wave: 10, halt: 21 });
  });

  test('where even the leader has gone back, nothing is obeyed until it is past what was seen', () => {
    const agent = new AgentStory({ ...EMPTY_JOURNAL, highest: { wave: 50, halt: 0 } }).listen();
    expect({ frozen: agent.state.frozen, phase: agent.phase }).toEqual({ frozen: true, phase: 'idle' });
    agent.fire('look');
    agent.read({ revision: 51, order: newWave() });
    expect({ frozen: agent.state.frozen, phase: agent.phase }).toEqual({ frozen: false, phase: 'staging' });
  });

  test('an answer that a newer order has overtaken on its way proves nothing about the bus', () => {
    const agent = story();
    agent.fire('look');
    const asked = { wave: 10, halt: 0 };
    agent.tell({ kind: 'wave-heard', told: { revision: 11, order: newWave({ slots: 2 }) } });
    agent.read({ revision: 10, order: newWave() }, { revision: 0 }, asked);
    expect(agent.state.frozen).toBe(false);
    expect(agent.state.wave).toEqual({ revision: 11, order: newWave({ slots: 2 }) });
  });
});
