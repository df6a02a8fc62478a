/**
 * An image is released once more while nodes are in the middle of its first rollout, and the second one is halted at once.
 *
 * Control world `talkative`, seed 3: the rollout rested with the next look, since nobody had said a word of it; the nodes in the
 * middle of the first one ran its image by then, and went back only later (I5). Since then who is in the middle of whatever
 * rollout is waited for, until he says how it ended or shows what he runs.
 */

import { expect, test } from 'vitest';
import { digestOf, SERVICE } from '../world.ts';
import { Stage } from './stage.ts';

test('a rollout does not rest while a node runs its image by an earlier one', async () => {
  const stage = await Stage.open();
  const { world } = stage;
  stage.release();
  const digest = digestOf(`v${world.registry.tags.size}`);
  const isOnIt = (): boolean => world.nodes.some(({ model }) => model.running(SERVICE) === digest);
  await stage.until('a node runs the image', isOnIt);
  world.release({ image: `registry.example/web:v${world.registry.tags.size}` });
  await stage.until('it begins anew', () => stage.told('rollout-started') === 2);
  world.control({ action: 'halt' });
  await stage.until('it rests', () => stage.hasTold('rollout-rested'));
  expect(isOnIt()).toBe(false);
});
