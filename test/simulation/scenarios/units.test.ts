/** B18: a release of several parts of a stack, by whole coordinators and agents. */

import { unitDigest } from '@swell/shared/domain/unit.ts';
import { expect, test } from 'vitest';
import { digestOf, SERVICE } from '../world.ts';
import { Stage } from './stage.ts';

async function openStacks(lacking: readonly string[] = []): Promise<Stage> {
  const stage = await Stage.open();
  for (const { model } of stage.world.nodes) {
    const container = model.containers.container(SERVICE);
    if (container === undefined) throw new Error('there is no container');
    const parts = lacking.includes(model.name) ? ['web'] : ['web', 'worker'];
    model.containers.put(SERVICE, { ...container, parts });
  }
  return stage;
}

/** A new image for its web part, the old one for its worker; the unit's digest. */
function release(stage: Stage, tag: string): string {
  const web = stage.world.publishImage(tag);
  stage.world.release({
    images: { web: `registry.example/web:${tag}`, worker: 'registry.example/worker:v1' },
  });
  return unitDigest({ web, worker: digestOf('v1') });
}

const running = (stage: Stage) => stage.world.nodes.map(({ model }) => model.running(SERVICE));

test('B18: every node goes over to the unit, and back to what it was when that is halted', {
  timeout: 60_000,
}, async () => {
  const stage = await openStacks();
  const first = release(stage, 'v2');
  await stage.until('it settles', () => stage.hasTold('rollout-settled'));
  expect(running(stage)).toEqual([first, first, first]);
  const second = release(stage, 'v3');
  await stage.until('all are on the second', () => running(stage).every((digest) => digest === second));
  stage.world.control({ action: 'halt' });
  await stage.until('it rests', () => stage.hasTold('rollout-rested'));
  expect(running(stage)).toEqual([first, first, first]);
});

test('B18: a node that lacks a part says so, and the others do not wait for it', {
  timeout: 60_000,
}, async () => {
  const stage = await openStacks(['n1']);
  const unit = release(stage, 'v2');
  await stage.until('it settles', () => stage.hasTold('rollout-settled'));
  expect(running(stage)).toEqual([unit, digestOf('v1'), unit]);
  expect(
    stage.reports.filter(({ status }) => status === 'refused').map(({ node, reason }) => [node, reason]),
  ).toEqual([['n1', 'it has no part worker, which the release brings']]);
});
