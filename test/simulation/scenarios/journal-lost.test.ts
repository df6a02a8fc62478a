/**
 * An agent's disk is lost, and with it the count of its attempts.
 *
 * Seed 64 (60 nodes, 1 h, before journals had marks): the next attempt at the same rollout was number 1 again, and its result
 * was the second one of that name (I8).
 */

import { expect, test } from 'vitest';
import { digestOf, SERVICE } from '../world.ts';
import { Stage } from './stage.ts';

test('an agent that has lost its journal gives no attempt a name of old', async () => {
  const stage = await Stage.open({ nodes: 1 });
  const { world } = stage;
  const [node] = world.nodes;
  if (node === undefined) throw new Error('there is no node');
  stage.release();
  await stage.until('it is healthy', () => stage.reports.some(({ status }) => status === 'healthy'));

  world.killAgent(node, { awayMs: 1_000, arriving: 0 });
  node.model.loseDisk();
  // Somebody puts the old image back as well, so that the same rollout is tried again.
  node.model.containers.put(SERVICE, { up: true, digest: digestOf('v1') });
  await stage.untilSettled();

  const attempts = stage.reports.filter(({ status }) => status === 'updating').map(({ attempt }) => attempt);
  expect(new Set(attempts).size).toBe(2);
});
