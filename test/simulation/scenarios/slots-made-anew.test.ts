/**
 * Somebody deletes the bucket of slots and makes it again, and later lowers `maxUnavailable`.
 *
 * Seed 1043 (50 nodes, 0.8 h): agents knew of slots that nobody had written in the new bucket, and the look behind a claim
 * found nothing of those that the smaller wave had lost. Nothing was taken for "not known to be free": every node claimed,
 * gave back and claimed again until the rollout was paused (I14). What was asked for and is not there has never been
 * written: it is free.
 */

import { STREAMS } from '@swell/shared/protocol/subjects.ts';
import { expect, test } from 'vitest';
import { Stage } from './stage.ts';

test('slots that the new bucket has never had hold nobody up', async () => {
  const stage = await Stage.open({ nodes: 12, policy: { maxUnavailable: 3 } });
  stage.release();
  await stage.untilSettled();
  stage.world.server.recreate(STREAMS.slots);
  stage.policy({ maxUnavailable: 1 });
  stage.release();
  await stage.untilSettled();
  expect(stage.world.truth.violations).toEqual([]);
});
