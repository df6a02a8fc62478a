/** What an operator says in one message each: whole coordinators and agents, which know of each other only what the bus carries. */

import { expect, test } from 'vitest';
import { digestOf, SERVICE } from '../world.ts';
import { Stage } from './stage.ts';

function running(stage: Stage): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(stage.world.nodes.map(({ model }) => [model.name, model.running(SERVICE)]));
}

const all = (stage: Stage, tag: string) => () =>
  stage.world.nodes.every(({ model }) => model.running(SERVICE) === digestOf(tag) && !model.isInTheMiddle);

test('Z6: undo brings back what had settled before, and its number is the sequence of its release', {
  timeout: 120_000,
}, async () => {
  const stage = await Stage.open();
  stage.release();
  await stage.until('v2 settles', () => stage.hasTold('rollout-settled'));
  const second = stage.release();
  await stage.until('v3 settles', () => stage.told('rollout-settled') === 2);
  stage.world.control({ action: 'undo' });
  await stage.until('it is answered', () => stage.hasTold('control-applied'));
  for (const coordinator of stage.world.coordinators)
    stage.world.killCoordinator(coordinator, { awayMs: 1_000, arriving: 0 });
  await stage.until('all are on v2 again', all(stage, 'v2'));
  await stage.until('it settles', () => stage.told('rollout-settled') === 3);
  const releases = stage.entries.flatMap((entry) => (entry.kind === 'release' ? [entry.rollout] : []));
  expect(releases).toEqual([second - 1, second, second + 1]);
});

test('B2: a node that an operator holds stays, whatever is released, until he lets it go', {
  timeout: 120_000,
}, async () => {
  const stage = await Stage.open();
  stage.world.control({ action: 'hold', nodes: ['n1'], reason: 'new disks' });
  stage.release();
  await stage.until('v2 settles', () => stage.hasTold('rollout-settled'));
  stage.release();
  await stage.until('v3 settles', () => stage.told('rollout-settled') === 2);
  await stage.world.run(60_000);
  expect(running(stage)['n1']).not.toBe(digestOf('v3'));
  expect(
    new Set(stage.reports.flatMap(({ reason = '' }) => (reason.includes('held') ? [reason] : []))),
  ).toEqual(new Set(['it is held: new disks']));
  stage.world.control({ action: 'unhold', nodes: ['n1'] });
  await stage.until('all are on v3', all(stage, 'v3'));
});

test('B14: after a halt without return those on the release stay, and the others never come', {
  timeout: 120_000,
}, async () => {
  const stage = await Stage.open({ nodes: 6, policy: { stages: [50, 100], approval: 'manual' } });
  stage.release();
  await stage.until('half of them are through', () => stage.hasTold('approval-awaited'));
  const before = running(stage);
  expect(new Set(Object.values(before)).size).toBe(2);
  stage.world.control({ action: 'halt', return: false });
  await stage.until('it rests', () => stage.hasTold('rollout-rested'));
  await stage.world.run(300_000);
  expect(running(stage)).toEqual(before);
  stage.world.control({ action: 'halt' });
  await stage.until('it rests again', () => stage.told('rollout-rested') === 2);
  expect(new Set(Object.values(running(stage))).size).toBe(1);
  expect(Object.values(running(stage))).not.toContain(digestOf('v2'));
});

test('B14: a node that failed tries again once for each word, and nobody else does', {
  timeout: 120_000,
}, async () => {
  const stage = await Stage.open();
  stage.world.ailments.ail(digestOf('v2'), 'sick', 'n1');
  const number = stage.release();
  const failures = () =>
    stage.reports.flatMap(({ status, node, retry }) => (status === 'failed' ? [[node, retry]] : []));
  await stage.until('n1 fails', () => failures().length === 1);
  await stage.until('it settles', () => stage.hasTold('rollout-settled'));
  stage.world.control({ action: 'retry', rollout: number });
  await stage.until('n1 fails again', () => failures().length === 2);
  await stage.world.run(120_000);
  expect(failures()).toEqual([
    ['n1', undefined],
    ['n1', 1],
  ]);
  expect(stage.reports.filter(({ status }) => status === 'updating').length).toBe(4);
});
