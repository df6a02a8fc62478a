import type { PinnedImage } from '@swell/shared/domain/image.ts';
import { expect, test } from 'vitest';
import {
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
} from './engine-world.ts';

export function handCases(world: () => EngineWorld): void {
  const images = () => world().images;
  const only = (image: PinnedImage, up = true) => [{ digest: image.digest, up }];
  const seen = () => world().engine().observe(SERVICE);

  test('a container that its operator has stopped is not touched (I12), until he starts it', async () => {
    const { v1, v2 } = images();
    const engine = world().engine();
    await world().run(v1);
    await stage(engine, v2);
    await world().stop();
    expect(await seen()).toEqual({ ...stopped(v1), obstacle: 'is stopped' });
    expect(await failure(engine.prepareSwap(orderOf(v2)))).toBe('not-carried');
    expect(await world().containers()).toEqual(only(v1, false));
    await world().start();
    expect(await seen()).toEqual(running(v1));
    expect(await failure(engine.prepareSwap(orderOf(v2)))).toBe('no failure');
    await engine.undoSwap(SERVICE);
  });

  test('one that is stopped once a swap is prepared stays stopped when that is undone', async () => {
    const { v1, v2 } = images();
    const engine = world().engine();
    await world().run(v1);
    await prepared(engine, v2);
    await world().stop();
    expect(await seen()).toEqual({ ...stopped(v1), ...swapTo(v2, 'prepared') });
    await engine.undoSwap(SERVICE);
    expect(await seen()).toEqual({ ...stopped(v1), obstacle: 'is stopped' });
    expect(await world().containers()).toEqual(only(v1, false));
  });

  test('one that is stopped once it has taken over is started by whoever commits it', async () => {
    const { v1, v2 } = images();
    const engine = world().engine();
    await world().run(v1);
    await cutOver(engine, v2);
    await world().stop();
    expect(await seen()).toEqual({ ...stopped(v2), ...swapTo(v2, 'cut-over'), ...lastGood(v1) });
    expect(await engine.probe(SERVICE, { kind: 'automatic' }, 2_000)).toMatchObject({
      healthy: false,
      ended: true,
    });
    await engine.commitSwap(SERVICE);
    expect(await seen()).toEqual({ ...running(v2), ...lastGood(v1) });
    expect(await world().containers()).toEqual(only(v2));
  });

  test('where the prepared container is removed there is no swap any more', async () => {
    const { v1, v2 } = images();
    const engine = world().engine();
    await world().run(v1);
    await prepared(engine, v2);
    await world().remove('other');
    expect(await seen()).toEqual(running(v1));
    expect(await failure(engine.cutOver(SERVICE))).toBe('no-container');
    expect(await failure(engine.undoSwap(SERVICE))).toBe('no failure');
    expect(await world().containers()).toEqual(only(v1));
  });

  test.each(['commitSwap', 'undoSwap'] as const)(
    'where the old container is removed before the new one takes over, %s goes on with the new one',
    async (end) => {
      const { v1, v2 } = images();
      const engine = world().engine();
      await world().run(v1);
      await prepared(engine, v2);
      await world().remove('present');
      expect(await seen()).toEqual({ ...stopped(v2), ...swapTo(v2, 'committed'), ...lastGood(v1) });
      expect(await failure(engine.cutOver(SERVICE))).toBe('no failure');
      expect(await failure(engine[end](SERVICE))).toBe(end === 'undoSwap' ? 'no-container' : 'no failure');
      expect(await seen()).toEqual({ ...running(v2), ...lastGood(v1) });
      expect(await world().containers()).toEqual(only(v2));
    },
  );

  test.each(['commitSwap', 'undoSwap'] as const)(
    'where the old container is removed after the new one has taken over, %s leaves the new one',
    async (end) => {
      const { v1, v2 } = images();
      const engine = world().engine();
      await world().run(v1);
      await cutOver(engine, v2);
      await world().remove('other');
      expect(await seen()).toEqual({ ...running(v2), ...swapTo(v2, 'committed'), ...lastGood(v1) });
      expect(await failure(engine[end](SERVICE))).toBe(end === 'undoSwap' ? 'no-container' : 'no failure');
      expect(await seen()).toEqual({ ...running(v2), ...lastGood(v1) });
      expect(await world().containers()).toEqual(only(v2));
    },
  );

  test.each(['commitSwap', 'undoSwap'] as const)(
    'where the new container is removed after it has taken over, %s brings the old one back',
    async (end) => {
      const { v1, v2 } = images();
      const engine = world().engine();
      await world().run(v1);
      await cutOver(engine, v2);
      await world().remove('present');
      const swap = { progress: 'prepared', attempt: 'unknown' };
      expect(await seen()).toEqual({ ...stopped(v1), swap });
      expect(await engine.probe(SERVICE, { kind: 'automatic' }, 2_000)).toMatchObject({ gone: true });
      expect(await failure(engine.cutOver(SERVICE))).toBe('no-container');
      expect(await failure(engine[end](SERVICE))).toBe(end === 'commitSwap' ? 'no-container' : 'no failure');
      expect(await seen()).toEqual(running(v1));
      expect(await world().containers()).toEqual(only(v1));
    },
  );

  test('the next attempt sweeps away what somebody left of the one before', async () => {
    const { v1, v2, sick } = images();
    const engine = world().engine();
    await stage(engine, sick);
    await world().run(v1);
    await cutOver(engine, sick);
    await world().remove('present');
    await stage(engine, v2);
    await engine.prepareSwap(orderOf(v2, { attempt: '8.update.1' }));
    const swap = { progress: 'prepared', attempt: '8.update.1', target: v2.digest };
    expect(await seen()).toEqual({ ...running(v1), swap });
    await engine.cutOver(SERVICE);
    await world().remove('other');
    await engine.prepareSwap(orderOf(sick, { attempt: '9.update.1' }));
    const next = { progress: 'prepared', attempt: '9.update.1', target: sick.digest };
    expect(await seen()).toEqual({ ...running(v2), swap: next, ...lastGood(v1) });
    await engine.undoSwap(SERVICE);
    expect(await world().containers()).toEqual(only(v2));
  });

  test('whatever is done is announced, by hands or by a swap, until the engine is disposed', async () => {
    const { v1, v2 } = images();
    const engine = world().engine();
    const heard: string[] = [];
    const listening = (async () => {
      for await (const service of engine.changes()) heard.push(service);
    })();
    const untilHeard = (service: string, patienceMs: number): Promise<boolean> =>
      eventually(
        world(),
        async () => heard.includes(service),
        (isHeard) => isHeard,
        patienceMs,
      ).catch(() => false);
    const expectHeard = async (service: string, act: () => Promise<unknown>): Promise<void> => {
      heard.length = 0;
      await act();
      expect(await untilHeard(service, 60_000)).toBe(true);
    };
    // The first may come before anybody listens.
    for (let tries = 0; tries < 60; tries += 1) {
      await world().run(v1);
      if (await untilHeard(SERVICE, 1_000)) break;
    }
    await expectHeard('other', () => world().runOther('other'));
    await expectHeard(SERVICE, () => world().run(v1));
    await expectHeard(SERVICE, () => world().stop());
    await expectHeard(SERVICE, () => world().start());
    await stage(engine, v2);
    await expectHeard(SERVICE, () => engine.prepareSwap(orderOf(v2)));
    await expectHeard(SERVICE, () => engine.cutOver(SERVICE));
    await expectHeard(SERVICE, () => engine.commitSwap(SERVICE));
    await expectHeard(SERVICE, () => world().remove('present'));
    await engine[Symbol.asyncDispose]();
    await listening;
  });
}
