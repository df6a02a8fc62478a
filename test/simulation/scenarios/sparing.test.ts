/**
 * What a halt of an undo does: the fleet has settled on v2, and was on its way to v3, when a person leads it back. Whole
 * coordinators and agents, which know of each other only what the bus carries.
 */

import { expect, test } from 'vitest';
import { digestOf, SERVICE } from '../world.ts';
import { Stage } from './stage.ts';

const HALVES = { stages: [50, 100], approval: 'manual' };

/** Everybody has settled on v2, and half of them are on v3. */
async function open(): Promise<Stage> {
  const stage = await Stage.open({ nodes: 6 });
  stage.release();
  await stage.until('v2 settles', () => stage.hasTold('rollout-settled'));
  stage.policy(HALVES);
  stage.release();
  await stage.until('half of them are through', () => stage.hasTold('approval-awaited'));
  expect([stage.on('v2').length, stage.on('v3').length]).toEqual([3, 3]);
  return stage;
}

function running(stage: Stage): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(stage.world.nodes.map(({ model }) => [model.name, model.running(SERVICE)]));
}

const halts = (stage: Stage) =>
  stage.entries.flatMap((entry) => (entry.kind === 'halt' && entry.halt !== undefined ? [entry.halt] : []));

test('B14: a person halts an undo: everybody stays where he is, and nobody goes to v1', {
  timeout: 240_000,
}, async () => {
  const stage = await open();
  stage.world.control({ action: 'undo' });
  await stage.until('its first stage is through', () => stage.told('approval-awaited') === 2);
  const before = running(stage);
  // Some have come back, and some are still to come.
  expect([stage.on('v2').length > 3, stage.on('v3').length > 0]).toEqual([true, true]);
  stage.world.control({ action: 'halt' });
  await stage.until('it rests', () => stage.hasTold('rollout-rested'));
  await stage.world.run(600_000);
  expect(running(stage)).toEqual(before);
  expect([stage.on('v1'), stage.reports.filter(({ status }) => status === 'returning')]).toEqual([[], []]);
  expect(stage.broken()).toEqual([]);
});

test('N11: an undo fails its budget: those who failed are on v3 as before, and nobody goes to v1', {
  timeout: 240_000,
}, async () => {
  const stage = await open();
  for (const node of stage.on('v3')) stage.world.ailments.ail(digestOf('v2'), 'sick', node);
  stage.policy({ failureBudget: { max: 1 } });
  const before = running(stage);
  stage.world.control({ action: 'undo' });
  await stage.until('it rests', () => stage.hasTold('rollout-rested'));
  await stage.world.run(600_000);
  expect(running(stage)).toEqual(before);
  const [first] = stage.entries.flatMap((entry) => (entry.kind === 'release' ? [entry.rollout] : []));
  expect(halts(stage).at(-1)).toMatchObject({ digest: digestOf('v2'), stay: true, settledAs: first });
  // What comes next, and is halted as well, leads back to what has settled, not beyond it.
  for (const node of stage.on('v3')) stage.world.ailments.heal(digestOf('v2'), node);
  stage.release();
  await stage.until('v4 settles', () => stage.told('rollout-settled') === 2);
  stage.world.control({ action: 'halt' });
  await stage.until('all are on v2', () => stage.on('v2').length === 6);
  await stage.world.run(120_000);
  expect(stage.broken()).toEqual([]);
});
