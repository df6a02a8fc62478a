import { describe, expect, test } from 'vitest';
import { AgentStory, HEALTH, HEALTHY, image, newWave, V2, V3 } from '../../../../test/support/agent-story.ts';

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
