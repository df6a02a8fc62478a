import { DEFAULT_POLICY } from '@swell/shared/domain/policy.ts';
import { describe, expect, test } from 'vitest';
import {
  AgentStory,
  HEALTH,
  HEALTHY,
  LEASE_MS,
  newHalt,
  newWave,
  ON_V1,
  ON_V2,
  SICK,
  V1,
  V2,
} from '../../../../test/support/agent-story.ts';
import type { Observation, SwapProgress } from './container.ts';
import { type Attempt, EMPTY_JOURNAL, type Ending } from './state.ts';

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

const UPDATE: Attempt = {
  id: '7.update.1',
  kind: 'update',
  rollout: 7,
  digest: V2,
  health: HEALTH,
  leaseMs: LEASE_MS,
  drain: DEFAULT_POLICY.drain,
  rejoin: DEFAULT_POLICY.rejoin,
};
const RETURN: Attempt = { ...UPDATE, id: '7.return.1', kind: 'return' };
const GIVEN_UP: Ending = { result: 'failed', reason: 'HTTP 500' };
const RESTARTED = 'the agent was restarted in the middle of it';
const PROBE = { kind: 'probe', probe: HEALTH.probe, timeoutMs: HEALTH.probeTimeoutMs } as const;

/** The first look of an agent that finds this journal. */
function found(attempt: Attempt | undefined, observation: Observation): AgentStory {
  const agent = new AgentStory({ ...EMPTY_JOURNAL, ...(attempt !== undefined && { attempt }) });
  agent.look(observation);
  return agent;
}

function marked(progress: SwapProgress, { id, kind }: Attempt = UPDATE): Observation {
  const isOnNew = progress !== 'prepared';
  const on = (kind === 'update') === isOnNew ? ON_V2 : ON_V1;
  return { ...on, swap: { progress, attempt: id, target: kind === 'update' ? V2 : V1 } };
}

function results(agent: AgentStory): readonly unknown[] {
  return agent.said.map(({ id, running, reason }) => [id, running, reason]);
}

describe('an agent that died before the cut-over', () => {
  test.each([UPDATE, RETURN])('undoes what was prepared, and was interrupted (%o)', (attempt) => {
    const agent = found(attempt, marked('prepared', attempt));
    expect(agent.effects).toContainEqual({ kind: 'undo-swap' });
    agent.tell({ kind: 'swap-undone' });
    expect(results(agent)).toEqual([
      [`${attempt.id}.interrupted`, attempt.kind === 'update' ? V1 : V2, RESTARTED],
    ]);
    expect({ phase: agent.phase, attempt: agent.state.journal.attempt }).toEqual({ phase: 'idle' });
  });

  test('and had given it up says what it would have said', () => {
    const agent = found({ ...UPDATE, ending: GIVEN_UP }, marked('prepared'));
    agent.tell({ kind: 'swap-undone' });
    expect(results(agent)).toEqual([['7.update.1.failed', V1, 'HTTP 500']]);
  });
});

describe('an agent that died behind the cut-over', () => {
  test('asks anew how the new container is, from the beginning', () => {
    const agent = found(UPDATE, marked('cut-over'));
    expect(agent.effects).toContainEqual({ ...PROBE, attempt: '7.update.1' });
    agent.probe(HEALTHY);
    agent.commit();
    expect(results(agent)).toEqual([['7.update.1.healthy', V2, undefined]]);
  });

  test('hears of a halt before it has an answer, and goes back', () => {
    const agent = found(UPDATE, marked('cut-over'));
    agent.tell({ kind: 'halt-heard', told: { revision: 11, order: newHalt() } });
    expect({ phase: agent.phase, effects: agent.effects.at(-1) }).toEqual({
      phase: 'reverting',
      effects: { kind: 'undo-swap' },
    });
  });

  test('on its way back finishes that way, well or not', () => {
    const agent = found(RETURN, marked('cut-over', RETURN));
    agent.after(60_000).probe(SICK);
    agent.commit();
    expect(results(agent)).toEqual([['7.return.1.returned', V1, 'not healthy within 1m: HTTP 500']]);
  });

  test('and had given it up goes on giving it up', () => {
    const agent = found({ ...UPDATE, ending: GIVEN_UP }, marked('cut-over'));
    expect(agent.effects).toContainEqual({ kind: 'undo-swap' });
    agent.tell({ kind: 'swap-undone' });
    expect(results(agent)).toEqual([['7.update.1.failed', undefined, 'HTTP 500']]);
  });
});

describe('an agent that died past the commit point', () => {
  test.each<[Attempt, string]>([
    [UPDATE, '7.update.1.healthy'],
    [RETURN, '7.return.1.returned'],
    [{ ...UPDATE, ending: GIVEN_UP }, '7.update.1.healthy'],
  ])('finishes, for there is no way back (%o)', (attempt, result) => {
    const agent = found(attempt, marked('committed', attempt));
    expect(agent.effects).toContainEqual({ kind: 'commit-swap' });
    agent.commit();
    expect(agent.said.map(({ id }) => id)).toEqual([result]);
  });
});

describe('an agent that left no marks', () => {
  test.each<[string, Attempt, Observation, unknown]>([
    ['had not begun', UPDATE, ON_V1, ['7.update.1.interrupted', V1, RESTARTED]],
    ['had not begun its way back', RETURN, ON_V2, ['7.return.1.interrupted', V2, RESTARTED]],
    ['was done', UPDATE, ON_V2, ['7.update.1.healthy', V2, undefined]],
    ['was back', RETURN, ON_V1, ['7.return.1.returned', V1, undefined]],
    ['had undone it', { ...UPDATE, ending: GIVEN_UP }, ON_V1, ['7.update.1.failed', V1, 'HTTP 500']],
    [
      'has no container any more',
      UPDATE,
      { state: 'absent', digests: [] },
      ['7.update.1.interrupted', undefined, RESTARTED],
    ],
    [
      'has none to return',
      RETURN,
      { state: 'absent', digests: [] },
      ['7.return.1.interrupted', V2, RESTARTED],
    ],
  ])('%s', (_, attempt, observation, result) => {
    const agent = found(attempt, observation);
    expect(results(agent)).toEqual([result]);
    expect(agent.effects).toContainEqual({ kind: 'observe', era: 2 });
    agent.look(observation);
    expect({ phase: agent.phase, said: agent.said.length }).toEqual({ phase: 'idle', said: 1 });
  });
});

describe('an agent that has lost its journal', () => {
  test.each<[Attempt, SwapProgress, string]>([
    [UPDATE, 'prepared', 'undo-swap'],
    [UPDATE, 'cut-over', 'probe'],
    [UPDATE, 'committed', 'commit-swap'],
    [RETURN, 'prepared', 'undo-swap'],
    [RETURN, 'cut-over', 'probe'],
    [RETURN, 'committed', 'commit-swap'],
  ])('takes up what the marks tell of (%o, %s)', (attempt, progress, effect) => {
    const agent = found(undefined, marked(progress, attempt));
    expect(agent.effects.map(({ kind }) => kind)).toContain(effect);
    expect(agent.state.journal.attempt?.id).toBe(attempt.id);
  });

  test('knows of a local image no digest, and still leaves no swap half done (I9)', () => {
    const swap = { progress: 'cut-over', attempt: '7.return.1' } as const;
    const agent = found(undefined, { state: 'running', digests: [], swap });
    agent.probe(HEALTHY);
    agent.after(10_000).probe(HEALTHY);
    agent.commit();
    expect(results(agent)).toEqual([['7.return.1.returned', undefined, undefined]]);
  });

  test('makes of a name that is none of ours a rollout that nobody has', () => {
    const agent = found(undefined, {
      ...ON_V1,
      swap: { progress: 'prepared', attempt: '-1.5.x', target: V2 },
    });
    agent.tell({ kind: 'swap-undone' });
    expect(agent.said.map(({ id, rollout }) => [id, rollout])).toEqual([['-1.5.x.interrupted', 0]]);
  });
});

test('where the marks tell of another attempt than the journal, both end, one after the other', () => {
  const agent = found(UPDATE, marked('cut-over', { ...UPDATE, id: '7.update.2' }));
  expect(results(agent)).toEqual([['7.update.1.interrupted', undefined, RESTARTED]]);
  agent.look(marked('cut-over', { ...UPDATE, id: '7.update.2' }));
  agent.probe(HEALTHY);
  agent.after(10_000).probe(HEALTHY);
  agent.commit();
  expect(agent.said.map(({ id }) => id)).toEqual(['7.update.1.interrupted', '7.update.2.healthy']);
});

test('until the engine has answered nothing is considered, whatever is heard', () => {
  const agent = new AgentStory();
  agent.tell({ kind: 'connected' });
  agent.read({ revision: 10, order: newWave() });
  agent.pulse(10);
  agent.tell({ kind: 'not-observed', era: 0, reason: 'no answer' }, { kind: 'image-staged', digest: V2 });
  expect(agent.phase).toBe('idle');
  agent.look();
  expect(agent.phase).toBe('queued');
});
