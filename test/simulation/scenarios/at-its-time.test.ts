/** When it may begin, and where: whole coordinators and agents, which know of each other only what the bus carries. */

import { expect, test } from 'vitest';
import { Stage } from './stage.ts';

const MINUTE_MS = 60_000;
const LONG = { timeout: 120_000 };

/** As a window says it, to the minute. */
function clock(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 16);
}

test('N5: a region starts in its own window, and the others need not wait for it', LONG, async () => {
  const stage = await Stage.open({ nodes: 6 });
  const opensAtMs = Math.ceil(stage.world.nowMs / MINUTE_MS) * MINUTE_MS + 10 * MINUTE_MS;
  const open = [`${clock(opensAtMs)}-${clock(opensAtMs + 60 * MINUTE_MS)} UTC`];
  stage.policy({ windows: { 'eu-west': { open } } });
  stage.release();
  await stage.untilSettled();
  const isThere = new Set(
    stage.world.nodes.filter(({ model }) => model.region === 'eu-west').map(({ model }) => model.name),
  );
  for (const [node, atMs] of stage.starts)
    expect([node, atMs >= opensAtMs]).toEqual([node, isThere.has(node)]);
  expect([stage.told('window-closed'), stage.told('window-opened')]).toEqual([1, 1]);
});

test('N5: regions come one after the other, the first watched for longer', LONG, async () => {
  const stage = await Stage.open({
    nodes: 9,
    policy: { regions: [['us-east'], ['eu-west', 'ap-south']], firstGroupSoak: '10m' },
  });
  stage.release();
  await stage.untilSettled();
  const regionOf = new Map(stage.world.nodes.map(({ model }) => [model.name, model.region]));
  const groups = stage.starts.map(([node]) => (regionOf.get(node) === 'us-east' ? 'first' : 'then'));
  expect(groups).toEqual([...Array(3).fill('first'), ...Array(6).fill('then')]);
  const [[, lastMs] = ['', 0], [, nextMs] = ['', 0]] = stage.starts.slice(2, 4);
  expect(nextMs - lastMs).toBeGreaterThanOrEqual(10 * MINUTE_MS);
});

test('B1: a release cools down before it begins, an urgent one does not', LONG, async () => {
  const stage = await Stage.open({ policy: { coolDown: '10m' } });
  const publishedAtMs = stage.world.nowMs;
  stage.release();
  await stage.untilSettled();
  const [[, firstMs] = ['', 0]] = stage.starts;
  expect(firstMs - publishedAtMs).toBeGreaterThanOrEqual(10 * MINUTE_MS);
  await stage.until('it settles', () => stage.hasTold('rollout-settled'));

  stage.world.publishImage('v3');
  const urgentAtMs = stage.world.nowMs;
  stage.world.release({ image: 'registry.example/web:v3', urgent: true });
  await stage.untilSettled();
  const [, nextMs = 0] = stage.starts[3] ?? [];
  expect(nextMs - urgentAtMs).toBeLessThan(5 * MINUTE_MS);
});
