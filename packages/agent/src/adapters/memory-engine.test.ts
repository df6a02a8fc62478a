import { describe, expect, it } from 'vitest';
import type { SwapOrder } from '../core/container.ts';
import { EngineError } from './engine.ts';
import { MemoryEngine, MemoryNode } from './memory-engine.ts';

const V1 = `sha256:${'1'.repeat(64)}`;
const V2 = `sha256:${'2'.repeat(64)}`;
const IMAGE = { repository: 'registry.example/web', digest: V2 };
const ORDER: SwapOrder = {
  service: 'web',
  attempt: '7.update.1',
  target: { kind: 'release', image: IMAGE },
  lastGood: 'running',
};
const NEVER = new AbortController().signal;

function newNode(): MemoryNode {
  return new MemoryNode({ web: { up: true, digest: V1 } });
}

describe('the engine in memory', () => {
  it('swaps, and keeps the way back', async () => {
    await using engine = new MemoryEngine(newNode());
    await engine.stageImage(IMAGE, NEVER);
    await engine.prepareSwap(ORDER);
    expect(await engine.observe('web')).toEqual({
      state: 'running',
      digests: [V1],
      swap: { progress: 'prepared', attempt: '7.update.1', target: V2 },
    });
    await engine.cutOver('web');
    expect(await engine.observe('web')).toMatchObject({ digests: [V2], swap: { progress: 'cut-over' } });
    await engine.commitSwap('web');
    expect(await engine.observe('web')).toEqual({
      state: 'running',
      digests: [V2],
      lastGood: { digest: V1 },
    });
  });

  it('leaves what it began to the engine that comes after it', async () => {
    const node = newNode();
    node.images.add(V2);
    node.ailments.sick.add(V2);
    const first = new MemoryEngine(node);
    await first.prepareSwap(ORDER);
    await first.cutOver('web');
    await using second = new MemoryEngine(node);
    expect(await second.probe('web', { kind: 'automatic' }, 1_000)).toMatchObject({ healthy: false });
    await second.undoSwap('web');
    expect(await second.observe('web')).toEqual({ state: 'running', digests: [V1] });
  });

  it('says no as Docker does', async () => {
    const node = newNode();
    await using engine = new MemoryEngine(node);
    await expect(engine.prepareSwap(ORDER)).rejects.toMatchObject({ code: 'image-missing' });
    await expect(engine.prepareSwap({ ...ORDER, service: 'no' })).rejects.toMatchObject({
      code: 'no-container',
    });
    node.ailments.missing.add(V2);
    await expect(engine.stageImage(IMAGE, NEVER)).rejects.toMatchObject({ code: 'image-missing' });
    node.images.add(V2);
    node.ailments.failsToStart.add(V2);
    await engine.prepareSwap(ORDER);
    await expect(engine.cutOver('web')).rejects.toMatchObject({ code: 'start-failed' });
    expect(await engine.probe('web', { kind: 'automatic' }, 1_000)).toMatchObject({ ended: true });
  });

  it('needs no registry for what lies here already', async () => {
    const node = newNode();
    await using engine = new MemoryEngine(node);
    node.images.add(V2);
    node.ailments.missing.add(V2);
    await expect(engine.stageImage(IMAGE, AbortSignal.abort())).resolves.toBeUndefined();
  });

  it('starts what is committed though it has ended, and leaves down what never could be started', async () => {
    const node = newNode();
    node.images.add(V2);
    await using engine = new MemoryEngine(node);
    await engine.prepareSwap(ORDER);
    await engine.cutOver('web');
    node.put('web', { up: false, digest: V2, lastGood: V1 });
    await engine.commitSwap('web');
    expect(node.container('web')).toEqual({ up: true, digest: V2, lastGood: V1 });
    node.ailments.failsToStart.add(V1);
    node.put('web', { up: false, digest: V1 });
    await engine.prepareSwap(ORDER);
    await engine.cutOver('web');
    await engine.undoSwap('web');
    expect(node.container('web')).toEqual({ up: false, digest: V1 });
  });

  it.each(['commitSwap', 'undoSwap'] as const)(
    'stays with the container that is left where somebody took the other one away: %s',
    async (end) => {
      const node = newNode();
      node.images.add(V2);
      await using engine = new MemoryEngine(node);
      const [late, early] = end === 'undoSwap' ? ['no-container', 'done'] : ['done', 'no-container'];
      const ended = () =>
        engine[end]('web').then(
          () => 'done',
          (error: unknown) => (error instanceof EngineError ? error.code : error),
        );
      const onV2 = { up: true, digest: V2, lastGood: V1 };

      await engine.prepareSwap(ORDER);
      node.removePresent('web');
      expect(await engine.observe('web')).toMatchObject({
        state: 'stopped',
        swap: { progress: 'committed' },
      });
      expect(await ended()).toBe(late);
      expect([node.container('web'), node.swaps.size]).toEqual([onV2, 0]);

      node.put('web', { up: true, digest: V1 });
      await engine.prepareSwap(ORDER);
      await engine.cutOver('web');
      node.removeOther('web');
      expect(await ended()).toBe(late);
      expect([node.container('web'), node.swaps.size]).toEqual([onV2, 0]);

      node.put('web', { up: true, digest: V1 });
      await engine.prepareSwap(ORDER);
      await engine.cutOver('web');
      node.removePresent('web');
      expect(await engine.observe('web')).toEqual({
        state: 'stopped',
        digests: [V1],
        swap: { progress: 'prepared', attempt: 'unknown' },
      });
      expect(await ended()).toBe(early);
      expect([node.container('web'), node.swaps.size]).toEqual([{ up: true, digest: V1 }, 0]);
    },
  );

  it('tells of what somebody does by hand, until it is disposed', async () => {
    const node = newNode();
    const engine = new MemoryEngine(node);
    const heard = engine.changes()[Symbol.asyncIterator]();
    const first = heard.next();
    node.put('web', { up: false, digest: V1 });
    expect(await first).toEqual({ done: false, value: 'web' });
    const end = heard.next();
    await engine[Symbol.asyncDispose]();
    expect(await end).toMatchObject({ done: true });
  });
});
