import { describe, expect, test } from 'vitest';
import {
  AgentStory,
  image,
  LEASE_MS,
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

function timer(name: string, minMs: number, maxMs = minMs) {
  return { kind: 'set-timer', timer: name, minMs, maxMs };
}

function statuses(agent: AgentStory): readonly (string | undefined)[] {
  return agent.said.map(
    ({ rollout, status, reason }) => `${rollout} ${status}${reason ? `: ${reason}` : ''}`,
  );
}

const CLEARED = [
  { kind: 'clear-timer', timer: 'stage' },
  { kind: 'clear-timer', timer: 'claim' },
];

describe('staging', () => {
  test('spreads the downloads, and downloads at once where the turn has come', () => {
    const wave = { revision: 10, order: newWave({ phase: 'staging' }) };
    const agent = new AgentStory();
    agent.look();
    expect(agent.tell({ kind: 'wave-heard', told: wave })).toEqual([timer('stage', 0, 30_000)]);
    expect(agent.tell({ kind: 'wave-heard', told: { revision: 11, order: newWave() } })).toEqual([
      timer('stage', 0),
    ]);
    expect(agent.tell({ kind: 'wave-heard', told: { revision: 12, order: newWave({ slots: 2 }) } })).toEqual(
      [],
    );
    expect(agent.fire('stage')).toEqual([{ kind: 'stage-image', image: image(V2) }]);
    expect(agent.fire('stage')).toEqual([]);
  });

  test('that fails is told once, and tried again more and more slowly, without an end', () => {
    const agent = new AgentStory().listen();
    const failed = { kind: 'image-not-staged', digest: V2, reason: 'no such host' } as const;
    const waits = Array.from({ length: 9 }, () => {
      agent.fire('stage');
      const set = agent.tell(failed).find(({ kind }) => kind === 'set-timer');
      return set?.kind === 'set-timer' ? [set.minMs, set.maxMs] : [];
    });
    expect(waits.at(0)).toEqual([1_000, 2_000]);
    expect(waits.at(5)).toEqual([32_000, 64_000]);
    expect(waits.at(8)).toEqual([60_000, 120_000]);
    expect(statuses(agent)).toEqual(['7 stage-failed: no such host']);
    agent.tell({ kind: 'image-staged', digest: V2 });
    expect(statuses(agent)).toEqual(['7 stage-failed: no such host', '7 staged']);
  });

  test('ends with the rollout, and its timers with it', () => {
    const agent = new AgentStory().listen();
    expect(agent.tell({ kind: 'halt-heard', told: { revision: 11, order: newHalt() } })).toEqual(CLEARED);
    expect(agent.tell({ kind: 'image-staged', digest: V2 })).toEqual([]);
    expect(statuses(agent)).toEqual([]);
  });

  test('begins anew for another release', () => {
    const agent = new AgentStory().reach('queued');
    agent.tell({ kind: 'wave-heard', told: { revision: 11, order: newWave({ rollout: 8, digest: V3 }) } });
    expect(agent.effects).toContainEqual(timer('stage', 0));
    expect(agent.fire('stage')).toEqual([{ kind: 'stage-image', image: image(V3) }]);
  });
});

describe('a staged node', () => {
  test('claims no slot before it has read them: those held beyond a smaller wave’s end count too (I1)', () => {
    const agent = new AgentStory().reach('queued');
    expect(agent.fire('claim')).toEqual([]);
    const holder = { node: 'n2', rollout: 6, attempt: '6.update.1', leaseMs: LEASE_MS };
    agent.readSlots([0, { revision: 8 }], [1, { revision: 7, holder }]);
    expect(agent.effects).toEqual([]);
    agent.tell({ kind: 'slot-heard', slot: 1, entry: { revision: 9 } });
    expect(agent.effects).toEqual([timer('claim', 0, 20)]);
    expect(agent.fire('claim')).toMatchObject([{ kind: 'claim-slot', slot: 0, expect: 8 }]);
  });

  test('waits for nobody whom the leader knows no more: the bucket of the slots was made anew', () => {
    const agent = new AgentStory().reach('queued');
    const holder = { node: 'n2', rollout: 7, attempt: '7.update.1', leaseMs: LEASE_MS };
    agent.readSlots([0, { revision: 80, holder }]);
    expect(agent.readSlots().effects).toEqual([]);
    const fallen = new Map([[0, { was: 80, entry: { revision: 0 } }]]);
    agent.tell({ kind: 'slots-read', entries: new Map(), fallen });
    expect(agent.effects).toEqual([timer('claim', 0, 20)]);
    expect(agent.fire('claim')).toMatchObject([{ kind: 'claim-slot', slot: 0, expect: 0 }]);
  });

  test('waits for its turn, and takes it when the cursor comes to it', () => {
    const wave = newWave({ cursor: 0 });
    const agent = new AgentStory().listen(wave);
    agent.tell({ kind: 'image-staged', digest: V2 });
    expect({ phase: agent.phase, said: statuses(agent) }).toEqual({ phase: 'staged', said: ['7 staged'] });
    agent.tell({ kind: 'wave-heard', told: { revision: 11, order: newWave() } });
    expect({ phase: agent.phase, said: statuses(agent) }).toEqual({ phase: 'queued', said: ['7 staged'] });
  });

  test('waits for a pulse, which wakes it (I3)', () => {
    const agent = new AgentStory().listen().after(30_000);
    agent.tell({ kind: 'image-staged', digest: V2 });
    expect({
      phase: agent.phase,
      effects: agent.effects.filter(({ kind }) => kind !== 'send-report'),
    }).toEqual({
      phase: 'staged',
      effects: [],
    });
    expect(agent.pulse(10)).toEqual([{ kind: 'read-slots' }, timer('slots', 15_000, 45_000)]);
  });

  test.each([
    ['a wave that it has not heard', 11, 0],
    ['a halt that it has not heard', 10, 12],
  ])('does not begin by a pulse that names %s', (_, wave, halt) => {
    const agent = new AgentStory().listen();
    agent.pulse(wave, halt);
    agent.tell({ kind: 'image-staged', digest: V2 });
    expect(agent.phase).toBe('staged');
  });

  test('does not begin by the pulse of a leader that was replaced; where that one falls silent, terms began anew', () => {
    const agent = new AgentStory().listen();
    agent.after(29_999).pulse(10, 0, 3);
    agent.tell({ kind: 'image-staged', digest: V2 });
    expect(agent.state.pulse).toMatchObject({ atMs: agent.nowMs - 29_999, term: 4 });
    agent.after(1).pulse(10, 0, 3);
    expect({ phase: agent.phase, pulse: agent.state.pulse }).toMatchObject({
      phase: 'queued',
      pulse: { atMs: agent.nowMs, term: 3 },
    });
  });

  test('needs no pulse where the wave is settled', () => {
    const agent = new AgentStory();
    agent.look();
    agent.tell({ kind: 'connected' });
    agent.read({ revision: 10, order: newWave({ phase: 'settled', cursor: 0, stageBelow: 0 }) });
    agent.tell({ kind: 'image-staged', digest: V2 });
    agent.begin({ revision: 10, order: newWave({ phase: 'settled' }) });
    expect(agent.said.at(-1)?.warrant).toEqual({ waveRevision: 10, slot: 0, fence: 100 });
  });

  test('does not begin without a bus, and begins when it is back', () => {
    const agent = new AgentStory().reach('queued');
    agent.tell({ kind: 'disconnected' });
    expect(agent.phase).toBe('staged');
    expect(agent.fire('claim').filter(({ kind }) => kind === 'claim-slot')).toEqual([]);
    agent.tell({ kind: 'connected' });
    expect(agent.phase).toBe('queued');
  });

  test('does not begin when the agent stops', () => {
    const agent = new AgentStory().reach('queued');
    agent.tell({ kind: 'stop-requested' });
    expect(agent.phase).toBe('staged');
    expect(agent.fire('claim')).toEqual([]);
  });

  test('rests after an interrupted attempt, and is woken by a timer of its own', () => {
    const agent = new AgentStory().reach('preparing');
    agent.tell(
      { kind: 'slot-not-renewed', slot: 0, lost: true },
      { kind: 'swap-prepared' },
      { kind: 'swap-undone' },
    );
    expect(agent.look()).toEqual([timer('claim', 10_001)]);
    expect(agent.after(4_000).pulse(10)).toEqual([timer('claim', 6_001)]);
    agent.after(6_001).fire('claim');
    expect(agent.phase).toBe('queued');
  });

  test('takes a timer that fires late for nothing: a claim is made only from the queue', () => {
    const agent = new AgentStory().listen(newWave({ cursor: 0 }));
    agent.tell({ kind: 'image-staged', digest: V2 });
    expect(agent.fire('claim')).toEqual([]);
  });
});

describe('a node that the wave does not move', () => {
  test.each<[string, Observation]>([
    ['has no container', { state: 'absent', digests: [] }],
    ['is on the release already, but stopped', { ...ON_V2, state: 'stopped' }],
  ])('%s: it says nothing', (_, observation) => {
    const agent = new AgentStory().listen(newWave(), observation);
    expect({ phase: agent.phase, said: statuses(agent) }).toEqual({ phase: 'idle', said: [] });
  });

  test('is on the release already: it says so once', () => {
    const agent = new AgentStory().listen(newWave(), ON_V2);
    agent.look(ON_V2);
    agent.fire('look');
    expect(statuses(agent)).toEqual(['7 healthy: it was on this image already']);
  });

  test('has an obstacle: it says so once, and comes when it is gone (I12)', () => {
    const agent = new AgentStory().listen(newWave(), { ...ON_V1, obstacle: 'is paused' });
    agent.look({ ...ON_V1, obstacle: 'is paused' });
    expect({ phase: agent.phase, said: statuses(agent) }).toEqual({
      phase: 'idle',
      said: ['7 refused: is paused'],
    });
    agent.look();
    expect(agent.phase).toBe('staging');
  });

  test('failed, with nothing to go back to: it is not called well for running what failed', () => {
    const agent = new AgentStory().reach('probing');
    agent.after(60_000).probe(SICK);
    agent.tell({ kind: 'swap-undone' });
    agent.look(ON_V2);
    expect(statuses(agent).slice(-1)).toEqual(['7 failed: not healthy within 1m: HTTP 500']);
  });

  test('loses its container and gets it back', () => {
    const agent = new AgentStory().reach('queued');
    agent.tell({ kind: 'container-changed' });
    agent.look({ state: 'absent', digests: [] });
    expect({ phase: agent.phase, effects: agent.effects }).toEqual({ phase: 'idle', effects: CLEARED });
    agent.tell({ kind: 'container-changed' });
    agent.look();
    expect(agent.phase).toBe('queued');
  });
});

describe('after a halt without return', () => {
  test('B14: whoever is on the release stays there, and starts nothing', () => {
    const halted = { revision: 11, order: newWave({ phase: 'halted' }) };
    const halt = { revision: 12, order: { ...newHalt(), stay: true as const } };
    const agent = new AgentStory();
    agent.look(ON_V2);
    agent.tell({ kind: 'connected' });
    agent.read(halted, halt);
    agent.pulse(11, 12);
    expect({ phase: agent.phase, said: agent.said }).toEqual({ phase: 'idle', said: [] });
  });
});

describe('after a halt', () => {
  const HALTED = { revision: 11, order: newWave({ phase: 'halted' }) };
  const HALT = { revision: 12, order: newHalt() };

  /** On V2, which was halted. */
  function halted(observation: Observation = ON_V2, wave = HALTED): AgentStory {
    const agent = new AgentStory();
    agent.look(observation);
    agent.tell({ kind: 'connected' });
    agent.read(wave, HALT);
    agent.pulse(wave.revision, 12);
    return agent;
  }

  test('a node on the release goes back to its last good image, which stays its last good one', () => {
    const agent = halted().begin(HALTED, HALT);
    expect(agent.effects).toContainEqual({
      kind: 'prepare-swap',
      order: { service: 'web', attempt: '7.return.1', target: { kind: 'last-good' }, lastGood: 'unchanged' },
    });
    agent.tell({ kind: 'swap-prepared' }, { kind: 'swapped' });
    agent.probe({ healthy: true, seen: '' });
    agent.commit();
    agent.look(ON_V1);
    expect(agent.said.map(({ id, running }) => [id, running])).toEqual([
      ['7.return.1.returning', V2],
      ['7.return.1.returned', V1],
    ]);
    expect({ phase: agent.phase, effects: agent.effects }).toEqual({
      phase: 'idle',
      effects: [{ kind: 'clean-images' }],
    });
  });

  test.each<[string, Observation, string]>([
    ['no last good image', { state: 'running', digests: [V2] }, 'there is no last good image on this node'],
    ['an obstacle', { ...ON_V2, obstacle: 'is paused' }, 'is paused'],
    [
      'no other last good image',
      { ...ON_V2, lastGood: { digest: V2 } },
      'its last good image is the one that was halted',
    ],
  ])('a node with %s stays, and says so once', (_, observation, why) => {
    const agent = halted(observation);
    agent.look(observation);
    expect({ phase: agent.phase, said: statuses(agent) }).toEqual({
      phase: 'idle',
      said: [`7 kept: ${why}`],
    });
  });

  test('a node that came back, and was put on the halted image once more, goes back once more', () => {
    const agent = halted().begin(HALTED, HALT);
    agent.tell({ kind: 'swap-prepared' }, { kind: 'swapped' });
    agent.probe({ healthy: true, seen: '' });
    agent.commit();
    agent.look(ON_V1);
    agent.tell({ kind: 'container-changed' });
    agent.look(ON_V2);
    agent.begin(HALTED, HALT);
    expect(agent.state.journal.attempt?.id).toBe('7.return.2');
  });

  test('the halt of a scope stands in its wave, and takes a node back without a broadcast', () => {
    const wave = { revision: 11, order: newWave({ phase: 'halted', scope: 'europe', halt: newHalt() }) };
    const agent = new AgentStory();
    agent.look(ON_V2);
    agent.tell({ kind: 'connected' });
    agent.read(wave, { revision: 0 });
    agent.pulse(11, 0);
    agent.begin(wave, { revision: 0 });
    expect(agent.state.journal.attempt?.id).toBe('7.return.1');
  });

  test('it stands there still when the wave tells what the scope had settled on, and another halt is the broadcast', () => {
    const order = newWave({ rollout: 6, digest: V1, phase: 'settled', halt: newHalt() });
    const wave = { revision: 13, order };
    const broadcast = { revision: 12, order: newHalt(5, V3) };
    const agent = new AgentStory();
    agent.look(ON_V2);
    agent.tell({ kind: 'connected' });
    agent.read(wave, broadcast);
    agent.begin(wave, broadcast);
    expect(agent.state.journal.attempt?.id).toBe('7.return.1');
  });

  test('a node that is not on the release does nothing', () => {
    const agent = halted(ON_V1);
    expect({ phase: agent.phase, said: statuses(agent) }).toEqual({ phase: 'idle', said: [] });
  });

  test('a later release is the remedy: what was halted does not become the last good image', () => {
    const wave = { revision: 13, order: newWave({ rollout: 8, digest: V3 }) };
    const agent = halted(ON_V2, wave);
    agent.tell({ kind: 'image-staged', digest: V3 });
    agent.begin(wave, HALT);
    expect(agent.effects).toContainEqual({
      kind: 'prepare-swap',
      order: {
        service: 'web',
        attempt: '8.update.1',
        target: { kind: 'release', image: image(V3) },
        lastGood: 'unchanged',
      },
    });
  });

  test('where the last good image is the halted one as well, there is none after the remedy', () => {
    const wave = { revision: 13, order: newWave({ rollout: 8, digest: V3 }) };
    const agent = halted({ ...ON_V2, lastGood: { digest: V2 } }, wave);
    agent.tell({ kind: 'image-staged', digest: V3 });
    agent.begin(wave, HALT);
    expect(agent.effects).toContainEqual(
      expect.objectContaining({ kind: 'prepare-swap', order: expect.objectContaining({ lastGood: 'none' }) }),
    );
  });

  test('a node whose turn with the remedy has not come goes back meanwhile', () => {
    const agent = halted(ON_V2, { revision: 13, order: newWave({ rollout: 8, digest: V3, cursor: 0 }) });
    expect(agent.phase).toBe('queued');
  });

  test('a node that cannot go back stages the remedy like everybody else, and tells of it', () => {
    const wave = { revision: 13, order: newWave({ rollout: 8, digest: V3, cursor: 0 }) };
    const agent = halted({ state: 'running', digests: [V2] }, wave);
    expect(agent.phase).toBe('staging');
    agent.tell({ kind: 'image-staged', digest: V3 });
    expect({ phase: agent.phase, said: statuses(agent) }).toEqual({ phase: 'staged', said: ['8 staged'] });
  });

  test('a node that can neither go back nor follow the remedy says both, once', () => {
    const agent = halted(
      { ...ON_V2, obstacle: 'is paused' },
      { revision: 13, order: newWave({ rollout: 8, digest: V3 }) },
    );
    agent.look({ ...ON_V2, obstacle: 'is paused' });
    expect(statuses(agent)).toEqual(['7 kept: is paused', '8 refused: is paused']);
  });

  test('what the fleet had settled on is for nodes that cannot go back by themselves', () => {
    const wave = { revision: 13, order: newWave({ rollout: 6, digest: V1, phase: 'settled' }) };
    expect(halted(ON_V2, wave).phase).toBe('queued');
    const agent = halted({ state: 'running', digests: [V2] }, wave);
    expect(agent.phase).toBe('staging');
    agent.tell({ kind: 'image-staged', digest: V1 });
    agent.begin(wave, HALT);
    expect(agent.effects).toContainEqual(expect.objectContaining({ kind: 'prepare-swap' }));
    expect(agent.state.journal.attempt?.id).toBe('6.update.1');
  });

  test('a digest that is accepted again, as another rollout, is nothing to go back from', () => {
    const wave = { revision: 13, order: newWave({ rollout: 8, digest: V2 }) };
    expect(statuses(halted(ON_V2, wave))).toEqual(['8 healthy: it was on this image already']);
    const agent = halted(ON_V1, wave);
    agent.tell({ kind: 'image-staged', digest: V2 });
    expect(agent.phase).toBe('queued');
  });

  test('a node that comes back knows of the halt from its journal, and starts nothing before it has read it', () => {
    const { journal } = halted(ON_V1).state;
    const agent = new AgentStory(journal);
    agent.look();
    agent.tell({ kind: 'connected' }, { kind: 'wave-heard', told: { revision: 11, order: newWave() } });
    agent.pulse(11, 12);
    agent.tell({ kind: 'image-staged', digest: V2 });
    agent.fire('claim');
    agent.tell({ kind: 'slot-claimed', slot: 0, revision: 100 });
    agent.read({ revision: 11, order: newWave() }, HALT);
    expect({ phase: agent.phase, self: agent.state.self, said: statuses(agent) }).toEqual({
      phase: 'idle',
      self: SELF,
      said: ['7 staged'],
    });
  });
});

test.each<[string, Parameters<typeof newWave>[0]]>([
  ['paused', { phase: 'paused' }],
  ['been aborted', { phase: 'aborted' }],
  ['gone back to staging', { phase: 'staging', cursor: 0, stageBelow: 0 }],
  ['gone on without it', { cursor: 0, stageBelow: 0 }],
])('a queue is left where the wave has %s', (_, change) => {
  const agent = new AgentStory().reach('queued');
  agent.tell({ kind: 'wave-heard', told: { revision: 11, order: newWave(change) } });
  const isGivenUp = change?.phase === 'aborted';
  const effects = isGivenUp ? [...CLEARED, { kind: 'clean-images' }] : CLEARED;
  expect({ phase: agent.phase, effects: agent.effects }).toEqual({ phase: 'idle', effects });
  agent.tell({ kind: 'wave-heard', told: { revision: 12, order: newWave() } });
  expect(agent.phase).toBe('queued');
});
