import { describe, expect, test } from 'vitest';
import { AgentStory, newWave, ON_V2, SELF, V2 } from '../../../../test/support/agent-story.ts';
import { say } from './say.ts';
import { EMPTY_JOURNAL, newService, type ServiceState } from './state.ts';

function sent(agent: AgentStory): readonly string[] {
  return agent.effects.flatMap((effect) => (effect.kind === 'send-report' ? [effect.report.id] : []));
}

describe('reports', () => {
  test('go one after the other, each until it is stored', () => {
    const agent = new AgentStory().reach('preparing');
    expect(agent.said.map(({ id }) => id)).toEqual(['7.0.staged', '7.update.1.updating']);
    expect(agent.tell({ kind: 'report-not-stored', id: '7.0.staged' })).toEqual([
      { kind: 'set-timer', timer: 'resend', minMs: 1_000, maxMs: 5_000 },
    ]);
    agent.fire('resend');
    expect(sent(agent)).toEqual(['7.0.staged']);
    agent.tell({ kind: 'report-stored', id: '7.0.staged' });
    expect(sent(agent)).toEqual(['7.update.1.updating']);
    agent.tell({ kind: 'report-stored', id: '7.update.1.updating' });
    expect({ sent: sent(agent), said: agent.said }).toEqual({ sent: [], said: [] });
  });

  test('wait for the bus, and go again when it is back', () => {
    const agent = new AgentStory().reach('queued');
    agent.tell({ kind: 'disconnected' });
    expect(sent(agent)).toEqual([]);
    agent.tell({ kind: 'connected' });
    expect(sent(agent)).toEqual(['7.0.staged']);
  });

  test('outlive the agent', () => {
    const agent = new AgentStory().reach('settling');
    agent.commit();
    const next = agent.dies();
    next.look(ON_V2);
    next.tell({ kind: 'connected' });
    expect(sent(next)).toEqual(['7.0.staged']);
    next.tell(
      { kind: 'report-stored', id: '7.0.staged' },
      { kind: 'report-stored', id: '7.update.1.updating' },
    );
    expect(sent(next)).toEqual(['7.update.1.healthy']);
  });

  test('say the same thing once, and of an attempt everything', () => {
    const state = newService(SELF, EMPTY_JOURNAL);
    const staged = { rollout: 7, status: 'staged' } as const;
    const once = say(state, staged);
    expect(say(once, staged)).toBe(once);
    expect(say(once, { ...staged, reason: 'again' }).journal.outbox).toHaveLength(2);
    const updating = { rollout: 7, status: 'updating', attempt: '7.update.1' } as const;
    expect(say(say(once, updating), { ...updating, attempt: '7.update.2' }).journal.outbox).toHaveLength(3);
  });

  test('of a talkative engine are cut: nobody would read one that is too long', () => {
    const told = say(newService(SELF, EMPTY_JOURNAL), {
      rollout: 7,
      status: 'refused',
      reason: 'x'.repeat(9_000),
    });
    expect(told.journal.outbox[0]?.reason).toHaveLength(1_000);
    expect(say(told, { rollout: 7, status: 'refused', reason: 'x'.repeat(9_000) })).toBe(told);
  });
});

test('a bus that is away for a day costs some reports from the way, and no result (I8)', () => {
  const attempt = (count: number) => `7.update.${count}`;
  let state: ServiceState = newService(SELF, EMPTY_JOURNAL);
  for (let round = 0; round < 2_000; round += 1) {
    state = say(state, { rollout: 7, status: 'stage-failed', reason: `try ${round}` });
    if (round % 500 === 0) state = say(state, { rollout: 7, status: 'interrupted', attempt: attempt(round) });
  }
  const { outbox } = state.journal;
  expect(outbox.length).toBeLessThanOrEqual(200);
  expect(outbox.flatMap((report) => report.attempt ?? [])).toEqual([0, 500, 1_000, 1_500].map(attempt));
});

test('a disconnected node begins nothing that it would have to report on', () => {
  const agent = new AgentStory().listen(newWave());
  agent.tell({ kind: 'disconnected' }, { kind: 'image-staged', digest: V2 });
  for (let hour = 0; hour < 24; hour += 1) {
    agent.after(3_600_000).fire('look');
    agent.look();
    agent.fire('claim');
  }
  expect({ phase: agent.phase, said: agent.said.length }).toEqual({ phase: 'staged', said: 1 });
});
