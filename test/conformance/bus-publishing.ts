import type { Bus } from '@swell/shared/adapters/bus.ts';
import { beforeAll, expect, test } from 'vitest';
import { text } from '../support/listen.ts';
import { type BusWorld, eventually, failure, HEALTH, inTime, newRegion, put, SLOTS, slot } from './world.ts';

export function publishingCases(world: () => BusWorld): void {
  let bus: Bus;
  beforeAll(async () => {
    bus = await world().connect();
  });

  test('is acknowledged with the sequence, which is what reading the last finds', async () => {
    const key = slot(newRegion());
    const stored = await put(bus, key, 'one');
    expect(stored.duplicate).toBe(false);
    const found = await bus.readLast(SLOTS, key);
    expect(found).toMatchObject({ subject: key, sequence: stored.sequence, deleted: false });
    expect(text(found?.body ?? new Uint8Array())).toBe('one');
  });

  test('a failed expectation is a conflict, and stores nothing', async () => {
    const key = slot(newRegion());
    const first = await put(bus, key, 'one', { expectLast: 0 });
    expect(await failure(put(bus, key, 'two', { expectLast: 0 }))).toBe('conflict');
    expect((await bus.readLast(SLOTS, key))?.sequence).toBe(first.sequence);
    const second = await put(bus, key, 'two', { expectLast: first.sequence });
    expect(second.sequence).toBe(first.sequence + 1);
    expect(await failure(put(bus, key, 'three', { expectLast: first.sequence }))).toBe('conflict');
    expect(await failure(put(bus, slot(newRegion()), 'one', { expectLast: 1 }))).toBe('conflict');
  });

  test('the same statement twice is stored once', async () => {
    const subject = `swell.health.${newRegion()}.web.a`;
    const first = await put(bus, subject, 'one', { id: 'same' });
    const again = await put(bus, subject, 'one', { id: 'same' });
    expect(again).toEqual({ sequence: first.sequence, duplicate: true });
    expect((await bus.readLast(HEALTH, subject))?.sequence).toBe(first.sequence);
  });

  test('the same conditional statement twice is stored once, and no conflict', async () => {
    const key = slot(newRegion());
    const first = await put(bus, key, 'one', { id: 'claim', expectLast: 0 });
    const again = await put(bus, key, 'one', { id: 'claim', expectLast: 0 });
    expect(again).toEqual({ sequence: first.sequence, duplicate: true });
  });

  test('said again after somebody else has written, it is a conflict, though three servers still know the id', async () => {
    const key = slot(newRegion());
    const first = await put(bus, key, 'one', { id: 'claim', expectLast: 0 });
    await put(bus, key, 'theirs', { id: 'theirs', expectLast: first.sequence });
    expect(await failure(put(bus, key, 'one', { id: 'claim', expectLast: 0 }))).toBe('conflict');
  });

  test('beyond the window the same statement is stored again', async () => {
    const sayTwice = async () => {
      const subject = `test.window.${newRegion()}`;
      const say = () => put(bus, subject, 'one', { id: 'same' });
      return { say, first: await say(), again: await say() };
    };
    const { say, first, again } = await inTime(sayTwice, (said) => said.again.duplicate);
    expect(again).toEqual({ sequence: first.sequence, duplicate: true });
    let later = again;
    await eventually(world(), async () => {
      later = await say();
      return !later.duplicate;
    });
    expect(later).toEqual({ sequence: first.sequence + 1, duplicate: false });
  });

  test('an id belongs to its subject', async () => {
    const region = newRegion();
    const one = await put(bus, slot(region, 0), 'one', { id: 'same' });
    const two = await put(bus, slot(region, 1), 'two', { id: 'same' });
    expect(two).toEqual({ sequence: one.sequence + 1, duplicate: false });
  });

  test('a deleted key is created anew behind its marker, not from nothing', async () => {
    const key = slot(newRegion());
    const created = await put(bus, key, 'one', { expectLast: 0 });
    const marker = await put(bus, key, '', { deletes: true, expectLast: created.sequence });
    expect(await bus.readLast(SLOTS, key)).toMatchObject({ sequence: marker.sequence, deleted: true });
    expect(await failure(put(bus, key, 'two', { expectLast: 0 }))).toBe('conflict');
    const again = await put(bus, key, 'two', { expectLast: marker.sequence });
    expect(await bus.readLast(SLOTS, key)).toMatchObject({ sequence: again.sequence, deleted: false });
  });

  test('what is too large is refused, by the client and by the stream', async () => {
    const key = slot(newRegion());
    expect(await failure(put(bus, key, 'x'.repeat(2_000_000)))).toBe('refused');
    expect(await failure(put(bus, key, 'x'.repeat(100_000)))).toBe('refused');
    expect(await bus.readLast(SLOTS, key)).toBeUndefined();
  });

  test('where no stream listens, nothing is available; what is no subject is refused', async () => {
    expect(await failure(put(bus, 'nowhere.at.all', 'one'))).toBe('unavailable');
    expect(await failure(put(bus, '$KV.swell_nothing.a', 'one', { expectLast: 0, id: 'x' }))).toBe(
      'unavailable',
    );
    expect(await failure(put(bus, 'has a space', 'one'))).toBe('refused');
  });

  test('two that claim the same key at once: one has it', async () => {
    const other = await world().connect();
    const key = slot(newRegion());
    const claims = [bus, other].map((one, index) => failure(put(one, key, `${index}`, { expectLast: 0 })));
    expect(new Set(await Promise.all(claims))).toEqual(new Set(['conflict', 'no failure']));
  });
}
