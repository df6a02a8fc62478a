/**
 * Somebody puts another container in the place of the one that is being probed.
 *
 * Seed 623 (12 nodes, 1 h): n5 was probing an image that could never be well there, when its operator replaced the container
 * by one of the old image. The probe found that one well, nothing was left to commit, and the node told that it was healthy
 * on the release (N9, I9). Since then what runs is looked at once more before an attempt is told to have succeeded.
 */

import { expect, test } from 'vitest';
import { digestOf, SERVICE } from '../world.ts';
import { Stage } from './stage.ts';

test('a node does not say that it is healthy on a release whose container somebody has replaced', async () => {
  const stage = await Stage.open({ nodes: 1 });
  const { world } = stage;
  stage.release();
  await stage.until('it is out', () => world.nodes[0]?.running?.agent.states()[0]?.phase.name === 'probing');
  world.nodes[0]?.model.containers.remove(SERVICE);
  world.nodes[0]?.model.containers.put(SERVICE, { up: true, digest: digestOf('v1') });
  await stage.until('it is healthy', () => stage.reports.some(({ status }) => status === 'healthy'));
  const results = stage.reports.filter(({ attempt }) => attempt !== undefined);
  expect(results.map(({ status }) => status)).toEqual(['updating', 'interrupted', 'updating', 'healthy']);
});
