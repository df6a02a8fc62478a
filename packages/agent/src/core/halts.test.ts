/** What a halt is to a node where it says that the fleet had settled on the image before. */

import type { Halt } from '@swell/shared/domain/wave.ts';
import { expect, test } from 'vitest';
import {
  AgentStory,
  image,
  newHalt,
  newWave,
  ON_V1,
  ON_V2,
  V2,
  V3,
} from '../../../../test/support/agent-story.ts';
import type { Observation } from './container.ts';

/** V2 settled as rollout 5, and rollout 7 brought it again. */
const SPARED: Halt = { ...newHalt(), stay: true, settledAs: 5 };

/** A node that knows a halt, and is told to go to V3. */
function remedied(halt: Halt, observation: Observation = ON_V2, inWave?: Halt): AgentStory {
  const told = { revision: 12, order: halt };
  const order = newWave({ rollout: 8, digest: V3, ...(inWave && { scope: 'europe', halt: inWave }) });
  const wave = { revision: 13, order };
  const agent = new AgentStory();
  agent.look(observation);
  agent.tell({ kind: 'connected' });
  agent.read(wave, told);
  agent.pulse(13, 12);
  agent.tell({ kind: 'image-staged', digest: V3 });
  agent.begin(wave, told);
  return agent;
}

const lastGoods = (agent: AgentStory): readonly unknown[] =>
  agent.effects.flatMap((effect) => (effect.kind === 'prepare-swap' ? [effect.order.lastGood] : []));

test('whoever leaves what the fleet had settled on may come back to it', () => {
  expect(lastGoods(remedied(SPARED))).toEqual(['running']);
  expect(lastGoods(remedied({ ...newHalt(), stay: true }))).toEqual(['unchanged']);
});

test('what a scope has halted is nothing to go back to either', () => {
  const elsewhere = newHalt(4, 'sha256:4');
  const bad = { ...newHalt(), stay: true as const };
  expect(lastGoods(remedied(elsewhere, ON_V2, bad))).toEqual(['unchanged']);
  expect(lastGoods(remedied(elsewhere, { ...ON_V2, lastGood: { digest: V2 } }, bad))).toEqual(['none']);
  expect(lastGoods(remedied(elsewhere, ON_V2, SPARED))).toEqual(['running']);
});

test('nobody who runs it says anything, and nobody else starts it', () => {
  const said = [ON_V2, ON_V1].map((observation) => {
    const agent = new AgentStory();
    agent.look(observation);
    agent.tell({ kind: 'connected' });
    agent.read({ revision: 13, order: newWave({ phase: 'halted' }) }, { revision: 12, order: SPARED });
    agent.pulse(13, 12);
    return { phase: agent.phase, said: agent.said };
  });
  expect(said).toEqual([
    { phase: 'idle', said: [] },
    { phase: 'idle', said: [] },
  ]);
});

test('the wave of what the fleet has settled on is followed, also by its image', () => {
  const wave = { revision: 13, order: newWave({ rollout: 5, phase: 'settled' }) };
  const halt = { revision: 12, order: SPARED };
  const agent = new AgentStory();
  agent.look(ON_V1);
  agent.tell({ kind: 'connected' });
  agent.read(wave, halt);
  agent.tell({ kind: 'image-staged', digest: V2 });
  agent.begin(wave, halt);
  expect(agent.effects).toContainEqual({
    kind: 'prepare-swap',
    order: {
      service: 'web',
      attempt: '5.update.1',
      target: { kind: 'release', image: image(V2) },
      lastGood: 'running',
    },
  });
});
