import { expect, test } from 'vitest';
import { AgentStory, newHalt, newWave, ON_V1, ON_V2, V1, V2 } from '../../../../test/support/agent-story.ts';
import { presenceOf } from './presence.ts';

function shown(agent: AgentStory): unknown {
  return presenceOf(agent.state, agent.nowMs);
}

test('a node shows what runs, how far it is, and why it would not start', () => {
  const agent = new AgentStory().listen(newWave({ cursor: 0 }));
  expect(shown(agent)).toEqual({
    running: V1,
    phase: 'staging',
    ready: false,
    reason: 'it downloads the image',
  });
  agent.tell({ kind: 'image-staged', digest: V2 });
  expect(shown(agent)).toEqual({ running: V1, phase: 'staged', ready: true });
  expect(shown(agent.after(30_000))).toEqual({
    running: V1,
    phase: 'staged',
    ready: false,
    reason: 'no coordinator has stood behind the wave for 30 s',
  });
});

test('what an engine says at length is shown in short, for all services stand in one message', () => {
  const obstacle = `several containers bear its label: ${'web-1, '.repeat(9_000)}`;
  const agent = new AgentStory().listen(newWave(), { ...ON_V1, obstacle });
  const { reason } = presenceOf(agent.state, agent.nowMs) ?? {};
  expect(reason).toMatch(/^several containers bear its label: web-1, .*…$/);
  expect(reason?.length).toBe(300);
});

test('a node on the release shows its version', () => {
  const agent = new AgentStory().listen(newWave(), ON_V2);
  expect(shown(agent)).toEqual({ running: V2, version: 'v7', phase: 'idle', ready: true });
});

test.each([
  [
    'frozen',
    (agent: AgentStory) => agent.read({ revision: 1, order: newWave() }),
    'its orders went backwards: the bus was restored or created anew',
  ],
  [
    'paused',
    (agent: AgentStory) => agent.read({ revision: 11, order: newWave({ phase: 'paused' }) }),
    'rollout 7 is paused',
  ],
  [
    'halted',
    (agent: AgentStory) => agent.read({ revision: 10, order: newWave() }, { revision: 11, order: newHalt() }),
    'rollout 7 is halted',
  ],
  [
    'stopping',
    (agent: AgentStory) => agent.tell({ kind: 'image-staged', digest: V2 }, { kind: 'stop-requested' }),
    'the agent is stopping',
  ],
  ['in the way', (agent: AgentStory) => agent.look({ ...ON_V1, obstacle: 'is paused' }), 'is paused'],
])('a node that is %s says so', (_, happens, reason) => {
  const agent = new AgentStory().listen();
  happens(agent);
  expect(shown(agent)).toMatchObject({ ready: false, reason });
});

test('a node without a container of the service shows none', () => {
  expect(shown(new AgentStory().listen(newWave(), { state: 'absent', digests: [] }))).toBe(undefined);
});
