/** A tag that the policy watches, among coordinators that die: what its digests become, on every node. */

import { expect, test } from 'vitest';
import { pointTag } from '../watched-tag.ts';
import { digestOf, SERVICE } from '../world.ts';
import { Stage } from './stage.ts';

const IMAGE = 'registry.example/web:latest';

/** Everybody runs v1, which is what the tag names. */
async function watching(mode: 'auto' | 'propose'): Promise<Stage> {
  const stage = await Stage.open();
  move(stage, 'v1');
  stage.policy({ watch: { image: IMAGE, every: '1m', mode } });
  await stage.world.run(120_000);
  expect(releases(stage)).toBe(0);
  return stage;
}

function move({ world }: Stage, version: string): void {
  pointTag(world, SERVICE, digestOf(version));
}

const releases = (stage: Stage): number =>
  stage.entries.filter((entry) => entry.kind === 'release' && entry.service === SERVICE).length;

const untilAllRun = (stage: Stage, version: string): Promise<void> =>
  stage.until(`everybody runs ${version}`, () =>
    stage.world.nodes.every(
      ({ model }) => model.running(SERVICE) === digestOf(version) && !model.isInTheMiddle,
    ),
  );

test('N1: a new digest reaches everybody by one release, though whoever leads dies whatever he was about to do', {
  timeout: 120_000,
}, async () => {
  const stage = await watching('auto');
  const { world } = stage;
  const stops = new Set<string>();
  world.onCoordinatorEffect = (coordinator, name, when) => {
    const stop = `${name} ${when}`;
    if (stops.has(stop) || coordinator.running === undefined) return;
    stops.add(stop);
    world.killCoordinator(coordinator, { awayMs: 1_000, arriving: 1 });
  };
  move(stage, 'v2');
  await untilAllRun(stage, 'v2');
  world.onCoordinatorEffect = () => {};
  // Nothing is repeated once everybody has calmed down.
  await world.run(300_000);
  expect([...stops]).toContain('look after');
  expect(releases(stage)).toBe(1);
});

test('N1: a proposal outlives its leader, and becomes a release once a person approves it', {
  timeout: 120_000,
}, async () => {
  const stage = await watching('propose');
  const { world } = stage;
  move(stage, 'v2');
  await stage.until('it is proposed', () => stage.hasTold('release-proposed'));
  for (const coordinator of world.coordinators)
    world.killCoordinator(coordinator, { awayMs: 1_000, arriving: 0 });
  await world.run(300_000);
  expect([releases(stage), stage.told('release-proposed')]).toEqual([0, 1]);
  world.control({ action: 'approve', digest: digestOf('v2') });
  await untilAllRun(stage, 'v2');
  expect([releases(stage), stage.told('control-applied')]).toEqual([1, 1]);
});

test('N1: while the registry is away nothing is lost: it is asked again, and the digest comes', {
  timeout: 120_000,
}, async () => {
  const stage = await watching('auto');
  stage.world.registry.isDown = true;
  move(stage, 'v2');
  await stage.until('it is told', () => stage.hasTold('tag-out-of-reach'));
  await stage.world.run(600_000);
  expect([releases(stage), stage.told('tag-out-of-reach')]).toEqual([0, 1]);
  stage.world.registry.isDown = false;
  await untilAllRun(stage, 'v2');
  expect(releases(stage)).toBe(1);
});
