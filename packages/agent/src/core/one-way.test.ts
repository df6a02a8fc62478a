/** A release that cannot be undone: until its container is started it is given up like any other, and from then on never. */

import { describe, expect, test } from 'vitest';
import {
  AgentStory,
  HEALTHY,
  image,
  newHalt,
  newWave,
  ON_V1,
  ON_V2,
  SELF,
  SICK,
  V1,
  V2,
  V3,
} from '../../../../test/support/agent-story.ts';
import type { Observation } from './container.ts';
import type { AgentEvent } from './events.ts';
import { explain } from './explain.ts';
import { presenceOf } from './presence.ts';
import type { Phase } from './state.ts';
import { rotationOf } from './traffic.ts';

const ONE_WAY = {
  ...newWave(),
  release: { rollout: 7, service: SELF.service, image: image(V2), version: 'v2', irreversible: true },
  maxSurge: 'never',
} as const;
const HALTED: AgentEvent = {
  kind: 'halt-heard',
  told: { revision: 11, order: { ...newHalt(), stay: true } },
};
const FIX: AgentEvent = {
  kind: 'wave-heard',
  told: { revision: 12, order: newWave({ rollout: 8, digest: V3 }) },
};
const UNDO = { kind: 'undo-swap' } as const;
const COMMIT = { kind: 'commit-swap' } as const;
const GO_OVER = { kind: 'cut-over', left: 0 } as const;
const WHY = 'not healthy within 1m: HTTP 500';
const RUNS: Observation = {
  ...ON_V2,
  swap: { progress: 'cut-over', attempt: '7.update.1', target: V2, irreversible: true },
};

const reach = (phase: Phase['name']): AgentStory => new AgentStory().reach(phase, ONE_WAY);

/** On the release, and not well by its deadline. */
function unhealthy(): AgentStory {
  const agent = reach('probing').after(60_000);
  agent.probe(SICK);
  return agent;
}

const statuses = (agent: AgentStory) => agent.said.map(({ status }) => status);
const rotation = (agent: AgentStory) => rotationOf(agent.state, agent.nowMs).is;

describe('before its container is started', () => {
  test('it is given up with a halt, and the old one serves on', () => {
    const agent = reach('preparing');
    expect(agent.effects).toMatchObject([{ kind: 'prepare-swap', order: { irreversible: true } }]);
    expect(agent.tell(HALTED, { kind: 'swap-prepared' })).toContainEqual(UNDO);
    agent.tell({ kind: 'swap-undone' });
    expect(agent.said.at(-1)).toMatchObject({ status: 'interrupted' });
    expect(agent.state.journal.irreversible).toBeUndefined();
  });

  test('one that cannot be started at all has failed, where the engine says that it has not been', () => {
    const agent = reach('swapping');
    expect(agent.effects).toEqual([GO_OVER]);
    expect(agent.tell({ kind: 'not-swapped', reason: 'the draft is gone', retryable: false })).toContainEqual(
      UNDO,
    );
    agent.tell({ kind: 'swap-undone' });
    expect(agent.said.at(-1)).toMatchObject({ status: 'failed', reason: 'the draft is gone' });
    expect(agent.state.journal.irreversible).toBeUndefined();
  });

  test('what is given up may have been started all the same: then there is only forward', () => {
    const agent = reach('swapping');
    agent.tell({ kind: 'not-swapped', reason: 'no such binary', retryable: false });
    expect(agent.tell({ kind: 'swap-not-undone', reason: 'it was started', isOneWay: true })).toEqual([
      GO_OVER,
    ]);
    expect(agent.state.journal.attempt?.ending).toBeUndefined();
    agent.tell({ kind: 'not-swapped', reason: 'no such binary', retryable: false });
    expect(agent.said.at(-1)).toMatchObject({ status: 'unhealthy', reason: 'no such binary' });
    expect(agent.fire('retry')).toEqual([GO_OVER]);
    agent.tell({ kind: 'swapped' });
    expect(agent.phase).toBe('probing');
    agent.probe(HEALTHY);
    agent.commit();
    expect(agent.said.at(-1)).toMatchObject({ status: 'healthy' });
  });
});

describe('after it', () => {
  test.each([
    ['a halt', HALTED],
    ['a stop of the agent', { kind: 'stop-requested' }],
    ['a newer release', FIX],
  ] as const)('%s turns nobody round: who becomes well is healthy', (_, event) => {
    const agent = reach('probing');
    agent.tell(event);
    expect(agent.phase).toBe('probing');
    agent.probe(HEALTHY);
    agent.commit();
    expect(agent.said.at(-1)).toMatchObject({ status: 'healthy', running: V2 });
    expect(agent.state.journal.irreversible).toEqual({ rollout: 7, digest: V2 });
  });

  test('one that is not well by its deadline stays out with its slot, says so once, and is asked on', () => {
    const agent = unhealthy();
    expect(agent.phase).toBe('probing');
    expect(agent.said.at(-1)).toMatchObject({
      id: '7.update.1.unhealthy',
      status: 'unhealthy',
      attempt: '7.update.1',
      running: V2,
      reason: WHY,
    });
    expect(rotation(agent)).toBe('out');
    expect(explain(agent.state, agent.nowMs)).toBe(
      `it is out, and keeps its slot: rollout 7 cannot be undone, and it is not well: ${WHY}`,
    );
    expect(presenceOf(agent.state, agent.nowMs)).toMatchObject({ ready: false, reason: WHY });
    expect(agent.fire('renew')).toMatchObject([{ kind: 'renew-slot', slot: 0 }]);
    expect(agent.fire('probe')).toMatchObject([{ kind: 'probe' }]);
    agent.probe({ ...SICK, ended: true });
    expect(statuses(agent).filter((status) => status === 'unhealthy')).toHaveLength(1);
  });

  test('and is healthy when it becomes well at last', () => {
    const agent = unhealthy();
    expect(agent.probe(HEALTHY)).toContainEqual(COMMIT);
    agent.commit();
    expect(agent.said.at(-1)).toMatchObject({ status: 'healthy' });
    expect(agent.effects).toContainEqual(expect.objectContaining({ kind: 'free-slot' }));
    agent.look(ON_V2);
    expect(rotation(agent)).toBe('in');
  });

  test('a halt leaves it as it is', () => {
    const agent = unhealthy();
    agent.tell(HALTED);
    expect([agent.phase, statuses(agent).at(-1)]).toEqual(['probing', 'unhealthy']);
  });

  test('its application does not agree that it is well: that counts like a probe, and is asked again', () => {
    const agent = new AgentStory();
    agent.look({ ...ON_V1, asks: { after: true } });
    agent.reach('probing', ONE_WAY);
    agent.tell({ kind: 'observed', era: agent.state.era, observation: { ...ON_V2, asks: { after: true } } });
    expect(agent.probe(HEALTHY)).toEqual([{ kind: 'confirm' }]);
    agent.tell({ kind: 'confirmed', why: 'half of the rows are missing' });
    expect([agent.phase, agent.said.at(-1)?.status]).toEqual(['probing', 'unhealthy']);
    expect(agent.probe(HEALTHY)).toEqual([{ kind: 'confirm' }]);
  });

  test('an old container that somebody starts again is no way back', () => {
    const agent = reach('probing');
    agent.probe({ ...SICK, ended: true, wentBack: true });
    expect([agent.phase, agent.said.at(-1)?.status]).toEqual(['probing', 'unhealthy']);
  });
});

describe('a newer release', () => {
  test('ends it: it has failed, its slot goes, and it stays out until something else runs', () => {
    const agent = unhealthy();
    expect(agent.tell(FIX)).toContainEqual(COMMIT);
    expect(agent.commit()).toContainEqual(expect.objectContaining({ kind: 'free-slot' }));
    expect(agent.said.at(-1)).toMatchObject({ status: 'failed', running: V2, reason: WHY });
    agent.look(ON_V2);
    expect(agent.phase).toBe('staging');
    expect(rotation(agent)).toBe('out');
    agent.tell({ kind: 'observed', era: agent.state.era, observation: { ...ON_V2, digests: [V3] } });
    expect(rotation(agent)).toBe('in');
  });

  test('that is stopped itself is none to give way to', () => {
    const stopped = unhealthy();
    stopped.tell({
      kind: 'wave-heard',
      told: { revision: 12, order: newWave({ rollout: 8, digest: V3, phase: 'aborted' }) },
    });
    expect(stopped.phase).toBe('probing');
  });

  test('goes back to this one, also where it was halted: what was here before must not come again', () => {
    const agent = unhealthy();
    agent.tell(HALTED, FIX);
    agent.commit();
    agent.look({ ...ON_V2, lastGood: { digest: V1 } });
    agent.tell({ kind: 'image-staged', digest: V3 });
    agent.pulse(12, 11);
    const told = { revision: 12, order: newWave({ rollout: 8, digest: V3 }) };
    agent.begin(told, { revision: 11, order: { ...newHalt(), stay: true } });
    expect(agent.effects).toMatchObject([{ kind: 'prepare-swap', order: { lastGood: 'running' } }]);
  });
});

test('an earlier release does not come to it again, by whatever wave', () => {
  const agent = unhealthy();
  agent.probe(HEALTHY);
  agent.commit();
  agent.look(ON_V2);
  const settled = newWave({ rollout: 6, digest: V1, phase: 'settled' });
  agent.tell({ kind: 'wave-heard', told: { revision: 12, order: settled } });
  expect(agent.said.at(-1)).toMatchObject({
    status: 'refused',
    reason: 'rollout 7, which was here, cannot be undone: rollout 6 is an earlier one',
  });
});

describe('an agent that dies', () => {
  test.each([
    ['with its journal', (agent: AgentStory) => agent.dies()],
    ['without it', () => new AgentStory()],
  ])('after the cut-over goes on, and is asked from the beginning (%s)', (_, next) => {
    const agent = next(reach('probing'));
    expect(agent.look(RUNS)).toContainEqual(GO_OVER);
    agent.tell({ kind: 'swapped' });
    agent.probe(SICK);
    agent.tell(HALTED);
    expect(agent.phase).toBe('probing');
  });

  test('while it was being given up goes on where the engine shows that it was started', () => {
    const agent = reach('swapping');
    agent.tell({ kind: 'not-swapped', reason: 'no such binary', retryable: false });
    const next = agent.dies();
    expect(next.look(RUNS)).toContainEqual(GO_OVER);
    expect(next.state.journal.attempt?.ending).toBeUndefined();
  });

  test('before it gives it up: the old container serves', () => {
    const next = reach('swapping').dies();
    expect(
      next.look({ ...ON_V1, swap: { ...RUNS.swap, attempt: '7.update.1', progress: 'prepared' } }),
    ).toContainEqual(UNDO);
  });

  test('out of rotation does not say so again, and stays out', () => {
    const next = unhealthy().dies();
    next.look(RUNS);
    next.tell({ kind: 'swapped' });
    next.after(60_000).probe(SICK);
    expect(statuses(next).filter((status) => status === 'unhealthy')).toHaveLength(1);
    expect(next.phase).toBe('probing');
  });

  test('while it gave way says that it failed, not that it is well', () => {
    const agent = unhealthy();
    agent.tell(FIX);
    const committing = agent.dies();
    expect(
      committing.look({ ...RUNS, swap: { attempt: '7.update.1', progress: 'committed' } }),
    ).toContainEqual(COMMIT);
    committing.commit();
    expect(committing.said.at(-1)).toMatchObject({ status: 'failed', running: V2 });
    const committed = agent.dies();
    committed.look(ON_V2);
    expect(committed.said.at(-1)).toMatchObject({ status: 'failed', running: V2 });
    expect(committed.state.journal.irreversible).toEqual({ rollout: 7, digest: V2, unhealthy: true });
  });

  test('is not taken for well because somebody took the old container away', () => {
    const next = unhealthy().dies();
    next.look(ON_V2);
    expect([next.phase, statuses(next).at(-1)]).toEqual(['probing', 'unhealthy']);
    expect(next.probe(HEALTHY)).toContainEqual(COMMIT);
  });
});
