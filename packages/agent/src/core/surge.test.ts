import type { Drain } from '@swell/shared/domain/traffic.ts';
import { describe, expect, test } from 'vitest';
import { AgentStory, HEALTHY, newHalt, newWave, SICK } from '../../../../test/support/agent-story.ts';
import { rotationOf } from './traffic.ts';

const START = { kind: 'start-beside' } as const;
const CUT_OVER = { kind: 'cut-over' } as const;
const UNDO = { kind: 'undo-swap' } as const;
const BESIDE = { kind: 'started-beside', isBeside: true } as const;
const DRAIN: Drain = { checks: 0, timeMs: 10_000, maxMs: 60_000 };
const REJOIN = { checks: 2, maxMs: 30_000, rampMs: 60_000 };

/** An update under `maxSurge: 1` whose new container is about to start beside the old one. */
function surging(): AgentStory {
  const wave = newWave({ maxSurge: 1, drain: DRAIN, rejoin: REJOIN });
  const agent = new AgentStory().reach('preparing', wave);
  expect(agent.tell({ kind: 'swap-prepared' })).toEqual([START]);
  expect(agent.phase).toBe('surging');
  return agent;
}

function beside(): AgentStory {
  const agent = surging();
  agent.tell(BESIDE);
  return agent;
}

function rotation({ state, nowMs }: AgentStory): string {
  return rotationOf(state, nowMs).is;
}

describe('under maxSurge 1 (Z3)', () => {
  test('the old container stops when the new one is well, and the node is never out of rotation', () => {
    const agent = beside();
    const seen = [rotation(agent)];
    expect(agent.probe(HEALTHY)).toEqual([CUT_OVER]);
    seen.push(rotation(agent));
    agent.tell({ kind: 'swapped' });
    seen.push(rotation(agent));
    expect(agent.probe(HEALTHY)).toContainEqual({ kind: 'commit-swap' });
    seen.push(rotation(agent));
    agent.commit();
    expect(seen).toEqual(['in', 'in', 'in', 'in']);
    // It has nobody to wait for, and needs no time to warm up.
    expect(agent.said.at(-1)).toMatchObject({ status: 'healthy' });
    expect(agent.state.warming).toBeUndefined();
  });

  test('an image that is not well goes, and nothing of the old one has stopped', () => {
    const agent = beside();
    expect(agent.probe({ ...SICK, ended: true })).toContainEqual(UNDO);
    expect([agent.phase, rotation(agent)]).toEqual(['reverting', 'in']);
    const unable = surging();
    expect(unable.tell({ kind: 'not-swapped', reason: 'no such file', retryable: false })).toContainEqual(
      UNDO,
    );
    unable.tell({ kind: 'swap-undone' });
    unable.fire('rejoin');
    expect(unable.said.at(-1)).toMatchObject({ status: 'failed', reason: 'no such file' });
  });

  test('where the two cannot run side by side it goes as everywhere: out of rotation first', () => {
    const agent = surging();
    agent.tell({ kind: 'started-beside', isBeside: false });
    expect([agent.phase, rotation(agent)]).toEqual(['draining', 'draining']);
    expect(agent.after(10_000).fire('drain')).toEqual([CUT_OVER]);
    expect(rotation(agent)).toBe('out');
    // Also for an agent that takes it up.
    expect(agent.state.journal.attempt).not.toHaveProperty('surges');
  });

  test('the next container that cannot run twice goes over itself, and is not asked for as the first one is', () => {
    const agent = new AgentStory().reach('preparing', newWave({ maxSurge: 1 }));
    agent.tell({ kind: 'swap-prepared' }, BESIDE);
    agent.probe(HEALTHY);
    agent.tell({ kind: 'swapped', left: 1 });
    expect(agent.probe(HEALTHY)).toEqual([START]);
    expect(agent.tell({ kind: 'started-beside', isBeside: false })).toEqual([{ ...CUT_OVER, left: 0 }]);
  });

  test.each([
    ['a halt', { kind: 'halt-heard', told: { revision: 11, order: newHalt() } }],
    ['a lost slot', { kind: 'slot-not-renewed', slot: 0, lost: true }],
    ['a stop', { kind: 'stop-requested' }],
  ] as const)('%s ends it before anything has stopped', (_, event) => {
    const starting = surging();
    starting.tell(event);
    const probing = beside();
    probing.tell(event);
    const next = probing.phase === 'reverting' ? probing : (probing.probe(HEALTHY), probing);
    expect([starting.phase, next.phase]).toEqual(['reverting', 'reverting']);
    expect([rotation(starting), rotation(next)]).toEqual(['in', 'in']);
  });

  test('what cannot be told is asked for again', () => {
    const agent = surging();
    agent.tell({ kind: 'not-swapped', reason: 'no answer', retryable: true });
    expect(agent.fire('retry')).toEqual([START]);
    expect(agent.phase).toBe('surging');
  });

  test('each of several containers starts beside the one whose place it takes', () => {
    const agent = beside();
    agent.probe(HEALTHY);
    agent.tell({ kind: 'swapped', left: 1 });
    expect(agent.probe(HEALTHY)).toEqual([START]);
    agent.tell(BESIDE);
    expect(agent.probe(HEALTHY)).toEqual([{ ...CUT_OVER, left: 0 }]);
    agent.tell({ kind: 'swapped' });
    expect(agent.probe(HEALTHY)).toContainEqual({ kind: 'commit-swap' });
  });
});
