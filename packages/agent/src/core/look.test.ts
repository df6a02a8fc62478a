import { expect, test } from 'vitest';
import { AgentStory, LEASE_MS, newWave, ON_V1, ON_V2, SELF } from '../../../../test/support/agent-story.ts';
import { EMPTY_JOURNAL, newService } from './state.ts';
import { begin } from './step.ts';

const AGAIN = { kind: 'set-timer', timer: 'look', minMs: 45_000, maxMs: 75_000 } as const;

test('the first thing is a look at the engine, and a look at everything from time to time', () => {
  expect(begin(newService(SELF, EMPTY_JOURNAL)).effects).toEqual([{ kind: 'observe', era: 0 }, AGAIN]);
});

test.each([
  'staging',
  'queued',
  'claiming',
  'checking',
  'preparing',
  'swapping',
  'probing',
  'settling',
] as const)(
  'the look goes on while a service is %s, and leaves the engine alone while something is done to the container',
  (phase) => {
    const agent = new AgentStory().reach(phase);
    const effects = agent.fire('look');
    const isAtRest = ['staging', 'queued', 'claiming'].includes(phase);
    const reading = [{ kind: 'read-orders', asked: { wave: 10, halt: 0 } }, { kind: 'read-slots' }];
    expect(effects).toEqual([...(isAtRest ? [{ kind: 'observe', era: 0 }] : []), ...reading, AGAIN]);
  },
);

test('the look goes on without a bus, and before the engine has answered', () => {
  expect(new AgentStory().fire('look')).toEqual([{ kind: 'observe', era: 0 }, AGAIN]);
});

test('waiting for a slot never puts the look off', () => {
  const agent = new AgentStory().reach('queued');
  const holder = { node: 'n2', rollout: 7, attempt: '7.update.1', leaseMs: LEASE_MS };
  agent.readSlots();
  agent.tell({ kind: 'slot-heard', slot: 0, entry: { revision: 5, holder } });
  expect(agent.fire('claim')).toEqual([{ kind: 'set-timer', timer: 'slots', minMs: 15_000, maxMs: 45_000 }]);
});

test('an engine that does not answer is asked again', () => {
  const agent = new AgentStory();
  expect(agent.tell({ kind: 'not-observed', era: 0, reason: 'no answer' })).toEqual([
    { kind: 'set-timer', timer: 'observe', minMs: 1_000, maxMs: 5_000 },
  ]);
  expect(agent.fire('observe')).toEqual([{ kind: 'observe', era: 0 }]);
});

test('asking for the part of a swap that failed is not set off by a look that failed', () => {
  const agent = new AgentStory().reach('swapping');
  agent.tell({ kind: 'not-observed', era: 0, reason: 'no answer' });
  expect(agent.fire('observe')).toEqual([]);
});

test('what the engine showed before an attempt ended is not taken for what it shows after', () => {
  const agent = new AgentStory().reach('settling');
  agent.look(ON_V2);
  expect(agent.commit()).toContainEqual({ kind: 'observe', era: 2 });
  agent.tell(
    { kind: 'observed', era: 0, observation: ON_V1 },
    { kind: 'observed', era: 1, observation: ON_V1 },
  );
  expect({ phase: agent.phase, observation: agent.state.observation }).toEqual({ phase: 'idle' });
  agent.look(ON_V2);
  expect(agent.state.observation).toEqual(ON_V2);
});

test('a pulse that names newer orders than ours makes it read them', () => {
  const agent = new AgentStory().listen();
  expect(agent.pulse(10)).toEqual([]);
  expect(agent.pulse(11)).toEqual([{ kind: 'read-orders', asked: { wave: 10, halt: 0 } }]);
  expect(agent.pulse(10, 12)).toEqual([{ kind: 'read-orders', asked: { wave: 10, halt: 0 } }]);
});

test('after a reconnect orders and slots are read again, and nothing is believed of the slots until then', () => {
  const agent = new AgentStory().listen(newWave({ cursor: 0 }));
  agent.tell({ kind: 'slot-heard', slot: 0, entry: { revision: 5 } }, { kind: 'disconnected' });
  expect(agent.tell({ kind: 'connected' }).slice(0, 2)).toEqual([
    { kind: 'read-orders', asked: { wave: 10, halt: 0 } },
    { kind: 'read-slots' },
  ]);
  expect(agent.state.slots).toEqual(new Map());
});
