import { DEFAULT_POLICY } from '@swell/shared/domain/policy.ts';
import type { Drain, Rejoin } from '@swell/shared/domain/traffic.ts';
import { describe, expect, test } from 'vitest';
import {
  AgentStory,
  HEALTHY,
  newHalt,
  newWave,
  ON_V1,
  ON_V2,
  SICK,
} from '../../../../test/support/agent-story.ts';
import type { Phase } from './state.ts';
import { rotationOf } from './traffic.ts';

const DRAIN: Drain = { checks: 0, timeMs: 10_000, maxMs: 60_000 };
const TOLD: Drain = { ...DRAIN, checks: 2 };
const ASKED: Drain = { ...DRAIN, inFlight: { port: 80, path: '/busy' } };
const REJOIN: Rejoin = { checks: 2, maxMs: 30_000, rampMs: 0 };
const CUT_OVER = { kind: 'cut-over' };

/** An update that is about to cut over, or to wait for that. */
function prepared(drain: Drain = DRAIN, rejoin: Rejoin = DEFAULT_POLICY.rejoin): AgentStory {
  const agent = new AgentStory().reach('preparing', newWave({ drain, rejoin }));
  agent.tell({ kind: 'swap-prepared' });
  return agent;
}

/** An update whose new container is the only one. */
function committed(rejoin: Rejoin): AgentStory {
  const agent = new AgentStory().reach('settling', newWave({ rejoin }));
  agent.commit();
  return agent;
}

function rotation(agent: AgentStory) {
  return rotationOf(agent.state, agent.nowMs);
}

describe('a node leaves the rotation before its container stops', () => {
  test('whoever asks is told for as long as the policy says, and then it cuts over', () => {
    const agent = prepared();
    expect([agent.phase, rotation(agent), agent.effects]).toEqual([
      'draining',
      { is: 'draining' },
      [{ kind: 'set-timer', timer: 'drain', minMs: 10_000, maxMs: 10_000 }],
    ]);
    expect(agent.after(10_000).fire('drain')).toEqual([CUT_OVER]);
    expect([agent.phase, rotation(agent)]).toEqual(['swapping', { is: 'out', why: 'it is swapping' }]);
  });

  test('without a time it cuts over at once', () => {
    const agent = prepared(DEFAULT_POLICY.drain);
    expect([agent.phase, agent.effects]).toEqual(['swapping', [CUT_OVER]]);
  });

  test('then it is asked what is in flight, again and again until that is nothing', () => {
    const agent = prepared(ASKED);
    const question = { kind: 'count-in-flight', inFlight: ASKED.inFlight };
    expect(agent.after(10_000).fire('drain')).toEqual([question]);
    expect(agent.tell({ kind: 'in-flight-counted', count: 3 })).toMatchObject([
      { timer: 'drain', minMs: 500 },
    ]);
    expect(agent.after(500).fire('drain')).toEqual([question]);
    expect(agent.tell({ kind: 'in-flight-counted', count: 0 })).toEqual([CUT_OVER]);
  });

  test.each([
    ['who is busy for ever', { kind: 'in-flight-counted', count: 1 }],
    ['who does not answer', { kind: 'in-flight-counted' }],
  ] as const)('no longer than the policy waits: %s', (_, answer) => {
    const agent = prepared(ASKED);
    expect(agent.after(59_000).tell(answer)).toMatchObject([{ timer: 'drain' }]);
    expect(agent.after(600).tell(answer)).toEqual([CUT_OVER]);
  });

  test('where a balancer asks, the time counts from when that was told often enough', () => {
    const agent = prepared(TOLD);
    expect(agent.effects).toEqual([{ kind: 'set-timer', timer: 'drain', minMs: 60_000, maxMs: 60_000 }]);
    expect(agent.after(500).tell({ kind: 'rotation-told' })).toEqual([]);
    expect(agent.after(500).tell({ kind: 'rotation-told' })).toEqual([
      { kind: 'set-timer', timer: 'drain', minMs: 10_000, maxMs: 10_000 },
    ]);
    expect(agent.after(500).tell({ kind: 'rotation-told' })).toEqual([]);
    expect(agent.after(9_500).fire('drain')).toEqual([CUT_OVER]);
  });

  test('an agent that was frozen for longer than its time has told nobody, and waits', () => {
    const agent = prepared({ ...TOLD, inFlight: { port: 80, path: '/busy' } });
    expect(agent.after(50_000).tell({ kind: 'rotation-told' })).toEqual([]);
    expect(agent.after(8_000).tell({ kind: 'rotation-told' })).toEqual([
      { kind: 'set-timer', timer: 'drain', minMs: 2_000, maxMs: 2_000 },
    ]);
  });

  test('nobody asks for as long as the policy waits', () => {
    expect(prepared(TOLD).after(60_000).fire('drain')).toEqual([CUT_OVER]);
  });

  test.each([
    ['a halt', () => ({ kind: 'halt-heard', told: { revision: 11, order: newHalt() } }) as const],
    ['a stop', () => ({ kind: 'stop-requested' }) as const],
    ['a lost slot', () => ({ kind: 'slot-not-renewed', slot: 0, lost: true }) as const],
  ])('%s ends it there, and the container has served all the time', (_, event) => {
    const agent = prepared();
    agent.tell(event());
    expect([agent.phase, rotation(agent)]).toEqual(['reverting', { is: 'in', weightPercent: 100 }]);
    agent.tell({ kind: 'swap-undone' });
    expect(agent.said.at(-1)).toMatchObject({ status: 'interrupted' });
  });
});

describe('a node is back in rotation before its slot is freed', () => {
  test('it has told so as often as the policy says', () => {
    const agent = committed(REJOIN);
    expect([agent.phase, rotation(agent)]).toEqual(['rejoining', { is: 'in', weightPercent: 100 }]);
    expect(agent.effects).toEqual([{ kind: 'set-timer', timer: 'rejoin', minMs: 30_000, maxMs: 30_000 }]);
    agent.tell({ kind: 'rotation-told' });
    expect(agent.said.at(-1)).not.toMatchObject({ status: 'healthy' });
    expect(agent.tell({ kind: 'rotation-told' })).toContainEqual(
      expect.objectContaining({ kind: 'free-slot', slot: 0 }),
    );
    expect(agent.said.at(-1)).toMatchObject({ status: 'healthy' });
  });

  test('or nobody asks for as long as the policy waits', () => {
    const agent = committed(REJOIN);
    expect(agent.after(30_000).fire('rejoin')).toContainEqual(expect.objectContaining({ kind: 'free-slot' }));
  });

  test('where nobody is to ask, it is freed at once', () => {
    const agent = committed(DEFAULT_POLICY.rejoin);
    expect(agent.phase).toBe('idle');
  });

  test('who is told to stop waits for nobody', () => {
    const agent = committed(REJOIN);
    expect(agent.tell({ kind: 'stop-requested' })).toContainEqual(
      expect.objectContaining({ kind: 'free-slot' }),
    );
  });

  test('so is one that went back', () => {
    const agent = new AgentStory().reach('probing', newWave({ rejoin: REJOIN }));
    agent.after(100_000).probe(SICK);
    expect([agent.phase, rotation(agent)]).toEqual(['reverting', { is: 'out', why: 'it goes back' }]);
    agent.tell({ kind: 'swap-undone' });
    expect([agent.phase, rotation(agent)]).toEqual(['rejoining', { is: 'in', weightPercent: 100 }]);
    agent.tell({ kind: 'rotation-told' }, { kind: 'rotation-told' });
    expect(agent.said.at(-1)).toMatchObject({ status: 'failed' });
  });

  test('whoever dies while it waits has ended its attempt all the same', () => {
    const agent = committed(REJOIN).dies();
    agent.look(ON_V2);
    expect(agent.said.at(-1)).toMatchObject({ status: 'healthy', attempt: '7.update.1' });
  });

  test('its weight rises, and the slot does not wait for that', () => {
    const agent = committed({ checks: 0, maxMs: 0, rampMs: 60_000 });
    agent.look(ON_V2);
    expect([agent.phase, rotation(agent)]).toEqual(['idle', { is: 'in', weightPercent: 10 }]);
    expect(rotation(agent.after(30_000))).toEqual({ is: 'in', weightPercent: 55 });
    expect(rotation(agent.after(30_000))).toEqual({ is: 'in', weightPercent: 100 });
  });
});

describe('a node that has nothing to do', () => {
  test('says nothing of itself until it has looked, then it is in', () => {
    const agent = new AgentStory();
    expect(rotation(agent)).toMatchObject({ is: 'unknown', why: expect.stringContaining('has just begun') });
    agent.look(ON_V1);
    expect(rotation(agent)).toEqual({ is: 'in', weightPercent: 100 });
  });

  test.each(['stopped', 'absent'] as const)('is out while its container is %s', (state) => {
    const agent = new AgentStory();
    agent.look({ state, digests: [] });
    expect(rotation(agent)).toEqual({ is: 'out', why: `its container is ${state}` });
  });

  test.each<Phase['name']>(['staging', 'queued', 'claiming', 'checking', 'preparing'])(
    'is in while it is %s',
    (phase) => {
      expect(rotation(new AgentStory().reach(phase))).toEqual({ is: 'in', weightPercent: 100 });
    },
  );

  test.each<Phase['name']>(['swapping', 'probing', 'settling'])('is out while it is %s', (phase) => {
    expect(rotation(new AgentStory().reach(phase))).toEqual({ is: 'out', why: `it is ${phase}` });
  });

  test('stays in while the engine is looked at once more', () => {
    const agent = new AgentStory().reach('probing');
    agent.probe(HEALTHY);
    agent.commit();
    expect([agent.state.observation, rotation(agent)]).toEqual([undefined, { is: 'in', weightPercent: 100 }]);
  });
});
