/**
 * Who comes first, who stays, and how fast it goes: whole coordinators and agents, which know of each other only what the
 * bus carries.
 */

import { expect, test } from 'vitest';
import { Stage } from './stage.ts';

test('P2: a node that its operator calls a canary goes first, and the others when it has been watched', {
  timeout: 60_000,
}, async () => {
  const stage = await Stage.open({
    nodes: 9,
    policy: { canary: { label: 'canary', soak: '1m' } },
    labels: { n5: ['rack=7', 'canary'] },
  });
  stage.release();
  await stage.untilSettled();
  const [[first, firstMs] = ['', 0], [, secondMs] = ['', 0]] = stage.starts;
  expect(first).toBe('n5');
  // Ten seconds of health, and then its soak.
  expect(secondMs - firstMs).toBeGreaterThanOrEqual(70_000);
  expect(stage.starts.length).toBe(9);
});

test('B2: a node that is held says why and stays, until the hold is lifted', {
  timeout: 60_000,
}, async () => {
  const reason = 'its disks are being replaced';
  const stage = await Stage.open({
    policy: { hold: [{ label: 'rack=7', reason }] },
    labels: { n1: ['rack=7'] },
  });
  stage.release();
  await stage.until('it settles', () => stage.hasTold('rollout-settled'));
  await stage.world.run(60_000);
  expect(stage.on('v2')).toEqual(['n0', 'n2']);
  expect(
    stage.reports.filter(({ status }) => status === 'refused').map(({ node, reason: why }) => [node, why]),
  ).toEqual([['n1', `it is held: ${reason}`]]);
  stage.policy({});
  await stage.untilSettled();
});

test('P4, P6: at a safe rate nodes start in their time, and a take-over takes none of it back', {
  timeout: 60_000,
}, async () => {
  // Of each region's one node: it is let through after the whole time.
  const stage = await Stage.open({ policy: { safeRate: '100%/2m' } });
  stage.release();
  await stage.until('it opens', () => stage.hasTold('stage-opened'));
  const openedAtMs = stage.world.nowMs;
  await stage.world.run(60_000);
  const killedAtMs = stage.world.nowMs;
  for (const coordinator of stage.world.coordinators)
    stage.world.killCoordinator(coordinator, { awayMs: 1_000, arriving: 0 });
  await stage.untilSettled();
  const [[, firstMs] = ['', 0]] = stage.starts;
  expect(firstMs - openedAtMs).toBeGreaterThanOrEqual(120_000);
  // What had been counted is kept: less than the whole time is left, and a lease and a few looks.
  expect(firstMs - killedAtMs).toBeLessThan(110_000);
});
