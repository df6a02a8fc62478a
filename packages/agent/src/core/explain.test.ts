import { expect, test } from 'vitest';
import { AgentStory, HEALTHY, newWave, ON_V1, ON_V2, V2 } from '../../../../test/support/agent-story.ts';
import { explain } from './explain.ts';

const HOLDER = { rollout: 7, attempt: '7.update.1', leaseMs: 120_000 };
const TRAFFIC = {
  drain: { checks: 0, timeMs: 10_000, maxMs: 10_000 },
  rejoin: { checks: 2, maxMs: 30_000, rampMs: 0 },
};

function to(phase: Parameters<AgentStory['reach']>[0]): AgentStory {
  return new AgentStory().reach(phase);
}

test.each<[string, () => AgentStory]>([
  ['the engine has not answered yet', () => new AgentStory()],
  [
    'there is no wave for it',
    () => {
      const agent = new AgentStory();
      agent.look(ON_V1);
      return agent;
    },
  ],
  ['it is on v7, as it ought to be', () => new AgentStory().listen(newWave(), ON_V2)],
  [
    'its turn has not come: it stands behind the cursor',
    () => new AgentStory().listen(newWave({ cursor: 0, stageBelow: 0 })),
  ],
  ['it has to download v7', () => to('staging')],
  ['it has to download v7, and its turn has not come', () => new AgentStory().listen(newWave({ cursor: 0 }))],
  [
    'it has v7 at hand, and its turn has not come',
    () => {
      const agent = new AgentStory().listen(newWave({ cursor: 0 }));
      agent.tell({ kind: 'image-staged', digest: V2 });
      return agent;
    },
  ],
  [
    'the bus is out of reach',
    () => {
      const agent = to('queued');
      agent.tell({ kind: 'disconnected' });
      return agent;
    },
  ],
  [
    'it waits for a slot: all 1 are held, by n2',
    () => to('queued').readSlots([0, { revision: 5, holder: { ...HOLDER, node: 'n2' } }]),
  ],
  ['its turn has come', () => to('queued').readSlots()],
  ['it claims slot 0', () => to('claiming')],
  ['it has slot 0, and reads its orders once more', () => to('checking')],
  ['it is preparing in attempt 7.update.1', () => to('preparing')],
  [
    'it has waited 3s for its traffic to leave',
    () => {
      const agent = new AgentStory().reach('preparing', newWave(TRAFFIC));
      agent.tell({ kind: 'swap-prepared' });
      return agent.after(3_000);
    },
  ],
  ['it is probing in attempt 7.update.1', () => to('probing')],
  ['it is settling attempt 7.update.1', () => to('settling')],
  [
    'it is reverting attempt 7.update.1: the agent was stopped in the middle of it',
    () => {
      const agent = to('probing');
      agent.tell({ kind: 'stop-requested' });
      return agent;
    },
  ],
  [
    'it is back, and waits for a balancer to ask (1 of 2 times)',
    () => {
      const agent = new AgentStory().reach('probing', newWave({ rejoin: TRAFFIC.rejoin }));
      agent.probe(HEALTHY);
      agent.commit();
      agent.tell({ kind: 'rotation-told' });
      return agent;
    },
  ],
])('%s', (sentence, story) => {
  const agent = story();
  expect(explain(agent.state, agent.nowMs)).toBe(sentence);
});
