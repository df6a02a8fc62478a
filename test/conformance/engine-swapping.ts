import type { PinnedImage } from '@swell/shared/domain/image.ts';
import { expect, test } from 'vitest';
import type { Engine } from '../../packages/agent/src/adapters/engine.ts';
import {
  committed,
  cutOver,
  type EngineWorld,
  eventually,
  failure,
  lastGood,
  orderOf,
  prepared,
  running,
  SERVICE,
  stage,
  stopped,
  swapTo,
  TO_LAST_GOOD,
} from './engine-world.ts';

export function swappingCases(world: () => EngineWorld): void {
  const images = () => world().images;
  const only = (image: PinnedImage, up = true) => [{ digest: image.digest, up }];
  /** As an agent sees it that has just begun. */
  const seen = () => world().engine().observe(SERVICE);

  test('every state is told by a fresh engine, and every call may be repeated', async () => {
    const { v1, v2 } = images();
    await world().run(v1);
    const again = async (call: (engine: Engine) => Promise<unknown>): Promise<void> => {
      await call(world().engine());
      await call(world().engine());
    };
    expect(await world().engine().services()).toEqual([SERVICE]);
    expect(await seen()).toEqual(running(v1));
    await again((engine) => stage(engine, v2));
    expect(await seen()).toEqual(running(v1));
    await again((engine) => engine.prepareSwap(orderOf(v2)));
    expect(await seen()).toEqual({ ...running(v1), ...swapTo(v2, 'prepared') });
    expect(await world().engine().services()).toEqual([SERVICE]);
    await again((engine) => engine.cutOver(SERVICE));
    const over = { ...running(v2), ...swapTo(v2, 'cut-over'), ...lastGood(v1) };
    expect(await seen()).toEqual(over);
    await again((engine) => engine.prepareSwap(orderOf(v2)));
    expect(await seen()).toEqual(over);
    await again((engine) => engine.commitSwap(SERVICE));
    expect(await seen()).toEqual({ ...running(v2), ...lastGood(v1) });
    expect(await world().containers()).toEqual(only(v2));
  });

  test('a swap is undone from wherever it is, twice as well as once', async () => {
    const { v1, v2 } = images();
    for (const begin of [prepared, cutOver]) {
      await world().run(v1);
      await begin(world().engine(), v2);
      // I10. Without a registry.
      await world().registry('nothing');
      await world().engine().undoSwap(SERVICE);
      await world().engine().undoSwap(SERVICE);
      await world().registry('answer');
      expect(await seen()).toEqual(running(v1));
      expect(await world().containers()).toEqual(only(v1));
    }
  });

  test('what is over is over: neither an undo nor a commit finds anything more', async () => {
    const { v1, v2 } = images();
    const engine = world().engine();
    await world().run(v1);
    await prepared(engine, v2);
    await engine.undoSwap(SERVICE);
    expect(await failure(engine.commitSwap(SERVICE))).toBe('no failure');
    expect(await failure(engine.cutOver(SERVICE))).toBe('no-container');
    expect(await world().containers()).toEqual(only(v1));
    await committed(engine, v2);
    expect(await failure(engine.undoSwap(SERVICE))).toBe('no failure');
    expect(await failure(engine.cutOver(SERVICE))).toBe('no-container');
    expect(await world().containers()).toEqual(only(v2));
  });

  test('nothing is committed that has not taken over', async () => {
    const { v1, v2 } = images();
    const engine = world().engine();
    await world().run(v1);
    await prepared(engine, v2);
    expect(await failure(engine.commitSwap(SERVICE))).toBe('no-container');
    expect(await seen()).toEqual({ ...running(v1), ...swapTo(v2, 'prepared') });
    await engine.undoSwap(SERVICE);
  });

  test('another attempt takes the place of one that was only prepared', async () => {
    const { v1, v2, sick } = images();
    const engine = world().engine();
    await world().run(v1);
    await prepared(engine, sick);
    await stage(engine, v2);
    await engine.prepareSwap(orderOf(v2, { attempt: '8.update.1' }));
    const swap = { progress: 'prepared', attempt: '8.update.1', target: v2.digest };
    expect(await seen()).toEqual({ ...running(v1), swap });
    expect((await world().containers()).length).toBe(2);
    // One that cannot be prepared has swept away all the same what nobody will take up again.
    const missing = orderOf(images().missing, { attempt: '9.update.1' });
    expect(await failure(engine.prepareSwap(missing))).toBe('image-missing');
    expect(await seen()).toEqual(running(v1));
    // Neither is it the same attempt that goes to another image.
    await engine.prepareSwap(orderOf(sick));
    await engine.prepareSwap(orderOf(v2));
    expect(await seen()).toEqual({ ...running(v1), ...swapTo(v2, 'prepared') });
    await engine.undoSwap(SERVICE);
    expect(await world().containers()).toEqual(only(v1));
  });

  test('no other attempt takes the place of one that has taken over', async () => {
    const { v1, v2, sick } = images();
    const engine = world().engine();
    await world().run(v1);
    await stage(engine, sick);
    await cutOver(engine, v2);
    expect(await failure(engine.prepareSwap(orderOf(sick, { attempt: '8.update.1' })))).toBe('not-carried');
    expect(await seen()).toMatchObject({ ...running(v2), ...swapTo(v2, 'cut-over') });
    await engine.undoSwap(SERVICE);
    expect(await world().containers()).toEqual(only(v1));
  });

  test('one that cannot be started says so, and is gone back from', async () => {
    const { v1, cannotStart } = images();
    const engine = world().engine();
    await world().run(v1);
    await prepared(engine, cannotStart);
    expect(await failure(engine.cutOver(SERVICE))).toBe('start-failed');
    const over = { ...stopped(cannotStart), ...swapTo(cannotStart, 'cut-over'), ...lastGood(v1) };
    expect(await seen()).toEqual(over);
    expect(await engine.probe(SERVICE, { kind: 'automatic' }, 2_000)).toMatchObject({
      healthy: false,
      ended: true,
    });
    await engine.undoSwap(SERVICE);
    expect(await seen()).toEqual(running(v1));
    expect(await world().containers()).toEqual(only(v1));
  });

  test('one that ends as soon as it was started has taken over, and is gone back from', async () => {
    const { v1, ends } = images();
    const engine = world().engine();
    await world().run(v1);
    await cutOver(engine, ends);
    const down = await eventually(world(), seen, ({ state }) => state === 'stopped');
    expect(down).toEqual({ ...stopped(ends), ...swapTo(ends, 'cut-over'), ...lastGood(v1) });
    expect(await failure(engine.cutOver(SERVICE))).toBe('no failure');
    await engine.undoSwap(SERVICE);
    expect(await world().containers()).toEqual(only(v1));
  });

  test('one that ends later shows it, and is started again by whoever commits it all the same', async () => {
    const { v1, v2 } = images();
    const engine = world().engine();
    await world().run(v1);
    await cutOver(engine, v2);
    await world().die();
    const down = await eventually(world(), seen, ({ state }) => state === 'stopped');
    expect(down).toEqual({ ...stopped(v2), ...swapTo(v2, 'cut-over'), ...lastGood(v1) });
    await engine.commitSwap(SERVICE);
    expect(await seen()).toEqual({ ...running(v2), ...lastGood(v1) });
    expect(await world().containers()).toEqual(only(v2));
  });

  test('the way back leads to the last good image, without a registry, for as long as it is here', async () => {
    const { v1, v2 } = images();
    const engine = world().engine();
    await world().run(v1);
    expect(await failure(engine.prepareSwap(orderOf(v2, TO_LAST_GOOD)))).toBe('image-missing');
    await committed(engine, v2);
    await world().registry('nothing');
    await engine.prepareSwap(orderOf(v2, { attempt: '7.return.1', ...TO_LAST_GOOD }));
    const swap = { progress: 'prepared', attempt: '7.return.1', target: v1.digest };
    expect(await seen()).toEqual({ ...running(v2), swap, ...lastGood(v1) });
    await engine.cutOver(SERVICE);
    await engine.commitSwap(SERVICE);
    await world().registry('answer');
    expect(await seen()).toEqual({ ...running(v1), ...lastGood(v1) });

    await engine.prepareSwap(orderOf(v2, { attempt: '8.update.1' }));
    await engine.cutOver(SERVICE);
    await engine.commitSwap(SERVICE);
    await world().forget(v1);
    expect(await seen()).toEqual(running(v2));
    expect(await failure(engine.prepareSwap(orderOf(v2, { attempt: '8.return.1', ...TO_LAST_GOOD })))).toBe(
      'image-missing',
    );
  });

  test('where the order says so, there is nothing to go back to', async () => {
    const { v1, v2 } = images();
    const engine = world().engine();
    await world().run(v1);
    await committed(engine, v2);
    await stage(engine, v1);
    await engine.prepareSwap(orderOf(v1, { attempt: '8.update.1', lastGood: 'none' }));
    await engine.cutOver(SERVICE);
    await engine.commitSwap(SERVICE);
    expect(await seen()).toEqual(running(v1));
  });

  test('a service whose container cannot run may get the image that mends it', async () => {
    const { v2, cannotStart } = images();
    const engine = world().engine();
    await stage(engine, cannotStart);
    await world().run(cannotStart);
    expect(await seen()).toEqual(stopped(cannotStart));
    await cutOver(engine, v2);
    expect(await seen()).toMatchObject(running(v2));
    // It could not run before, and need not run for the swap to be undone.
    expect(await failure(engine.undoSwap(SERVICE))).toBe('no failure');
    expect(await seen()).toEqual(stopped(cannotStart));
    expect(await world().containers()).toEqual(only(cannotStart, false));
  });

  test('without a container there is nothing to swap', async () => {
    const { v1, v2 } = images();
    const engine = world().engine();
    await world().run(v1);
    await stage(engine, v2);
    await world().remove('present');
    expect(await engine.services()).toEqual([]);
    expect(await seen()).toEqual({ state: 'absent', digests: [] });
    expect(await failure(engine.prepareSwap(orderOf(v2)))).toBe('no-container');
    expect(await failure(engine.cutOver(SERVICE))).toBe('no-container');
    expect(await failure(engine.commitSwap(SERVICE))).toBe('no failure');
    expect(await failure(engine.undoSwap(SERVICE))).toBe('no failure');
    expect(await engine.probe(SERVICE, { kind: 'automatic' }, 2_000)).toMatchObject({ healthy: false });
  });
}
