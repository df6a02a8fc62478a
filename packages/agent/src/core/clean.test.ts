import type { Wave } from '@swell/shared/domain/wave.ts';
import { describe, expect, test } from 'vitest';
import { AgentStory, newHalt, newWave, ON_V1, ON_V2, V2, V3 } from '../../../../test/support/agent-story.ts';
import type { Effect } from './effects.ts';

const SETTLED = newWave({ phase: 'settled' });
const CLEANS_ALL_BUT_V2 = [{ kind: 'clean-images', wanted: [V2] }];

function cleaning(effects: readonly Effect[]): readonly Effect[] {
  return effects.filter(({ kind }) => kind === 'clean-images');
}

function hears(agent: AgentStory, revision: number, order: Wave): readonly Effect[] {
  return cleaning(agent.tell({ kind: 'wave-heard', told: { revision, order } }));
}

describe('what is older than the last good image goes', () => {
  test('once the soak is over: at settled, and at every look from then on', () => {
    const agent = new AgentStory().listen(newWave(), ON_V2);
    expect(cleaning(agent.fire('look'))).toEqual([]);
    expect(hears(agent, 11, SETTLED)).toEqual(CLEANS_ALL_BUT_V2);
    expect(cleaning(agent.look(ON_V2))).toEqual([]);
    expect(cleaning(agent.fire('look'))).toEqual(CLEANS_ALL_BUT_V2);
  });

  test('after an update by a wave that has settled already, and not while it is under way', () => {
    const agent = new AgentStory().reach('settling', SETTLED);
    expect(cleaning(agent.fire('look'))).toEqual([]);
    expect(cleaning(agent.commit())).toEqual([]);
    expect(cleaning(agent.look(ON_V2))).toEqual(CLEANS_ALL_BUT_V2);
  });

  test('after a start', () => {
    const agent = new AgentStory().listen(SETTLED, ON_V2).dies();
    agent.look(ON_V2);
    expect(cleaning(agent.read({ revision: 10, order: SETTLED }))).toEqual(CLEANS_ALL_BUT_V2);
  });

  test('what was staged and then halted with it', () => {
    const agent = new AgentStory().listen(newWave({ cursor: 0 }));
    agent.tell(
      { kind: 'image-staged', digest: V2 },
      { kind: 'halt-heard', told: { revision: 11, order: newHalt() } },
    );
    expect(hears(agent, 12, newWave({ phase: 'halted' }))).toEqual([{ kind: 'clean-images' }]);
  });
});

describe('nothing goes', () => {
  test.each<[string, Wave]>([
    ['open', newWave()],
    ['paused', newWave({ phase: 'paused' })],
    ['staging', newWave({ phase: 'staging' })],
  ])('while a rollout is %s', (_, wave) => {
    const agent = new AgentStory().listen(wave, ON_V2);
    expect(cleaning(agent.fire('look'))).toEqual([]);
  });

  test('while the next release is brought here, and before it runs', () => {
    const agent = new AgentStory().listen(SETTLED, ON_V2);
    expect(hears(agent, 11, newWave({ phase: 'settled', rollout: 8, digest: V3 }))).toEqual([]);
    agent.tell({ kind: 'image-staged', digest: V3 });
    expect(cleaning(agent.fire('look'))).toEqual([]);
  });

  test('where there is no container that could tell what it goes back to', () => {
    const agent = new AgentStory().listen(SETTLED, ON_V2);
    agent.look({ state: 'absent', digests: [] });
    expect(cleaning(agent.fire('look'))).toEqual([]);
  });

  test('by orders that went backwards', () => {
    const agent = new AgentStory().listen(SETTLED, ON_V2);
    agent.read({ revision: 3, order: SETTLED }, { revision: 0 }, { wave: 10, halt: 0 });
    expect(cleaning(agent.fire('look'))).toEqual([]);
  });
});

test('a download that finds no room makes room of what nobody needs, whatever moves', () => {
  const agent = new AgentStory().reach('staging');
  agent.fire('stage');
  const failed = { kind: 'image-not-staged', digest: V2, reason: '1 GiB free' } as const;
  expect(cleaning(agent.tell(failed))).toEqual([]);
  agent.fire('stage');
  expect(cleaning(agent.tell({ ...failed, lacksRoom: true }))).toEqual(CLEANS_ALL_BUT_V2);
});

test('a registry that wants to be left alone is left alone for so long, by each node a little longer', () => {
  const agent = new AgentStory().listen(newWave(), ON_V1);
  agent.fire('stage');
  const effects = agent.tell({
    kind: 'image-not-staged',
    digest: V2,
    reason: 'too many requests',
    retryAfterMs: 60_000,
  });
  expect(effects).toContainEqual({ kind: 'set-timer', timer: 'stage', minMs: 61_000, maxMs: 77_000 });
});
