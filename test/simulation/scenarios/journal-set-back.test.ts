/**
 * A machine is put back to an older copy of its disk, and its agent goes on from the older journal.
 *
 * Seed 121 (15 nodes, 1 h, before marks were drawn at every start): the restored journal had begun one attempt less than
 * the node had, so the next attempt got the name of one that had been reported as healthy; a node that was asked whether it
 * had updated answered with the result of another attempt (I8). Since then every start of an agent draws a mark of its own.
 */

import { expect, test } from 'vitest';
import { digestOf, SERVICE } from '../world.ts';
import { Stage } from './stage.ts';

test('an agent whose journal is older than its last attempt gives no attempt a name of old', async () => {
  const stage = await Stage.open({ nodes: 1 });
  const { world } = stage;
  const [node] = world.nodes;
  if (node === undefined) throw new Error('there is no node');
  const before = node.model.backupDisk();
  stage.release();
  await stage.untilSettled();

  world.killAgent(node, { awayMs: 1_000, arriving: 0 });
  node.model.restoreDisk(before);
  // Somebody puts the old image back as well, so that the same rollout is tried again.
  node.model.containers.put(SERVICE, { up: true, digest: digestOf('v1') });
  await stage.untilSettled();

  const attempts = stage.reports.filter(({ status }) => status === 'updating').map(({ attempt }) => attempt);
  expect(new Set(attempts).size).toBe(2);
});
