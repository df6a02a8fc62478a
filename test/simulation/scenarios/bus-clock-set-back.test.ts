/**
 * The server's clock is set back by an hour while nodes hold their slots.
 *
 * Seed 119 (15 nodes, 1 h): leases were counted from the times at which the server had stored them, by the server's clock as
 * the leader had known it before. What was stored after the step looked an hour old: every slot in the fleet was declared
 * lost and cleared at once, and four nodes were out where three might be (I1, I7). Since then a leader counts from when it
 * hears of a slot, by its own clock.
 */

import { expect, test } from 'vitest';
import { Stage } from './stage.ts';

test('a server whose clock is set back takes nobody’s slot', async () => {
  const stage = await Stage.open({ nodes: 6 });
  stage.release();
  await stage.until('somebody is out', () => stage.reports.some(({ status }) => status === 'updating'));
  stage.world.server.skewMs = -3_600_000;
  await stage.untilSettled();
  expect(stage.hasTold('slot-lost')).toBe(false);
});
