import { expect, test } from 'vitest';
import type { Engine } from '../../packages/agent/src/adapters/engine.ts';
import {
  committed,
  type EngineWorld,
  failure,
  lastGood,
  orderOf,
  running,
  SERVICE,
  stage,
  TO_LAST_GOOD,
} from './engine-world.ts';

export function stagingCases(world: () => EngineWorld): void {
  const staged = (engine: Engine, name: keyof EngineWorld['images'], signal = AbortSignal.timeout(60_000)) =>
    failure(engine.stageImage(world().images[name], signal));

  test('an image is brought here once; then nobody needs the registry', async () => {
    const { images } = world();
    const engine = world().engine();
    await world().run(images.v1);
    await world().forget(images.v2);
    expect(await failure(engine.prepareSwap(orderOf(images.v2)))).toBe('image-missing');
    await stage(engine, images.v2);
    await world().registry('nothing');
    expect(await staged(engine, 'v2')).toBe('no failure');
    expect(await staged(world().engine(), 'v2', AbortSignal.abort())).toBe('no failure');
    await world().registry('answer');
    await engine.prepareSwap(orderOf(images.v2));
    await engine.undoSwap(SERVICE);
    expect(await engine.observe(SERVICE)).toEqual(running(images.v1));
  });

  test('what was brought here goes where nobody needs it; what runs, and what it goes back to, stays', async () => {
    const { v1, v2, sick } = world().images;
    const engine = world().engine();
    const bring = (name: 'v2' | 'sick') =>
      engine.stageImage(world().images[name], AbortSignal.timeout(60_000), SERVICE);
    await world().run(v1);
    for (const image of [v2, sick]) await world().forget(image);
    await bring('v2');
    await bring('sick');
    expect(await engine.cleanImages('other')).toEqual([]);
    expect(await engine.cleanImages(SERVICE, [v2.digest])).toHaveLength(1);
    expect(await failure(engine.prepareSwap(orderOf(sick)))).toBe('image-missing');
    await committed(engine, v2);
    await bring('sick');
    await committed(engine, sick);
    expect(await engine.cleanImages(SERVICE)).toEqual([]);
    expect(await engine.observe(SERVICE)).toEqual({ ...running(sick), ...lastGood(v2) });
    await engine.prepareSwap(orderOf(sick, TO_LAST_GOOD));
    await engine.undoSwap(SERVICE);
  });

  test('a pull that fails says whether it may be tried again', async () => {
    const engine = world().engine();
    await world().run(world().images.v1);
    await world().forget(world().images.v2);
    await world().registry('nothing');
    expect(await staged(engine, 'v2')).toBe('pull-failed');
    await world().registry('lie');
    // I11. Of one that this machine has never seen: Docker knows the manifests of the others by their digests.
    expect(await staged(engine, 'missing')).toBe('digest-mismatch');
    await world().registry('answer');
    expect(await staged(engine, 'v2', AbortSignal.abort())).toBe('pull-failed');
    expect(await staged(engine, 'missing')).toBe('image-missing');
    expect(await failure(engine.prepareSwap(orderOf(world().images.missing)))).toBe('image-missing');
    expect(await staged(engine, 'v2')).toBe('no failure');
  });
}
