import { describe, expect, test } from 'vitest';
import { AgentStory, image, newWave, V2, V3 } from '../../../../test/support/agent-story.ts';

const ORDER = {
  service: 'web',
  attempt: '7.update.1',
  target: { kind: 'release', image: image(V2) },
  lastGood: 'running',
} as const;

const SUPERSEDED = newWave({ rollout: 8, digest: V3 });

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
