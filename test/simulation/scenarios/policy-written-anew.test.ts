/**
 * A policy is lost with the end of its bucket's stream, and the next one that somebody writes gets its revision.
 *
 * Seed 5036 (30 nodes, 1 h): the coordinator took the new policy for the one that it had read, and the rollout waited for
 * an approval that nobody owed any more (I14). Since then a policy is known by its revision and by when it was stored.
 */

import { policyKey, STREAMS } from '@swell/shared/protocol/subjects.ts';
import { expect, test } from 'vitest';
import { SERVICE } from '../world.ts';
import { Stage } from './stage.ts';

test('a policy with the revision of one that was lost is in force', async () => {
  const stage = await Stage.open({ nodes: 12, policy: { approval: 'manual', stages: [1, 100] } });
  const { server } = stage.world;
  await stage.world.run(60_000);
  const { sequence } = server.lastOf(STREAMS.policies, policyKey(SERVICE)) ?? {};

  server.down();
  server.loseTail(STREAMS.policies, 1);
  server.up();
  await stage.world.run(60_000);
  stage.policy({});
  expect(server.lastOf(STREAMS.policies, policyKey(SERVICE))?.sequence).toBe(sequence);
  stage.release();
  await stage.untilSettled();
  expect(stage.hasTold('approval-awaited')).toBe(false);
});
