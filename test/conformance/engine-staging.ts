import { expect, test } from 'vitest';
import type { Engine } from '../../packages/agent/src/adapters/engine.ts';
import { type EngineWorld, failure, orderOf, running, SERVICE, stage } from './engine-world.ts';

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
