import { expect, test } from 'vitest';
import { AgentStory, LEASE_MS, ON_V1, ON_V2, V2 } from '../../../../test/support/agent-story.ts';

const SLOT = {
  kind: 'slots-read',
  entries: new Map([
    [0, { revision: 103, holder: { node: 'n1', rollout: 7, attempt: '7.update.1', leaseMs: LEASE_MS } }],
  ]),
} as const;

test('a slot that was read before the engine answered is read again: nobody could tell yet whose it is', () => {
  const agent = new AgentStory().reach('preparing').dies();
  expect(agent.tell({ kind: 'connected' }, SLOT)).toEqual([]);
  expect(agent.look(ON_V1)).toContainEqual({ kind: 'read-slots' });
  // Nothing was left to undo: the attempt has ended, and its slot goes.
  expect(agent.tell(SLOT)).toMatchObject([{ kind: 'free-slot', slot: 0, expect: 103 }]);
});

test('a slot whose attempt is taken up again is renewed at once', () => {
  const agent = new AgentStory().reach('probing').dies();
  agent.tell({ kind: 'connected' }, SLOT);
  agent.look({ ...ON_V2, swap: { progress: 'cut-over', attempt: '7.update.1', target: V2 } });
  expect(agent.phase).toBe('probing');
  expect(agent.tell(SLOT)).toMatchObject([{ kind: 'renew-slot', slot: 0, expect: 103 }]);
});
