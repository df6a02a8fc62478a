import type { Bus, HeardMessage } from '@swell/shared/adapters/bus.ts';
import { beforeAll, expect, test } from 'vitest';
import { bytes, take, text } from '../support/listen.ts';
import {
  AGE_MS,
  type BusWorld,
  eventually,
  failure,
  inTime,
  listening,
  newRegion,
  PRESENCE,
  put,
  slot,
} from './world.ts';

/** Without the way back to who said it: a writer waits for the stream's answer, which is nothing that a listener is told. */
const readable = (messages: readonly HeardMessage[]) =>
  messages.map((message) => {
    const { answer: _, ...said } = message;
    return { ...said, body: text(message.body) };
  });

export function hearingCases(world: () => BusWorld): void {
  let bus: Bus;
  beforeAll(async () => {
    bus = await world().connect();
  });

  test('what is stored is republished with its place, what is refused is not', async () => {
    const region = newRegion();
    const heard = bus.subscribe(`swell.slot.${region}.>`);
    await listening(world(), bus, heard);
    const key = slot(region);
    const one = await put(bus, key, 'one', { expectLast: 0 });
    expect(await failure(put(bus, key, 'stale', { expectLast: 0 }))).toBe('conflict');
    const two = await put(bus, key, '', { deletes: true, expectLast: one.sequence });
    const messages = await take(heard, 2);
    const subject = `swell.slot.${region}.web.0`;
    expect(readable(messages)).toEqual([
      { subject, body: 'one', deleted: false, sequence: one.sequence, lastSequence: 0 },
      { subject, body: '', deleted: true, sequence: two.sequence, lastSequence: one.sequence },
    ]);
    heard.close();
  });

  test('a repeated statement is republished once', async () => {
    const region = newRegion();
    const heard = bus.subscribe(`swell.slot.${region}.>`);
    await listening(world(), bus, heard);
    await put(bus, slot(region), 'one', { id: 'same' });
    await put(bus, slot(region), 'one', { id: 'same' });
    await put(bus, slot(region), 'two');
    expect((await take(heard, 2)).map(({ body }) => text(body))).toEqual(['one', 'two']);
    heard.close();
  });

  test('a subscriber of the raw subject hears also what is refused, without a place', async () => {
    const key = slot(newRegion());
    const heard = bus.subscribe(key);
    await listening(world(), bus, heard);
    await put(bus, key, 'one', { expectLast: 0 });
    expect(await failure(put(bus, key, 'stale', { expectLast: 0 }))).toBe('conflict');
    expect(readable(await take(heard, 2))).toEqual([
      { subject: key, body: 'one', deleted: false },
      { subject: key, body: 'stale', deleted: false },
    ]);
    heard.close();
  });

  test('what one writer says is heard in its order, across subjects and buckets', async () => {
    const region = newRegion();
    const heard = bus.subscribe('swell.>');
    await listening(world(), bus, heard);
    for (let turn = 0; turn < 10; turn += 1) {
      await put(bus, slot(region, turn), `${turn}`);
      await put(bus, `$KV.swell_orders.wave.${region}.web`, `${turn}`);
    }
    const orders: string[] = [];
    for await (const { subject, body, sequence } of heard) {
      // Release, health and control are heard raw.
      if (sequence !== undefined && subject.includes(region)) orders.push(text(body));
      if (orders.length === 20) break;
    }
    expect(orders).toEqual(Array.from({ length: 20 }, (_, index) => `${Math.floor(index / 2)}`));
  });

  test('a broadcast is heard by everybody who listens, and has no place', async () => {
    const other = await world().connect();
    const region = newRegion();
    const listeners = [bus.subscribe('swell.pulse.*'), other.subscribe(`swell.pulse.${region}`)] as const;
    const [own, others] = listeners;
    await Promise.all([listening(world(), bus, own), listening(world(), other, others)]);
    bus.broadcast(`swell.pulse.${region}`, bytes('beat'), 'coordinator lives');
    for (const heard of listeners) {
      expect(readable(await take(heard, 1))).toEqual([
        { subject: `swell.pulse.${region}`, body: 'beat', deleted: false },
      ]);
      heard.close();
      expect(await heard[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined });
    }
  });

  /** A node says in time that it is still here, and then nothing; somebody takes its key for a new one. */
  async function fallSilent() {
    const node = newRegion();
    const key = `$KV.test_presence.${node}`;
    const raw = bus.subscribe(key);
    const heard = bus.subscribe(`test.presence.${node}`);
    const followed = bus.follow({ stream: PRESENCE, subjects: [key], from: 'last' });
    await listening(world(), bus, raw, heard);
    const here = await put(bus, key, 'here');
    await world().pass(AGE_MS / 2);
    const still = await put(bus, key, 'still here');
    const told = await take(heard, 3);
    const back = await failure(put(bus, key, 'back', { expectLast: 0 }));
    return { node, key, raw, heard, followed, here, still, told, back };
  }

  test('presence that expires is heard as a deletion, and the raw subject hears nothing', async () => {
    const { node, key, raw, heard, followed, here, still, told, back } = await inTime(
      fallSilent,
      (silence) => silence.told.at(-1)?.deleted === true && silence.back === 'conflict',
    );
    const subject = `test.presence.${node}`;
    const gone = told.at(-1);
    expect(readable(told)).toEqual([
      { subject, body: 'here', deleted: false, sequence: here.sequence, lastSequence: 0 },
      { subject, body: 'still here', deleted: false, sequence: still.sequence, lastSequence: here.sequence },
      { subject, body: '', deleted: true, sequence: gone?.sequence, lastSequence: still.sequence },
    ]);
    expect(gone?.sequence).toBeGreaterThan(still.sequence);
    expect(back).toBe('conflict');
    expect((await take(followed, 3)).map(({ sequence, deleted }) => [sequence, deleted])).toEqual([
      [here.sequence, false],
      [still.sequence, false],
      [gone?.sequence, true],
    ]);
    // The marker goes too, in silence; then the key is as new.
    let said = 3;
    await eventually(world(), async () => {
      said += 1;
      return (await failure(put(bus, key, 'back', { expectLast: 0 }))) === 'no failure';
    });
    expect(await take(heard, 1)).toMatchObject([{ deleted: false, lastSequence: 0 }]);
    expect((await take(raw, said)).filter(({ deleted }) => deleted)).toEqual([]);
    for (const one of [raw, heard, followed]) one.close();
  });

  test('disposing ends every iteration, and what is said afterwards is unavailable', async () => {
    const own = await world().connect();
    const heard = own.subscribe('swell.pulse.*')[Symbol.asyncIterator]();
    const followed = own.follow({ stream: 'KV_swell_slots', subjects: [slot(newRegion())], from: 'last' });
    const changes = own.connectionChanges()[Symbol.asyncIterator]();
    expect(await changes.next()).toEqual({ done: false, value: 'connected' });
    const ends = Promise.all([heard.next(), followed[Symbol.asyncIterator]().next()]);
    await own[Symbol.asyncDispose]();
    expect(await ends).toMatchObject([{ done: true }, { done: true }]);
    expect(await changes.next()).toEqual({ done: false, value: 'disconnected' });
    expect(await changes.next()).toMatchObject({ done: true });
    expect(await failure(put(own, 'swell.control.a', ''))).toBe('unavailable');
  });
}
