import { expect, test } from 'vitest';
import { AgentStory, LEASE_MS } from '../../../../test/support/agent-story.ts';
import { mayStop } from './may-stop.ts';

const swapping = (): AgentStory => new AgentStory().reach('swapping');

test('I1: the old container stops as long as its slot is held', () => {
  const agent = swapping();
  expect(mayStop(agent.state, agent.nowMs + LEASE_MS - 1)).toBe(true);
  expect(mayStop(agent.state, agent.nowMs + LEASE_MS)).toBe(false);
});

test('I1: and not by one that was lost meanwhile', () => {
  const agent = swapping();
  agent.tell({ kind: 'slot-not-renewed', slot: 0, lost: true });
  expect(mayStop(agent.state, agent.nowMs)).toBe(false);
});

test('once it is out its next containers follow, and whoever commits stops what runs again', () => {
  const agent = swapping();
  agent.tell({ kind: 'swapped', left: 1 });
  expect(mayStop(agent.state, agent.nowMs + LEASE_MS)).toBe(true);
  const settling = new AgentStory().reach('settling');
  expect(mayStop(settling.state, settling.nowMs + LEASE_MS)).toBe(true);
});

test('who could not stop it goes back to it, and says so', () => {
  const agent = swapping();
  agent.after(LEASE_MS).tell({ kind: 'not-swapped', reason: 'its slot has run out', retryable: true });
  agent.tell({ kind: 'swap-undone' });
  expect(agent.said.at(-1)).toMatchObject({
    status: 'interrupted',
    reason: 'its slot was lost before the swap',
  });
});
