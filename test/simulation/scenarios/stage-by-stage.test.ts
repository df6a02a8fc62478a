/**
 * How far, how many, and who is next: whole coordinators and agents, which know of each other only what the bus carries.
 */

import { rankOf } from '@swell/shared/domain/rank.ts';
import { expect, test } from 'vitest';
import { Stage } from './stage.ts';

const NODES = 24;
const DOUBLING = [12.5, 25, 50, 100];
const LONG = { timeout: 120_000 };

/** The nodes of a region in the order in which its newest wave lets them in. */
function lineOf(stage: Stage, region: string): readonly string[] {
  const { seed } = stage.waves.findLast((wave) => wave.region === region) ?? { seed: '' };
  const names = stage.world.nodes
    .filter(({ model }) => model.region === region)
    .map(({ model }) => model.name);
  return names.toSorted((a, b) => rankOf(seed, a) - rankOf(seed, b));
}

test(
  'N4, P3, P5: stages double, each is a share of every region drawn from a seed, and opens by a word',
  LONG,
  async () => {
    const stage = await Stage.open({ nodes: NODES, policy: { stages: DOUBLING, approval: 'manual' } });
    const regions = [...new Set(stage.world.nodes.map(({ model }) => model.region))];
    stage.release();
    for (const [index, share] of [1, 2, 4].entries()) {
      await stage.until(`stage ${index + 1} is through`, () => stage.told('approval-awaited') === index + 1);
      await stage.world.run(60_000);
      expect(stage.on('v2')).toEqual(
        regions.flatMap((region) => lineOf(stage, region).slice(0, share)).sort(),
      );
      stage.world.control({ action: 'approve' });
    }
    await stage.untilSettled();
    expect(stage.told('stage-approved')).toBe(3);

    const before = regions.map((region) => lineOf(stage, region));
    stage.release();
    await stage.until('the first stage is through', () => stage.told('approval-awaited') === 4);
    expect(regions.map((region) => lineOf(stage, region))).not.toEqual(before);
    expect(stage.on('v3')).toEqual(regions.flatMap((region) => lineOf(stage, region).slice(0, 1)).sort());
  },
);

test('P3: where the policy lets it, stages double without a person', LONG, async () => {
  const stage = await Stage.open({ nodes: NODES, policy: { stages: DOUBLING, soak: '1m' } });
  stage.release();
  await stage.untilSettled();
  expect([stage.told('stage-opened'), stage.told('approval-awaited')]).toEqual([4, 0]);
});

test('P7: a policy that is changed under way holds at once, for whoever leads', LONG, async () => {
  const stage = await Stage.open({ nodes: 9, policy: { stages: [33, 100], approval: 'manual' } });
  stage.release();
  await stage.until('it waits for a person', () => stage.hasTold('approval-awaited'));
  stage.policy({ stages: [33, 66, 100], approval: 'automatic' });
  for (const coordinator of stage.world.coordinators)
    stage.world.killCoordinator(coordinator, { awayMs: 1_000, arriving: 0 });
  await stage.untilSettled();
  await stage.until('it settles', () => stage.hasTold('rollout-settled'));
  // The new stage as well.
  expect(stage.told('stage-opened')).toBe(3);
});

test('P1: who is below the minimum version does not wait for his stage, but for a slot', LONG, async () => {
  const stage = await Stage.open({ nodes: 9 });
  stage.release();
  await stage.until('v2 settles', () => stage.hasTold('rollout-settled'));
  stage.policy({ stages: [34, 100], approval: 'manual', minimumVersion: 'v3' });
  stage.release();
  await stage.untilSettled();
  expect([stage.told('stage-opened'), stage.told('stage-approved')]).toEqual([2, 0]);
  const waves = stage.waves.filter(({ release, phase }) => release.version === 'v3' && phase === 'open');
  expect(new Set(waves.map(({ slots }) => slots))).toEqual(new Set([1]));
  expect(waves.some(({ canaries = [] }) => canaries.length > 0)).toBe(true);
});

test(
  'N11, B12: too many failures halt it, everybody goes back, and the same image is not taken again',
  LONG,
  async () => {
    const stage = await Stage.open({ nodes: 9, policy: { failureBudget: { max: 1 } } });
    stage.world.publishImage('v2', 'sick');
    const image = 'registry.example/web:v2';
    const bad = stage.world.release({ image });
    await stage.until('it rests', () => stage.hasTold('rollout-rested'));
    const failed = stage.reports.filter(({ rollout, status }) => rollout === bad && status === 'failed');
    expect(failed.length).toBeGreaterThanOrEqual(2);
    expect(stage.on('v1').length).toBe(9);
    const starts = stage.starts.length;
    stage.world.release({ image });
    await stage.until('it is refused', () => stage.hasTold('release-rejected'));
    await stage.world.run(300_000);
    expect([stage.starts.length, stage.on('v1').length]).toEqual([starts, 9]);
    // A better one is.
    stage.release();
    await stage.untilSettled();
  },
);
