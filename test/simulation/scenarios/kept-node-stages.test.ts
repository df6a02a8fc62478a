/**
 * The image that a fleet had run from the beginning is released as it stands, and halted: nobody has anything to go back to.
 *
 * Seed 266 (12 nodes, 1 h): every node said `kept`, and that was the last that it ever said. The next release was downloaded
 * by all of them, but a node that waits to be admitted took itself for one that has still to go back, and never told that
 * it had the image; so no stage could open, and no rollout began again in that fleet (I14). Since then who cannot go back
 * goes on by the wave that is for him, from its staging on.
 */

import { expect, test } from 'vitest';
import { Stage } from './stage.ts';

test('a fleet that could not go back from a halt takes the next release', async () => {
  const stage = await Stage.open({ policy: { stages: [50, 100] } });
  const { world } = stage;
  world.release({ image: 'registry.example/web:v1' });
  await stage.until('it settles', () => stage.hasTold('rollout-settled'));
  world.control({ action: 'halt' });
  await stage.until('it rests', () => stage.hasTold('rollout-rested'));
  stage.release();
  await stage.untilSettled();
  expect(
    stage.reports
      .filter(({ status }) => status === 'kept')
      .map(({ node }) => node)
      .sort(),
  ).toEqual(['n0', 'n1', 'n2']);
});
