/** Each case breaks a world of its own. */

import type { Bus, ConnectionState } from '@swell/shared/adapters/bus.ts';
import { expect, test } from 'vitest';
import { bytes, take, takeUntil, text } from '../support/listen.ts';
import {
  codeOf,
  eventually,
  failure,
  HEALTH,
  insist,
  listening,
  type MakeWorld,
  NODES,
  PRESENCE,
  put,
  SLOTS,
  slot,
} from './world.ts';

const KEY = slot('eu');
const STREAMS = [SLOTS, HEALTH, NODES, PRESENCE];
const until = (bus: Bus, state: ConnectionState) =>
  takeUntil(bus.connectionChanges(), (now) => now === state);

export function outageCases(copies: 1 | 3, makeWorld: MakeWorld): void {
  test('a frozen server leaves the outcome of a publish unknown; said again it is stored once', async () => {
    await using world = await makeWorld(STREAMS);
    const bus = await world.connect('hasty');
    await world.freeze();
    expect(await failure(put(bus, KEY, 'one', { id: 'claim', expectLast: 0 }))).toBe('unknown-outcome');
    expect(await failure(bus.readLast(SLOTS, KEY))).toBe('unavailable');
    expect(await failure(bus.readLastOfEach(SLOTS, [KEY]))).toBe('unavailable');
    expect(bus.connection).toBe('connected');
    await world.thaw();
    const again = await insist(world, () => put(bus, KEY, 'one', { id: 'claim', expectLast: 0 }));
    expect(again.sequence).toBe(1);
    // One server finds the first try in its socket once it goes on. Three may have to elect a leader first, and the first
    // try is lost with the old one: that is what unknown means.
    expect([true, copies === 1]).toContain(again.duplicate);
    expect(await insist(world, () => bus.readLast(SLOTS, KEY))).toMatchObject({ sequence: 1 });
  });

  test('subscriptions and followers outlive a server; files stay, ids are remembered', async () => {
    await using world = await makeWorld(STREAMS);
    const [bus, late] = [await world.connect('hasty'), await world.connect('hasty')];
    const changes = bus.connectionChanges();
    expect(await take(changes, 1)).toEqual(['connected']);
    const heard = late.subscribe('swell.slot.>');
    await listening(world, late, heard);
    const followed = late.follow({ stream: SLOTS, subjects: ['$KV.swell_slots.>'], from: 'last' });
    await insist(world, () => put(bus, KEY, 'before', { id: 'before' }));
    expect(await take(followed, 1)).toMatchObject([{ sequence: 1 }]);
    expect(await take(heard, 1)).toMatchObject([{ sequence: 1 }]);
    await world.kill();
    await world.restart();
    expect(await take(changes, 2)).toEqual(['disconnected', 'connected']);
    await until(late, 'connected');
    expect(await insist(world, () => bus.readLast(SLOTS, KEY))).toMatchObject({ sequence: 1 });
    expect(await insist(world, () => put(bus, KEY, 'before', { id: 'before' }))).toEqual({
      sequence: 1,
      duplicate: true,
    });
    await insist(world, () => put(bus, KEY, 'after', { id: 'after' }));
    expect(await take(followed, 1)).toMatchObject([{ sequence: 2 }]);
    // Three servers say the last message of before once more.
    const known = await takeUntil(heard, ({ sequence }) => sequence === 2);
    expect(known.at(-1)).toMatchObject({ lastSequence: 1 });
    expect(known.length).toBeLessThanOrEqual(copies === 1 ? 1 : 2);
  });

  test('what is in memory does not outlive the servers', async () => {
    await using world = await makeWorld(STREAMS);
    const bus = await world.connect('hasty');
    const key = '$KV.swell_nodes.eu.node-1';
    const followed = bus.follow({ stream: NODES, subjects: ['$KV.swell_nodes.>'], from: 'last' });
    for (const id of ['0', '1', '2']) await insist(world, () => put(bus, key, id, { id }));
    await takeUntil(followed, ({ sequence }) => sequence === 3);
    await world.kill();
    await world.restart();
    await until(bus, 'connected');
    await insist(world, () => bus.readLast(SLOTS, KEY));
    // Of one server not even the stream is there, until somebody makes it; of three it is empty.
    const nothing = copies === 1 ? 'unavailable' : undefined;
    const look = async (): Promise<unknown> => bus.readLast(NODES, key).catch(codeOf);
    await eventually(world, async () => (await look()) === nothing);
    const write = () => put(bus, '$KV.swell_nodes.eu.other', 'lost', { id: 'lost' });
    const written = copies === 1 ? failure(write()) : failure(insist(world, write));
    expect(await written).toBe(copies === 1 ? 'unavailable' : 'no failure');
    expect(await world.ensure()).toEqual(copies === 1 ? [PRESENCE, NODES] : []);
    const again = await insist(world, () => put(bus, key, 'again', { id: 'again' }));
    expect(again.sequence).toBe(copies === 1 ? 1 : 2);
    await takeUntil(followed, ({ sequence, body }) => sequence === again.sequence && text(body) === 'again');
  });

  test('a bucket that is made again starts low, and followers go on', async () => {
    await using world = await makeWorld(STREAMS);
    const bus = await world.connect('hasty');
    const heard = bus.subscribe('swell.slot.>');
    await listening(world, bus, heard);
    const followed = bus.follow({ stream: SLOTS, subjects: ['$KV.swell_slots.>'], from: 'last' });
    for (const id of ['0', '1', '2']) await insist(world, () => put(bus, KEY, id, { id }));
    await takeUntil(followed, ({ sequence }) => sequence === 3);
    await take(heard, 3);
    await world.recreate(SLOTS);
    expect(await insist(world, () => bus.readLast(SLOTS, KEY))).toBeUndefined();
    // Ids are forgotten with it.
    const anew = await insist(world, () => put(bus, KEY, '0', { id: '0', expectLast: 0 }));
    expect(anew).toEqual({ sequence: 1, duplicate: false });
    expect(await take(heard, 1)).toMatchObject([{ sequence: 1, lastSequence: 0 }]);
    expect(await take(followed, 1)).toMatchObject([{ sequence: 1 }]);
    await insist(world, () => put(bus, KEY, 'next', { id: 'next', expectLast: 1 }));
    expect(await take(followed, 1)).toMatchObject([{ sequence: 2 }]);
  });
}

/** What only the client decides, and so nothing that three servers change. */
export function lonelyOutageCases(makeWorld: MakeWorld): void {
  test('what is under way when the server dies ends at once', async () => {
    await using world = await makeWorld(STREAMS);
    const bus = await world.connect();
    await world.freeze();
    const publishing = failure(put(bus, KEY, 'one'));
    const asking = failure(bus.readLast(SLOTS, KEY));
    const asked = failure(bus.readLastOfEach(SLOTS, [KEY]));
    await world.kill();
    expect(await publishing).toBe('unknown-outcome');
    expect(await asking).toBe('unavailable');
    expect(await asked).toBe('unavailable');
    expect(bus.connection).toBe('disconnected');
  });

  test('while nobody is there everything is unavailable at once, and nothing is sent later', async () => {
    await using world = await makeWorld(STREAMS);
    const bus = await world.connect();
    await world.kill();
    await until(bus, 'disconnected');
    expect(await failure(put(bus, KEY, 'of then'))).toBe('unavailable');
    expect(await failure(bus.readLast(SLOTS, KEY))).toBe('unavailable');
    expect(await failure(bus.readLastOfEach(SLOTS, [KEY]))).toBe('unavailable');
    bus.broadcast('swell.pulse.eu', bytes('of then'), 'a pulse');
    const heard = bus.subscribe('swell.pulse.eu');
    await world.restart();
    await heard.ready;
    bus.broadcast('swell.pulse.eu', bytes('of now'), 'a pulse');
    expect((await take(heard, 1)).map(({ body }) => text(body))).toEqual(['of now']);
    expect(await insist(world, () => bus.readLast(SLOTS, KEY))).toBeUndefined();
  });

  test('what is stored while a follower is away comes afterwards, all of it, once', async () => {
    await using world = await makeWorld(STREAMS);
    const bus = await world.connect();
    const followed = bus.follow({ stream: HEALTH, subjects: ['swell.health.>'], from: 1 });
    const sequences: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      for (let node = 0; node < 10; node += 1) {
        const id = `${round}`;
        const subject = `swell.health.eu.web.node-${node}`;
        sequences.push((await insist(world, () => put(bus, subject, id, { id }))).sequence);
      }
      await world.restart();
    }
    expect((await take(followed, sequences.length)).map(({ sequence }) => sequence)).toEqual(sequences);
  });
}
