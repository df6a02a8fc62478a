/** The past comes back: of one server only, whose disk can be copied. */

import type { Bus } from '@swell/shared/adapters/bus.ts';
import { expect, test } from 'vitest';
import { bytes, takeUntil, text } from '../support/listen.ts';
import { eventually, insist, LOG, type MakeWorld, put, SLOTS, slot } from './world.ts';

const KEY = slot('eu');

export function rewindCases(makeWorld: MakeWorld): void {
  test('a disk set back: sequences and ids of after are forgotten, and followers go on with what is new', async () => {
    await using world = await makeWorld();
    const bus = await world.connect();
    const followed = bus.follow({ stream: SLOTS, subjects: ['$KV.swell_slots.>'], from: 'last' });
    await put(bus, KEY, 'kept', { id: 'kept' });
    await world.save();
    for (let turn = 0; turn < 9; turn += 1) {
      await insist(world, () => put(bus, KEY, `lost ${turn}`, { id: `lost ${turn}` }));
    }
    await takeUntil(followed, ({ sequence }) => sequence === 10);
    await world.rewind();
    expect(text((await insist(world, () => bus.readLast(SLOTS, KEY)))?.body ?? bytes(''))).toBe('kept');
    expect(await put(bus, KEY, 'kept', { id: 'kept' })).toEqual({ sequence: 1, duplicate: true });
    const anew = await put(bus, KEY, 'lost 8', { id: 'lost 8', expectLast: 1 });
    expect(anew).toEqual({ sequence: 2, duplicate: false });
    // It takes the follower a few looks to believe it.
    const [heard] = (await takeUntil(followed, ({ body }) => text(body) === 'lost 8')).slice(-1);
    expect(heard?.sequence).toBe(2);
  });

  test('a disk set back, and as much said again before anybody looks: followers hear what is new', async () => {
    await using world = await makeWorld();
    const bus = await world.connect();
    const followed = bus.follow({ stream: SLOTS, subjects: ['$KV.swell_slots.>'], from: 'last' });
    await put(bus, KEY, 'kept');
    await world.save();
    await insist(world, () => put(bus, KEY, 'lost'));
    await takeUntil(followed, ({ sequence }) => sequence === 2);
    await world.rewind();
    expect(await insist(world, () => put(bus, KEY, 'new'))).toMatchObject({ sequence: 2 });
    const [heard] = (await takeUntil(followed, ({ body }) => text(body) === 'new')).slice(-1);
    expect(heard?.sequence).toBe(2);
  });

  test('of a bucket that is set back alone the log copies nothing before it is as long as it was', async () => {
    await using world = await makeWorld();
    const bus = await world.connect();
    const { logged, atEnd } = readLog(bus);
    await put(bus, KEY, 'a');
    await world.save();
    for (const body of ['b', 'c']) await insist(world, () => put(bus, KEY, body));
    await eventually(world, () => logged.length === 3);
    await world.rewind(SLOTS);
    for (const body of ['d', 'e', 'f']) await insist(world, () => put(bus, KEY, body));
    await eventually(world, () => logged.length === 4);
    expect(logged).toEqual(['1 a', '2 b', '3 c', '4 f']);
    await atEnd();
  });

  test('of a bucket that was made again the log copies everything, but for ids that it knows', async () => {
    await using world = await makeWorld();
    const bus = await world.connect();
    const { logged, atEnd } = readLog(bus);
    for (const body of ['a', 'b', 'c']) await put(bus, KEY, body, { id: body });
    await eventually(world, () => logged.length === 3);
    await world.recreate(SLOTS);
    for (const id of ['d', 'a', 'e']) await insist(world, () => put(bus, KEY, `${id} again`, { id }));
    // The server looks after a source that vanished every ten seconds.
    await eventually(world, () => logged.length === 5);
    expect(logged).toEqual(['1 a', '2 b', '3 c', '1 d again', '3 e again']);
    await atEnd();
  });
}

function readLog(bus: Bus): { readonly logged: readonly string[]; readonly atEnd: () => Promise<void> } {
  const logged: string[] = [];
  const log = bus.follow({ stream: LOG, subjects: ['swell.slot.>'], from: 1 });
  const reading = (async () => {
    for await (const { sourceSequence, body } of log) logged.push(`${sourceSequence} ${text(body)}`);
  })();
  const atEnd = (): Promise<void> => {
    log.close();
    return reading;
  };
  return { logged, atEnd };
}
