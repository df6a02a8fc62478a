import { describe, expect, test } from 'vitest';
import { AgentStory, newHalt, V1, V2 } from '../../../../test/support/agent-story.ts';

const RETRIES = [{ kind: 'set-timer', timer: 'retry', minMs: 1_000, maxMs: 4_000 }];
const NOT_COMMITTED = { kind: 'swap-not-committed', reason: 'removal is in progress' } as const;
const NOT_UNDONE = { kind: 'swap-not-undone', reason: 'port is already allocated' } as const;

const stuck = (agent: AgentStory) => agent.said.filter(({ status }) => status === 'stuck');

describe('an end that the engine cannot bring about', () => {
  test('is told once it has been tried for a minute, with what runs, and is tried on', () => {
    const agent = new AgentStory().reach('settling');
    agent.tell(NOT_COMMITTED);
    agent.after(59_999).tell(NOT_COMMITTED);
    expect(stuck(agent)).toEqual([]);
    expect(agent.after(1).tell(NOT_COMMITTED)).toEqual(RETRIES);
    expect(stuck(agent)).toMatchObject([
      {
        id: '7.update.1.stuck',
        rollout: 7,
        attempt: '7.update.1',
        running: V2,
        reason: 'the new container is well, and the old one cannot be taken away: removal is in progress',
      },
    ]);
    expect(agent.fire('retry')).toEqual([{ kind: 'commit-swap' }]);
  });

  test('of a way back says so', () => {
    const agent = new AgentStory().reach('probing');
    agent.tell({ kind: 'halt-heard', told: { revision: 11, order: newHalt() } }, NOT_UNDONE);
    agent.after(60_000).tell(NOT_UNDONE);
    expect(stuck(agent)).toMatchObject([
      { reason: 'the way back to the old container does not succeed: port is already allocated' },
    ]);
  });

  test('is told no second time, not by the next life of the agent either', () => {
    const agent = new AgentStory().reach('settling');
    agent.tell(NOT_COMMITTED);
    agent.after(60_000).tell(NOT_COMMITTED, NOT_COMMITTED);
    agent.after(600_000).tell(NOT_COMMITTED);
    expect(stuck(agent)).toHaveLength(1);
    const next = agent.dies();
    const swap = { progress: 'committed', attempt: '7.update.1', target: V2 } as const;
    next.look({ state: 'running', digests: [V2], lastGood: { digest: V1 }, swap });
    next.tell(NOT_COMMITTED);
    next.after(60_000).tell(NOT_COMMITTED);
    expect(next.phase).toBe('settling');
    expect(stuck(next)).toHaveLength(1);
  });

  test('has its one result all the same, once it comes about', () => {
    const agent = new AgentStory().reach('settling');
    agent.tell(NOT_COMMITTED);
    agent.after(60_000).tell(NOT_COMMITTED);
    agent.commit();
    expect(agent.said.slice(-2).map(({ status }) => status)).toEqual(['stuck', 'healthy']);
  });
});
