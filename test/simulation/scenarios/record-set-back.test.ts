/**
 * The bucket of the coordinator's records is put back to an older copy, and nothing else on the bus is.
 *
 * Seed 1045 (12 nodes, 1 h): the next leader found a record in which an earlier rollout was still rolling, took the newer
 * waves for a difference to be put right, and ordered the whole fleet back to what had been replaced long ago (I4). Since
 * then a leader whose record is older than the orders on the bus orders nothing, and says so, until a person decides.
 */

import { STREAMS } from '@swell/shared/protocol/subjects.ts';
import { expect, test } from 'vitest';
import { digestOf, SERVICE } from '../world.ts';
import { Stage } from './stage.ts';

test('a record that was put back alone takes nobody back to an older release', async () => {
  const stage = await Stage.open();
  const { world } = stage;
  stage.release();
  await stage.untilSettled();
  const backup = world.server.backup(STREAMS.rollouts);
  stage.release();
  await stage.untilSettled();

  world.server.down();
  world.server.rewind(backup);
  world.server.up();
  world.server.ensure();
  await stage.until('the leader says so', () => stage.hasTold('record-set-back'));
  await world.run(600_000);
  expect(world.nodes.map(({ model }) => model.running(SERVICE))).toEqual(
    world.nodes.map(() => digestOf('v3')),
  );
  expect(world.truth.violations).toEqual([]);
});
