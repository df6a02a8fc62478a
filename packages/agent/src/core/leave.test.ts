import type { OperatorWord } from '@swell/shared/domain/operator-word.ts';
import { parseWindow, type TimeWindow } from '@swell/shared/domain/window.ts';
import { describe, expect, test } from 'vitest';
import {
  AgentStory,
  HEALTHY,
  newHalt,
  newWave,
  ON_V1,
  ON_V2,
  V2,
  V3,
} from '../../../../test/support/agent-story.ts';
import type { Observation } from './container.ts';
import { explain } from './explain.ts';

const CUT_OVER = { kind: 'cut-over' };
/** Open from 8 to 9; the stories begin at noon. */
const CLOSED: OperatorWord = { windows: [parseWindow('08:00-09:00') as TimeWindow] };
const MORNING = Date.parse('2026-11-20T08:59:00Z');

/** On V1 with a wave for everybody, where the operator says this in his policy file. */
function under(word: OperatorWord, observation: Observation = ON_V1): AgentStory {
  const agent = new AgentStory();
  agent.word = { ...agent.word, read: { ok: true, value: [word] } };
  return agent.listen(newWave(), observation);
}

function says(agent: AgentStory, word: OperatorWord): void {
  agent.word = { ...agent.word, read: { ok: true, value: [word] } };
}

const attemptOf = (agent: AgentStory): string => agent.state.journal.attempt?.id ?? '';
const lastSaid = (agent: AgentStory) => {
  const { status, reason } = agent.said.at(-1) ?? {};
  return { status, reason };
};

describe("the operator's word in the policy file (I12)", () => {
  test.each<[string, OperatorWord]>([
    ['its operator has opted out', { optOut: true }],
    ['its operator has frozen it', { freeze: true }],
    ['its operator has pinned it to what it runs', { pin: true }],
    ['its operator does not allow images from registry.example/web', { repositories: [] }],
    ['its operator wants v8 or newer', { minimumVersion: 'v8' }],
  ])('%s: it refuses, downloads nothing, and says why', (reason, word) => {
    const agent = under(word);
    expect([agent.phase, lastSaid(agent), explain(agent.state, agent.nowMs)]).toEqual([
      'idle',
      { status: 'refused', reason },
      reason,
    ]);
  });

  test('is read anew: what it no longer says holds nobody', () => {
    const agent = under({ freeze: true });
    says(agent, {});
    agent.fire('look');
    agent.read({ revision: 10, order: newWave() });
    expect(agent.phase).toBe('staging');
  });

  test('is asked for again with every new wave', () => {
    const agent = under({ freeze: true });
    agent.tell({ kind: 'wave-heard', told: { revision: 11, order: newWave({ slots: 2 }) } });
    says(agent, {});
    agent.read({ revision: 11, order: newWave({ slots: 2 }) });
    expect(agent.phase).toBe('staging');
  });

  test('says the same by labels on the container', () => {
    const agent = new AgentStory().listen(newWave(), {
      ...ON_V1,
      word: { ok: true, value: [{ pin: true }] },
    });
    expect(lastSaid(agent)).toMatchObject({ status: 'refused' });
  });

  test('forbids everything where it is not understood', () => {
    const agent = new AgentStory();
    agent.word = { ...agent.word, read: { ok: false, problems: ['policy.json: pin: must be true'] } };
    agent.listen();
    expect(lastSaid(agent)).toEqual({
      status: 'refused',
      reason: "its operator's policy is not understood: policy.json: pin: must be true",
    });
  });

  test('forbids the way back after a halt as well', () => {
    const agent = under({ freeze: true }, ON_V2);
    agent.tell({ kind: 'halt-heard', told: { revision: 11, order: newHalt() } });
    expect(lastSaid(agent)).toEqual({ status: 'kept', reason: 'its operator has frozen it' });
    says(agent, {});
    agent.fire('look');
    agent.read({ revision: 10, order: newWave() }, { revision: 11, order: newHalt() });
    expect(agent.phase).toBe('queued');
  });

  test('that comes after the claim gives the slot back', () => {
    const agent = new AgentStory().reach('checking');
    says(agent, { freeze: true });
    expect(agent.read({ revision: 10, order: newWave() })).toContainEqual(
      expect.objectContaining({ kind: 'free-slot', slot: 0 }),
    );
    expect(agent.state.journal.attempt).toBe(undefined);
  });

  test('that comes in the middle ends it before the container stops, as often as it comes', () => {
    const agent = new AgentStory().reach('preparing');
    says(agent, { freeze: true });
    agent.fire('look');
    agent.read({ revision: 10, order: newWave() });
    agent.tell({ kind: 'swap-prepared' });
    expect(agent.effects).toContainEqual({ kind: 'undo-swap' });
    agent.tell({ kind: 'swap-undone' });
    expect(agent.said.slice(-2).map(({ status }) => status)).toEqual(['interrupted', 'refused']);
    expect(agent.state.journal.tried.at(-1)?.update).toEqual({ begun: 1, interrupted: 0 });
  });
});

describe('a window', () => {
  test('that is closed keeps nobody from downloading', () => {
    const agent = under(CLOSED);
    expect(agent.phase).toBe('staging');
    agent.tell({ kind: 'image-staged', digest: V2 });
    expect([agent.phase, lastSaid(agent)]).toEqual([
      'idle',
      { status: 'refused', reason: "its operator's window is closed (08:00-09:00)" },
    ]);
  });

  test('that opens lets it go, by the clock on the wall', () => {
    const agent = under(CLOSED);
    agent.tell({ kind: 'image-staged', digest: V2 });
    agent.after(20 * 3_600_000 - 1).pulse(10);
    expect(agent.phase).toBe('idle');
    agent.after(1).pulse(10);
    expect([agent.phase, lastSaid(agent)]).toMatchObject(['queued', { status: 'staged' }]);
  });

  test('that closes before the slot is won gives the slot back', () => {
    const agent = new AgentStory();
    agent.word = { read: { ok: true, value: [CLOSED] }, wallMs: MORNING };
    agent.reach('checking');
    agent.after(60_000).pulse(10);
    agent.word = { ...agent.word, wallMs: MORNING + 60_000 };
    const asked = { wave: 10, halt: 0, fence: 100 };
    expect(agent.read({ revision: 10, order: newWave() }, { revision: 0 }, asked)).toContainEqual(
      expect.objectContaining({ kind: 'free-slot', slot: 0 }),
    );
  });

  test('that closes while the traffic leaves stops nothing', () => {
    const agent = new AgentStory();
    agent.word = { read: { ok: true, value: [CLOSED] }, wallMs: MORNING };
    agent.reach('preparing', newWave({ drain: { checks: 0, timeMs: 90_000, maxMs: 90_000 } }));
    agent.tell({ kind: 'swap-prepared' });
    agent.after(90_000).fire('drain');
    expect(agent.effects).toContainEqual({ kind: 'undo-swap' });
    agent.tell({ kind: 'swap-undone' });
    expect(lastSaid(agent)).toEqual({
      status: 'refused',
      reason: "its operator's window is closed (08:00-09:00)",
    });
  });
});

describe('the application', () => {
  const ASKS: Observation = { ...ON_V1, asks: { before: true, after: true } };

  function asked(): AgentStory {
    const agent = new AgentStory().listen(newWave(), ASKS);
    agent.tell({ kind: 'image-staged', digest: V2 });
    agent.begin({ revision: 10, order: newWave() });
    agent.tell({ kind: 'swap-prepared' });
    return agent;
  }

  test('that holds its lock is left alone, before anything is claimed', () => {
    const agent = new AgentStory().listen(newWave(), { ...ON_V1, locked: 'it writes its index' });
    expect([agent.phase, lastSaid(agent)]).toEqual([
      'idle',
      { status: 'refused', reason: 'it writes its index' },
    ]);
  });

  test('is asked before its container stops, and gives leave', () => {
    const agent = asked();
    expect([agent.phase, agent.effects]).toEqual([
      'asking',
      [{ kind: 'ask-leave', attempt: attemptOf(agent) }],
    ]);
    expect(agent.tell({ kind: 'leave-answered', attempt: attemptOf(agent), leave: { is: 'given' } })).toEqual(
      [CUT_OVER],
    );
  });

  test('that asks for later is asked again after a while, as often as it asks', () => {
    const agent = asked();
    for (const count of [1, 2, 3, 4]) {
      agent.tell({
        kind: 'leave-answered',
        attempt: attemptOf(agent),
        leave: { is: 'deferred', why: 'a game is on' },
      });
      agent.tell({ kind: 'swap-undone' });
      expect(agent.said.at(-2)).toMatchObject({ status: 'interrupted', reason: 'a game is on' });
      expect(lastSaid(agent)).toEqual({ status: 'refused', reason: 'a game is on' });
      agent.look(ASKS);
      agent.after(60_000).pulse(10);
      agent.fire('claim');
      agent.begin({ revision: 10, order: newWave() });
      agent.tell({ kind: 'swap-prepared' });
      expect([count, agent.phase]).toEqual([count, 'asking']);
    }
  });

  test('that answers an attempt which is over says nothing to the one after it', () => {
    const agent = asked();
    const attempt = attemptOf(agent);
    const halt = { revision: 11, order: newHalt() };
    agent.tell({ kind: 'halt-heard', told: halt }, { kind: 'swap-undone' });
    agent.look(ASKS);
    const remedy = { revision: 12, order: newWave({ rollout: 8, digest: V3 }) };
    agent.tell({ kind: 'wave-heard', told: remedy }, { kind: 'image-staged', digest: V3 });
    agent.after(10_000).pulse(12, 11);
    agent.begin(remedy, halt);
    agent.tell({ kind: 'swap-prepared' });
    agent.tell({ kind: 'leave-answered', attempt, leave: { is: 'given' } });
    expect([agent.phase, agent.effects]).toEqual(['asking', []]);
  });

  test('that vetoes is not asked again for this release', () => {
    const agent = asked();
    agent.tell({
      kind: 'leave-answered',
      attempt: attemptOf(agent),
      leave: { is: 'vetoed', why: 'the schema is too old' },
    });
    agent.tell({ kind: 'swap-undone' });
    expect(agent.said.at(-2)).toMatchObject({ status: 'interrupted', reason: 'the schema is too old' });
    expect(lastSaid(agent)).toEqual({ status: 'refused', reason: 'the schema is too old' });
    agent.look(ASKS);
    agent.after(3_600_000).pulse(10);
    expect(agent.phase).toBe('idle');
  });

  test('has the last word on whether its new container is well', () => {
    const agent = asked();
    agent.tell(
      { kind: 'leave-answered', attempt: attemptOf(agent), leave: { is: 'given' } },
      { kind: 'swapped' },
    );
    agent.probe(HEALTHY);
    expect([agent.phase, agent.effects]).toEqual(['confirming', [{ kind: 'confirm' }]]);
    agent.tell({ kind: 'not-confirmed', reason: 'dockerd does not answer' });
    expect(agent.fire('retry')).toEqual([{ kind: 'confirm' }]);
    agent.tell({ kind: 'confirmed', why: 'the smoke test ended with 1' });
    agent.tell({ kind: 'swap-undone' });
    expect(lastSaid(agent)).toEqual({ status: 'failed', reason: 'the smoke test ended with 1' });
  });

  test('is not asked on the way back after a halt', () => {
    const agent = new AgentStory().listen(newWave(), { ...ASKS, digests: [V2] });
    agent.tell({ kind: 'halt-heard', told: { revision: 11, order: newHalt() } });
    agent.begin({ revision: 10, order: newWave() }, { revision: 11, order: newHalt() });
    expect(agent.tell({ kind: 'swap-prepared' })).toEqual([CUT_OVER]);
  });

  test('that is asked when a halt comes keeps its container', () => {
    const agent = asked();
    agent.tell({ kind: 'halt-heard', told: { revision: 11, order: newHalt() } });
    expect(agent.effects).toContainEqual({ kind: 'undo-swap' });
  });
});
