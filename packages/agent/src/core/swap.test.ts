import { describe, expect, test } from 'vitest';
import {
  AgentStory,
  HEALTH,
  HEALTHY,
  image,
  newHalt,
  newWave,
  ON_V1,
  ON_V2,
  SICK,
  V1,
  V2,
  V3,
} from '../../../../test/support/agent-story.ts';
import type { AgentEvent } from './events.ts';

const ORDER = {
  service: 'web',
  attempt: '7.update.1',
  target: { kind: 'release', image: image(V2) },
  lastGood: 'running',
} as const;

const SUPERSEDED = newWave({ rollout: 8, digest: V3 });

describe('probing', () => {
  test('judges by its own probes: an answer to an earlier attempt says nothing', () => {
    const agent = new AgentStory().reach('probing');
    expect(agent.effects).toContainEqual({
      kind: 'probe',
      attempt: '7.update.1',
      probe: HEALTH.probe,
      timeoutMs: HEALTH.probeTimeoutMs,
    });
    agent.tell({ kind: 'probed', attempt: '6.update.1', outcome: HEALTHY });
    expect(agent.phase).toBe('probing');
    agent.probe(HEALTHY);
    expect(agent.phase).toBe('settling');
  });
});

describe('preparing', () => {
  test('asks again for what it asked for first, whatever has been released or taken back meanwhile', () => {
    const agent = new AgentStory().reach('preparing');
    expect(agent.effects).toContainEqual({ kind: 'prepare-swap', order: ORDER });
    const retry = { kind: 'swap-not-prepared', reason: 'no answer', retryable: true } as const;
    agent.tell({ kind: 'wave-heard', told: { revision: 11, order: SUPERSEDED } }, retry);
    expect(agent.fire('retry')).toEqual([{ kind: 'prepare-swap', order: ORDER }]);
    agent.tell({ kind: 'wave-heard', told: { revision: 12 } }, retry);
    expect(agent.fire('retry')).toEqual([{ kind: 'prepare-swap', order: ORDER }]);
  });
});

describe('several containers of the service', () => {
  const goOver = (left: number) => ({ kind: 'cut-over', left });

  /** The first has gone over, and so many are left. */
  const reach = (left: number): AgentStory => {
    const agent = new AgentStory().reach('swapping');
    agent.tell({ kind: 'swapped', left });
    return agent;
  };

  test('go over one after the other, each when the one before it is well', () => {
    const agent = reach(2);
    expect(agent.phase).toBe('probing');
    expect(agent.probe(HEALTHY)).toContainEqual(goOver(1));
    expect(agent.phase).toBe('swapping');
    agent.tell({ kind: 'swapped', left: 1 });
    expect(agent.probe(HEALTHY)).toContainEqual(goOver(0));
    agent.tell({ kind: 'swapped' });
    expect(agent.probe(HEALTHY)).toContainEqual({ kind: 'commit-swap' });
  });

  test('are asked for again with the same word, where nobody knows what came of it', () => {
    const agent = reach(1);
    agent.probe(HEALTHY);
    agent.tell(NOT_SWAPPED);
    expect(agent.fire('retry')).toEqual([goOver(0)]);
  });

  test('all go back where one of them is not well', () => {
    const agent = reach(1);
    agent.probe(HEALTHY);
    agent.tell({ kind: 'swapped' });
    expect(agent.probe({ ...SICK, ended: true })).toContainEqual(UNDO);
  });

  test('all go back with a halt, and go on without the slot: the node is out already', () => {
    const over = reach(1);
    over.probe(HEALTHY);
    expect(over.tell(HALTED, { kind: 'swapped' })).toContainEqual(UNDO);
    const slotless = reach(1);
    slotless.probe(HEALTHY);
    slotless.tell(LOST, NOT_SWAPPED);
    expect(slotless.fire('retry')).toEqual([goOver(0)]);
    const between = reach(1);
    between.probe(HEALTHY);
    expect(between.tell(HALTED, NOT_SWAPPED)).toContainEqual(UNDO);
  });
});

const HALTED: AgentEvent = { kind: 'halt-heard', told: { revision: 11, order: newHalt() } };
const HALTED_HERE: AgentEvent = {
  kind: 'wave-heard',
  told: { revision: 12, order: newWave({ phase: 'halted', scope: 'europe', halt: newHalt() }) },
};
const LOST: AgentEvent = { kind: 'slot-not-renewed', slot: 0, lost: true };
const STOP: AgentEvent = { kind: 'stop-requested' };
const NOT_PREPARED: AgentEvent = { kind: 'swap-not-prepared', reason: 'no answer', retryable: true };
const NOT_SWAPPED: AgentEvent = { kind: 'not-swapped', reason: 'no answer', retryable: true };
const UNDO = { kind: 'undo-swap' } as const;

function result(agent: AgentStory): unknown {
  const { status, running, reason } = agent.said.at(-1) ?? {};
  return { status, running, reason };
}

describe.each([
  ['a halt', HALTED, 'the rollout was halted before the swap'],
  ['a halt in the wave of a scope', HALTED_HERE, 'the rollout was halted before the swap'],
  ['a lost slot', LOST, 'its slot was lost before the swap'],
  ['a stop', STOP, 'the agent is stopping'],
])('%s', (_, event, reason) => {
  const interrupted = { status: 'interrupted', running: V1, reason };

  test.each<[string, (agent: AgentStory) => unknown]>([
    ['with the answer', (agent) => agent.tell(event, { kind: 'swap-prepared' })],
    ['with the refusal', (agent) => agent.tell(event, NOT_PREPARED)],
    ['before it is asked again', (agent) => (agent.tell(NOT_PREPARED, event), agent.fire('retry'))],
  ])('while it prepares ends it %s', (__, happens) => {
    const agent = new AgentStory().reach('preparing');
    happens(agent);
    expect(agent.effects).toContainEqual(UNDO);
    agent.tell({ kind: 'swap-undone' });
    expect(result(agent)).toEqual(interrupted);
  });

  test.each<[string, (agent: AgentStory) => unknown]>([
    ['with the refusal', (agent) => agent.tell(event, NOT_SWAPPED)],
    ['before it is asked again', (agent) => (agent.tell(NOT_SWAPPED, event), agent.fire('retry'))],
  ])('while the engine cannot cut over ends it %s', (__, happens) => {
    const agent = new AgentStory().reach('swapping');
    happens(agent);
    expect(agent.effects).toContainEqual(UNDO);
    agent.tell({ kind: 'swap-undone' });
    expect(result(agent)).toEqual(interrupted);
  });
});

describe('in the middle', () => {
  test.each<[string, AgentEvent, string, string]>([
    ['halt', HALTED, 'returned', 'the rollout was halted in the middle of it'],
    ['stop', STOP, 'interrupted', 'the agent was stopped in the middle of it'],
  ])('a %s turns an update round, at once or with the answer', (_, event, status, reason) => {
    for (const phase of ['swapping', 'probing'] as const) {
      const agent = new AgentStory().reach(phase);
      agent.tell(event);
      if (phase === 'swapping') agent.tell({ kind: 'swapped' });
      expect({ phase: agent.phase, effects: agent.effects }).toEqual({
        phase: 'reverting',
        effects: [{ kind: 'clear-timer', timer: 'probe' }, UNDO],
      });
      agent.tell({ kind: 'swap-undone' });
      expect(result(agent)).toEqual({ status, running: V1, reason });
    }
  });

  test('why it is given up is in the journal before anything is done about it', () => {
    const agent = new AgentStory().reach('probing');
    agent.tell(HALTED);
    const ending = { result: 'returned', reason: 'the rollout was halted in the middle of it' };
    expect(agent.state.journal.attempt).toMatchObject({ id: '7.update.1', ending });
    expect(agent.state.phase).toMatchObject({ name: 'reverting', ending });
  });

  test('neither a lost slot nor a lost bus turns anything round', () => {
    const agent = new AgentStory().reach('probing');
    agent.tell(LOST, { kind: 'disconnected' });
    agent.probe(HEALTHY);
    agent.commit();
    expect(result(agent)).toEqual({ status: 'healthy', running: V2, reason: undefined });
  });

  test('another container that was put in its place is not what was updated, however well it is', () => {
    const agent = new AgentStory().reach('settling');
    agent.tell({ kind: 'swap-committed', digests: [V3] });
    expect(result(agent)).toEqual({
      status: 'interrupted',
      running: V3,
      reason: 'another container was put in its place',
    });
  });

  test.each(['paused', 'aborted', 'staging'] as const)(
    'a wave that is %s lets who has begun end it',
    (phase) => {
      const agent = new AgentStory().reach('preparing');
      agent.tell({ kind: 'wave-heard', told: { revision: 11, order: newWave({ phase }) } });
      agent.tell({ kind: 'swap-prepared' }, { kind: 'swapped' });
      agent.probe(HEALTHY);
      agent.commit();
      expect(result(agent)).toEqual({ status: 'healthy', running: V2, reason: undefined });
    },
  );
});

describe('the engine says no', () => {
  test('to what cannot be carried over: it is not asked again, and the coordinator hears that nothing will come', () => {
    const agent = new AgentStory().reach('preparing');
    agent.tell(
      { kind: 'swap-not-prepared', reason: 'it has two of them', retryable: false },
      { kind: 'swap-undone' },
    );
    expect(agent.said.slice(-2).map(({ id, reason }) => [id, reason])).toEqual([
      ['7.update.1.interrupted', 'it has two of them'],
      ['7.3.refused', 'it has two of them'],
    ]);
    agent.after(20_000).look(ON_V1);
    expect({ phase: agent.phase, effects: agent.effects }).toEqual({ phase: 'idle', effects: [] });
  });

  test('since the image was pruned: it is brought here once more', () => {
    const agent = new AgentStory().reach('preparing');
    agent.tell({ kind: 'swap-not-prepared', reason: 'gone', retryable: false, imageIsGone: true });
    agent.tell({ kind: 'swap-undone' });
    expect(result(agent)).toEqual({ status: 'interrupted', running: V1, reason: 'gone' });
    agent.look(ON_V1);
    expect({ phase: agent.phase, effects: agent.effects }).toEqual({
      phase: 'staging',
      effects: [{ kind: 'set-timer', timer: 'stage', minMs: 0, maxMs: 0 }],
    });
  });

  test('since the disk is full: somebody else has the slot, and it is tried again however long that lasts', () => {
    const agent = new AgentStory().reach('preparing');
    for (const count of [1, 2, 3, 4]) {
      agent.tell({ kind: 'swap-not-prepared', reason: 'full', retryable: true, lacksRoom: true });
      const effects = agent.tell({ kind: 'swap-undone' });
      expect([count, effects]).toEqual([
        count,
        expect.arrayContaining([expect.objectContaining({ kind: 'free-slot' })]),
      ]);
      expect(agent.said.slice(-2).map(({ status, reason }) => [status, reason])).toEqual([
        ['interrupted', 'full'],
        ['refused', 'full'],
      ]);
      agent.look(ON_V1);
      agent.after(60_000).pulse(10);
      agent.fire('claim');
      agent.begin({ revision: 10, order: newWave() });
    }
  });

  test('to a way back before anything stopped: the node stays, and says so, once', () => {
    const agent = halted();
    agent.tell(
      { kind: 'swap-not-prepared', reason: 'it is paused', retryable: false },
      { kind: 'swap-undone' },
    );
    expect(result(agent)).toEqual({ status: 'kept', running: V2, reason: 'it is paused' });
    expect(agent.look(ON_V2)).toEqual([{ kind: 'clean-images' }]);
  });

  test('to a new container: the update has failed', () => {
    const agent = new AgentStory().reach('swapping');
    agent.tell(
      { kind: 'not-swapped', reason: 'exec format error', retryable: false },
      { kind: 'swap-undone' },
    );
    expect(result(agent)).toEqual({ status: 'failed', running: V1, reason: 'exec format error' });
  });

  test('to a new container that somebody took away: that tells nothing of the release', () => {
    const agent = new AgentStory().reach('swapping');
    agent.tell(
      { kind: 'not-swapped', reason: 'it was removed', retryable: false, isGone: true },
      { kind: 'swap-undone' },
    );
    expect(result(agent)).toEqual({ status: 'interrupted', running: V1, reason: 'it was removed' });
  });

  test('to the last good container: the way back is tried again later', () => {
    const agent = halted();
    agent.tell({ kind: 'swap-prepared' }, { kind: 'not-swapped', reason: 'port in use', retryable: false });
    agent.tell({ kind: 'swap-undone' });
    expect(result(agent)).toEqual({ status: 'interrupted', running: V2, reason: 'port in use' });
  });

  test.each(['settling', 'reverting'] as const)('while %s: it is asked until it can', (phase) => {
    const isSettling = phase === 'settling';
    const agent = new AgentStory().reach(isSettling ? 'settling' : 'probing');
    if (!isSettling) agent.tell(HALTED);
    agent.tell(
      isSettling
        ? { kind: 'swap-not-committed', reason: 'no answer' }
        : { kind: 'swap-not-undone', reason: 'no answer' },
    );
    expect(agent.effects).toEqual([{ kind: 'set-timer', timer: 'retry', minMs: 1_000, maxMs: 4_000 }]);
    expect(agent.fire('retry')).toEqual([{ kind: isSettling ? 'commit-swap' : 'undo-swap' }]);
    expect(agent.state.journal.attempt?.id).toBe('7.update.1');
  });
});

/** On V2, which is halted: the way back is being prepared. */
function halted(): AgentStory {
  const wave = { revision: 10, order: newWave({ phase: 'halted' }) };
  const halt = { revision: 11, order: newHalt() };
  const agent = new AgentStory();
  agent.look(ON_V2);
  agent.tell({ kind: 'connected' });
  agent.read(wave, halt);
  agent.pulse(10, 11);
  return agent.begin(wave, halt);
}

describe('a probe', () => {
  const health = { ...HEALTH, intervalMs: 2_000, minHealthyTimeMs: 10_000, healthyDeadlineMs: 60_000 };

  function probing(): AgentStory {
    const wave = newWave({ health });
    const agent = new AgentStory().listen(wave);
    agent.tell({ kind: 'image-staged', digest: V2 });
    agent.begin({ revision: 10, order: wave });
    agent.tell({ kind: 'swap-prepared' }, { kind: 'swapped' });
    return agent;
  }

  function next(ms: number) {
    return [{ kind: 'set-timer', timer: 'probe', minMs: ms, maxMs: ms }];
  }

  test('must find it healthy without a break for the time asked', () => {
    const agent = probing();
    expect(agent.probe(HEALTHY)).toEqual(next(2_000));
    agent.after(9_000);
    expect(agent.probe(HEALTHY)).toEqual(next(1_000));
    expect(agent.after(500).probe(SICK)).toEqual(next(2_000));
    expect(agent.after(2_000).probe(HEALTHY)).toEqual(next(2_000));
    agent.after(9_999).probe(HEALTHY);
    expect(agent.phase).toBe('probing');
    agent.after(1).probe(HEALTHY);
    expect(agent.phase).toBe('settling');
  });

  test('is repeated by its timer', () => {
    const agent = probing();
    agent.probe(SICK);
    expect(agent.fire('probe')).toMatchObject([{ kind: 'probe', attempt: '7.update.1' }]);
  });

  test('that would come after the deadline is the last', () => {
    const agent = probing();
    agent.after(58_000).probe(SICK);
    expect(agent.phase).toBe('probing');
    agent.after(1).probe(SICK);
    agent.tell({ kind: 'swap-undone' });
    expect(result(agent)).toEqual({
      status: 'failed',
      running: V1,
      reason: 'not healthy within 1m: HTTP 500',
    });
  });

  test('that finds dockerd gone back to the old container says nothing of the release: it is tried again', () => {
    const agent = probing();
    agent.probe({ healthy: false, seen: 'exit code 137', ended: true, wentBack: true });
    agent.tell({ kind: 'swap-undone' });
    expect(result(agent)).toEqual({
      status: 'interrupted',
      running: V1,
      reason: 'the old container runs again: exit code 137',
    });
  });

  test('that finds its container taken away says nothing of the release, whoever took it', () => {
    const agent = probing();
    agent.probe({ healthy: false, seen: 'there is no container', gone: true });
    agent.tell({ kind: 'swap-undone' });
    expect(result(agent)).toEqual({
      status: 'interrupted',
      running: V1,
      reason: 'the new container was taken away: there is no container',
    });
  });

  test('that dockerd did not answer says nothing: the time to get well begins once it does', () => {
    const agent = probing();
    agent.probe(HEALTHY);
    agent.after(59_000).probe({ healthy: false, seen: 'dockerd does not answer', unasked: true });
    expect(agent.phase).toBe('probing');
    agent.after(58_000).probe(SICK);
    expect(agent.phase).toBe('probing');
    agent.after(1).probe(SICK);
    expect(agent.phase).toBe('reverting');
  });

  test('that finds it ended does not wait for the deadline', () => {
    const agent = probing();
    agent.probe({ healthy: false, seen: 'exit code 1', ended: true });
    agent.tell({ kind: 'swap-undone' });
    expect(result(agent)).toEqual({
      status: 'failed',
      running: V1,
      reason: 'its container ended: exit code 1',
    });
  });
});
