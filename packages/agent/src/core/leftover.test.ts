import { describe, expect, test } from 'vitest';
import { AgentStory, ON_V1, V2 } from '../../../../test/support/agent-story.ts';
import type { Observation } from './container.ts';
import { EMPTY_JOURNAL } from './state.ts';

const UNDO = { kind: 'undo-swap' } as const;

/** The engine shows a new container of that attempt, which nobody has started. */
const prepared = (attempt: string): Observation => ({
  ...ON_V1,
  swap: { progress: 'prepared', attempt, target: V2 },
});

/** Its agent died while it was made; the next one found none, and said so. */
function interrupted(): AgentStory {
  const agent = new AgentStory().reach('preparing').dies();
  agent.look(ON_V1);
  expect(agent.said.filter(({ status }) => status === 'interrupted')).toHaveLength(1);
  return agent;
}

describe('a new container that appears after its attempt has ended', () => {
  test('goes, and nothing more is told of it', () => {
    const agent = interrupted();
    expect(agent.look(prepared('7.update.1'))).toContainEqual(UNDO);
    agent.tell({ kind: 'swap-undone' });
    expect(agent.phase).toBe('idle');
    expect(agent.said.filter(({ status }) => status === 'interrupted')).toHaveLength(1);
  });

  test('is not taken up by the next life of the agent either', () => {
    const next = interrupted().dies();
    expect(next.look(prepared('7.update.1'))).toContainEqual(UNDO);
    expect(next.phase).toBe('idle');
    expect(next.state.journal.attempt).toBeUndefined();
  });

  test('is an attempt under way where the journal does not know of its end', () => {
    for (const journal of [EMPTY_JOURNAL, interrupted().state.journal]) {
      const next = new AgentStory(journal);
      next.look(prepared('7.update.2'));
      expect(next.phase).toBe('reverting');
    }
  });
});
