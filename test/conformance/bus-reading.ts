import type { Bus, StoredMessage } from '@swell/shared/adapters/bus.ts';
import { beforeAll, expect, test } from 'vitest';
import { text } from '../support/listen.ts';
import { type BusWorld, eventually, failure, newRegion, put, SLOTS, slot } from './world.ts';

export function readingCases(world: () => BusWorld): void {
  let bus: Bus;
  beforeAll(async () => {
    bus = await world().connect();
  });

  test('the last of each: below a wildcard, deleted ones too, in the order of their storing', async () => {
    const region = newRegion();
    await put(bus, slot(region, 0), 'old');
    await put(bus, slot(region, 1), 'one');
    const two = await put(bus, slot(region, 2), 'two');
    await put(bus, slot(region, 0), 'new');
    const last = await put(bus, slot(region, 2), '', { deletes: true, expectLast: two.sequence });
    // A replica may be behind, also one that is asked after another one that is not.
    const readUpToDate = async (subjects: readonly string[]): Promise<readonly StoredMessage[]> => {
      let found: readonly StoredMessage[] = [];
      await eventually(world(), async () => {
        found = await bus.readLastOfEach(SLOTS, subjects);
        return found.at(-1)?.sequence === last.sequence;
      });
      return found;
    };
    const found = await readUpToDate([`$KV.swell_slots.${region}.web.*`]);
    expect(found.map(({ subject, deleted, body }) => [subject, deleted, text(body)])).toEqual([
      [slot(region, 1), false, 'one'],
      [slot(region, 0), false, 'new'],
      [slot(region, 2), true, ''],
    ]);
    const overlapping = [slot(region, 0), `$KV.swell_slots.${region}.>`, slot(region, 7)];
    expect((await readUpToDate(overlapping)).length).toBe(3);
  });

  test('where nothing is, nothing is found', async () => {
    expect(await bus.readLastOfEach(SLOTS, [`$KV.swell_slots.${newRegion()}.>`])).toEqual([]);
    expect(await bus.readLastOfEach(SLOTS, [])).toEqual([]);
    expect(await bus.readLast(SLOTS, slot(newRegion()))).toBeUndefined();
  });

  test('of a stream that is not there, nothing is available', async () => {
    expect(await failure(bus.readLast('KV_nothing', '$KV.nothing.a'))).toBe('unavailable');
    expect(await failure(bus.readLastOfEach('KV_nothing', ['$KV.nothing.>']))).toBe('unavailable');
  });
}
