/**
 * An operator lowers `maxUnavailable` from two to one in the moment in which two nodes of a region take their slots.
 *
 * Seed 467 (12 nodes, 1 h): n3 claimed slot 0 while the wave had three slots, one of which n0 held; before it read its orders
 * again the wave had one slot only. Slot 0 was still within it, so n3 began as the second where one might be out (I1). What
 * was mended before (nobody claims while a slot beyond a smaller wave's end is held, seeds 204 and 218) looked ahead of the
 * claim alone. Now the look behind the claim tells of those slots as well, as of the claim.
 */

import { expect, test } from 'vitest';
import { Stage } from './stage.ts';

test('a wave that loses a slot while it is being claimed lets nobody out beyond the rest', async () => {
  const stage = await Stage.open({ nodes: 9, policy: { maxUnavailable: 2 } });
  stage.release();
  // For which the next node then reaches.
  await stage.until('a slot is freed', () =>
    stage.entries.some((entry) => entry.kind === 'slot' && entry.holder === undefined),
  );
  stage.policy({ maxUnavailable: 1 });
  await stage.untilSettled();
  expect(stage.world.truth.violations).toEqual([]);
});
