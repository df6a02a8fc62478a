import { type PinnedUnit, unitDigest } from '@swell/shared/domain/unit.ts';
import { describe, expect, test } from 'vitest';
import {
  AgentStory,
  image,
  newHalt,
  newWave,
  ON_V1,
  SELF,
  V1,
  V2,
  V3,
} from '../../../../test/support/agent-story.ts';
import { presenceOf } from './presence.ts';

const DIGEST = unitDigest({ web: V2, worker: V3 });
const UNIT: PinnedUnit = { digest: DIGEST, parts: { web: image(V2), worker: image(V3) } };
const BEFORE = unitDigest({ web: V1, worker: V3 });
const ON_BEFORE = {
  state: 'running',
  digests: [BEFORE],
  parts: ['web', 'worker'],
  lastGood: { digest: BEFORE },
} as const;

function wave(phase: 'open' | 'settled' = 'open') {
  return newWave({ phase, release: { rollout: 7, service: SELF.service, image: UNIT, version: 'v7' } });
}

describe('B18: a unit', () => {
  test('is staged as a whole, and the node goes over to all of it with one attempt', () => {
    const agent = new AgentStory().listen(wave(), ON_BEFORE);
    expect(agent.fire('stage')).toEqual([{ kind: 'stage-image', image: UNIT }]);
    agent.tell({ kind: 'image-staged', digest: DIGEST });
    agent.begin({ revision: 10, order: wave() });
    expect(agent.effects).toContainEqual({
      kind: 'prepare-swap',
      order: expect.objectContaining({ target: { kind: 'release', image: UNIT }, lastGood: 'running' }),
    });
    expect(agent.state.journal.attempt).toMatchObject({ rollout: 7, digest: DIGEST });
  });

  test('is refused by a node that lacks a part, until it has it', () => {
    const agent = new AgentStory().listen(wave(), { ...ON_BEFORE, digests: [V1], parts: ['web'] });
    expect(agent.said.map(({ status, reason }) => [status, reason])).toEqual([
      ['refused', 'it has no part worker, which the release brings'],
    ]);
    expect(agent.state.phase.name).toBe('idle');
    agent.look(ON_BEFORE);
    expect(agent.state.phase.name).toBe('staging');
  });

  test('is refused by a node whose containers are no parts', () => {
    const agent = new AgentStory().listen(wave(), ON_V1);
    expect(agent.said.map(({ status }) => status)).toEqual(['refused']);
  });

  test('is what runs, also where all its parts have one image that is known by itself', () => {
    const agent = new AgentStory().listen(wave('settled'), { ...ON_BEFORE, digests: [V1, DIGEST] });
    expect(presenceOf(agent.state, agent.nowMs)).toMatchObject({ running: DIGEST, version: 'v7' });
  });

  test('that was halted takes the node back to the unit before it', () => {
    const agent = new AgentStory().listen(wave(), { ...ON_BEFORE, digests: [DIGEST] });
    agent.tell({ kind: 'halt-heard', told: { revision: 11, order: newHalt(7, DIGEST) } });
    agent.begin({ revision: 10, order: wave() }, { revision: 11, order: newHalt(7, DIGEST) });
    expect(agent.state.journal.attempt).toMatchObject({ kind: 'return', rollout: 7, digest: DIGEST });
  });

  test('keeps the images of all its parts from being taken away', () => {
    const agent = new AgentStory().listen(wave('settled'), { ...ON_BEFORE, digests: [DIGEST] });
    expect(agent.fire('look')).toContainEqual({ kind: 'clean-images', wanted: [DIGEST, V2, V3] });
  });
});
