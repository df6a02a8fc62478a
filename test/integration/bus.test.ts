/** What `Bus` promises, asked of a real nats-server with the real streams: publishing, reading, hearing. */

import { type Bus, BusError } from '@swell/shared/adapters/bus.ts';
import { ensureTopology } from '@swell/shared/adapters/ensure-topology.ts';
import { systemHost } from '@swell/shared/adapters/host.ts';
import type { NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import { SlotBucket } from '@swell/shared/adapters/slot-bucket.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inBatches } from '../support/batches.ts';
import { connectPatiently } from '../support/bus.ts';
import { bytes, take, text } from '../support/listen.ts';
import { type NatsServer, startNats } from '../support/nats.ts';

let server: NatsServer;
let bus: NatsBus;

beforeAll(async () => {
  server = await startNats();
  bus = await connectPatiently(server, 'bus-test');
  await ensureTopology(bus);
});

afterAll(async () => {
  await bus[Symbol.asyncDispose]();
  await server.stop();
});

const SLOTS = 'KV_swell_slots';
/** Every test writes to a region of its own. */
let regions = 0;
const newRegion = (): string => `region-${(regions += 1)}`;

function put(subject: string, body: string, more: object = {}) {
  return bus.publish({ subject, body: bytes(body), line: `put ${body.slice(0, 20)}`, ...more });
}

const failure = (publish: Promise<unknown>): Promise<unknown> =>
  publish.then(
    () => 'no failure',
    (error: unknown) => (error instanceof BusError ? error.code : error),
  );

describe('publishing', () => {
  test('is acknowledged with the sequence, which is what reading the last finds', async () => {
    const key = `$KV.swell_slots.${newRegion()}.web.0`;
    const before = Date.now();
    const stored = await put(key, 'one');
    const found = await bus.readLast(SLOTS, key);
    expect({ ...found, body: text(found?.body ?? bytes('')), storedAtMs: undefined }).toEqual({
      subject: key,
      sequence: stored.sequence,
      deleted: false,
      body: 'one',
      storedAtMs: undefined,
    });
    expect(Math.abs((found?.storedAtMs ?? 0) - before)).toBeLessThan(60_000);
  });

  test('a failed expectation is a conflict, and stores nothing', async () => {
    const key = `$KV.swell_slots.${newRegion()}.web.0`;
    const first = await put(key, 'one', { expectLast: 0 });
    expect(await failure(put(key, 'two', { expectLast: 0 }))).toBe('conflict');
    expect((await bus.readLast(SLOTS, key))?.sequence).toBe(first.sequence);
    const second = await put(key, 'two', { expectLast: first.sequence });
    expect(await failure(put(key, 'three', { expectLast: first.sequence }))).toBe('conflict');
    expect((await bus.readLast(SLOTS, key))?.sequence).toBe(second.sequence);
  });

  test('the same statement twice is stored once', async () => {
    const key = `$KV.swell_slots.${newRegion()}.web.0`;
    const first = await put(key, 'one', { id: 'claim-1' });
    expect(first.duplicate).toBe(false);
    expect(await put(key, 'one', { id: 'claim-1' })).toEqual({ sequence: first.sequence, duplicate: true });
  });

  test('the same conditional statement twice is stored once, and no conflict', async () => {
    const key = `$KV.swell_slots.${newRegion()}.web.0`;
    const first = await put(key, 'one', { id: 'claim-1', expectLast: 0 });
    const again = await put(key, 'one', { id: 'claim-1', expectLast: 0 });
    expect(again).toEqual({ sequence: first.sequence, duplicate: true });
    // Somebody else's word in between makes it a conflict.
    await put(key, 'theirs', { id: 'claim-2', expectLast: first.sequence });
    expect(await failure(put(key, 'one', { id: 'claim-1', expectLast: 0 }))).toBe('conflict');
  });

  test('an id belongs to its subject', async () => {
    const region = newRegion();
    const one = await put(`$KV.swell_slots.${region}.web.0`, 'one', { id: 'same' });
    const two = await put(`$KV.swell_slots.${region}.web.1`, 'two', { id: 'same' });
    expect(two).toEqual({ sequence: one.sequence + 1, duplicate: false });
  });

  test('a deleted key is deleted, and is created anew behind its marker', async () => {
    const key = `$KV.swell_slots.${newRegion()}.web.0`;
    const created = await put(key, 'one', { expectLast: 0 });
    const marker = await put(key, '', { deletes: true, expectLast: created.sequence });
    expect(await bus.readLast(SLOTS, key)).toMatchObject({ sequence: marker.sequence, deleted: true });
    expect(await failure(put(key, 'two', { expectLast: 0 }))).toBe('conflict');
    const again = await put(key, 'two', { expectLast: marker.sequence });
    expect(await bus.readLast(SLOTS, key)).toMatchObject({ sequence: again.sequence, deleted: false });
  });

  test('what is too large is refused, by the client and by the stream', async () => {
    const key = `$KV.swell_slots.${newRegion()}.web.0`;
    expect(await failure(put(key, 'x'.repeat(2_000_000)))).toBe('refused');
    expect(await failure(put(key, 'x'.repeat(100_000)))).toBe('refused');
    expect(await bus.readLast(SLOTS, key)).toBeUndefined();
  });

  test('where no stream listens, nothing is available', async () => {
    expect(await failure(put('nowhere.at.all', 'one'))).toBe('unavailable');
    expect(await failure(put('$KV.swell_nothing.web', 'one', { expectLast: 0, id: 'x' }))).toBe(
      'unavailable',
    );
  });

  test('a subject that is none is refused', async () => {
    expect(await failure(put('has a space', 'one'))).toBe('refused');
  });

  test('the line is one line', async () => {
    const key = `$KV.swell_slots.${newRegion()}.web.0`;
    await put(key, 'one', { line: 'first\r\nsecond' });
    const stored = await bus.manager.streams.getMessage(SLOTS, { last_by_subj: key });
    expect(stored?.header.get('Swell-Line')).toBe('first\\u000d\\u000asecond');
  });
});

describe('reading the last of each', () => {
  test('finds every key below a wildcard, deleted ones too, in the order of their storing', async () => {
    const region = newRegion();
    const key = (slot: number): string => `$KV.swell_slots.${region}.web.${slot}`;
    await put(key(0), 'old');
    await put(key(1), 'one');
    const two = await put(key(2), 'two');
    await put(key(0), 'new');
    await put(key(2), '', { deletes: true, expectLast: two.sequence });
    const found = await bus.readLastOfEach(SLOTS, [`$KV.swell_slots.${region}.web.*`]);
    expect(found.map(({ subject, deleted, body }) => [subject, deleted, text(body)])).toEqual([
      [key(1), false, 'one'],
      [key(0), false, 'new'],
      [key(2), true, ''],
    ]);
  });

  test('finds nothing where nothing is, and needs no subject', async () => {
    expect(await bus.readLastOfEach(SLOTS, [`$KV.swell_slots.${newRegion()}.>`])).toEqual([]);
    expect(await bus.readLastOfEach(SLOTS, [])).toEqual([]);
    expect(await bus.readLast(SLOTS, `$KV.swell_slots.${newRegion()}.web.0`)).toBeUndefined();
  });

  test('more than one answer holds come through a consumer, and overlapping subjects once', async () => {
    const region = newRegion();
    const subject = (node: number): string => `swell.health.${region}.web.node-${node}`;
    const count = 2_500;
    const nodes = Array.from({ length: count }, (_, node) => node);
    await inBatches(nodes, (node) => put(subject(node), `first ${node}`));
    await put(subject(7), 'second 7');
    const all = await bus.readLastOfEach('SWELL_HEALTH', [`swell.health.${region}.*.*`, subject(7)]);
    expect(all.length).toBe(count);
    expect(text(all.at(-1)?.body ?? bytes(''))).toBe('second 7');
    const listed = Array.from({ length: 1_500 }, (_, node) => subject(node));
    expect((await bus.readLastOfEach('SWELL_HEALTH', listed)).length).toBe(1_500);
    expect((await bus.manager.streams.info('SWELL_HEALTH')).state.consumer_count).toBe(0);
  });

  // Both are more than the 64 MiB for which the server cuts a connection that is slow to take them.
  test.each([
    { way: 'one request after the other', count: 80, size: 900_000 },
    { way: 'a consumer', count: 1_100, size: 70_000 },
  ])('values that are too large for one page come page by page, by $way', async ({ count, size }) => {
    const service = newRegion();
    const keys = Array.from({ length: count }, (_, index) => `$KV.swell_rollouts.${service}.${index}`);
    for (const key of keys) await put(key, 'x'.repeat(size));
    const found = await bus.readLastOfEach('KV_swell_rollouts', [`$KV.swell_rollouts.${service}.*`]);
    expect(found.map(({ subject }) => subject)).toEqual(keys);
  });

  test('of a stream that is not there, nothing is available', async () => {
    expect(await failure(bus.readLastOfEach('KV_nothing', ['$KV.nothing.>']))).toBe('unavailable');
    expect(await failure(bus.readLast('KV_nothing', '$KV.nothing.a'))).toBe('unavailable');
  });
});

describe('hearing', () => {
  test('what is stored is republished with its place; what is rejected is not', async () => {
    const region = newRegion();
    const heard = bus.subscribe(`swell.slot.${region}.>`);
    await heard.ready;
    const key = `$KV.swell_slots.${region}.web.0`;
    const one = await put(key, 'one', { expectLast: 0 });
    expect(await failure(put(key, 'stale', { expectLast: 0 }))).toBe('conflict');
    const two = await put(key, '', { deletes: true, expectLast: one.sequence });
    const messages = await take(heard, 2);
    expect(messages.map((message) => ({ ...message, body: text(message.body) }))).toEqual([
      {
        subject: `swell.slot.${region}.web.0`,
        body: 'one',
        deleted: false,
        sequence: one.sequence,
        lastSequence: 0,
      },
      {
        subject: `swell.slot.${region}.web.0`,
        body: '',
        deleted: true,
        sequence: two.sequence,
        lastSequence: one.sequence,
      },
    ]);
    heard.close();
  });

  test.each([
    ['swell_orders', 'wave.eu.one', 'swell.wave.eu.one'],
    ['swell_orders', 'halt.one', 'swell.halt.one'],
    ['swell_slots', 'eu.one.0', 'swell.slot.eu.one.0'],
    ['swell_nodes', 'eu.node-1', 'swell.node.eu.node-1'],
    ['swell_policies', 'one', 'swell.policy.one'],
    ['swell_rollouts', 'service.one', 'swell.rollout.service.one'],
  ])('%s %s is republished as %s', async (bucket, key, subject) => {
    const heard = bus.subscribe(subject);
    await heard.ready;
    const stored = await put(`$KV.${bucket}.${key}`, 'value');
    expect(await take(heard, 1)).toMatchObject([{ subject, sequence: stored.sequence, lastSequence: 0 }]);
    heard.close();
  });

  test('a broadcast is heard and has no place', async () => {
    const heard = bus.subscribe('swell.pulse.*');
    await heard.ready;
    bus.broadcast('swell.pulse.eu', bytes('beat'), 'coordinator lives');
    expect(await take(heard, 1)).toEqual([
      { subject: 'swell.pulse.eu', body: Buffer.from('beat'), deleted: false },
    ]);
    heard.close();
    expect(await heard[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined });
  });

  test('disposing ends every iteration, and what is said afterwards is unavailable', async () => {
    const own: Bus = await connectPatiently(server, 'short-lived');
    const heard = own.subscribe('swell.pulse.*')[Symbol.asyncIterator]();
    const followed = own.follow({ stream: SLOTS, subjects: ['$KV.swell_slots.none.>'], from: 'last' });
    const changes = own.connectionChanges()[Symbol.asyncIterator]();
    expect(await changes.next()).toEqual({ done: false, value: 'connected' });
    const ends = Promise.all([heard.next(), followed[Symbol.asyncIterator]().next()]);
    await own[Symbol.asyncDispose]();
    expect(await ends).toMatchObject([{ done: true }, { done: true }]);
    expect(await changes.next()).toEqual({ done: false, value: 'disconnected' });
    expect(await changes.next()).toMatchObject({ done: true });
    expect(own.connection).toBe('disconnected');
    expect(await failure(own.publish({ subject: 'swell.control.a', body: bytes(''), line: '' }))).toBe(
      'unavailable',
    );
  });
});

describe('slots', () => {
  test('that show less than is known have fallen only if the leader says so as well', async () => {
    const slots = new SlotBucket(bus, systemHost, newRegion(), 'web');
    const holder = { node: 'n1', rollout: 7, attempt: '7.update.1', leaseMs: 60_000 };
    const claimed = await slots.write(0, 0, holder);
    const revision = claimed.is === 'stored' ? claimed.revision : 0;
    const known = new Map([
      [0, { revision, holder }],
      [1, { revision: revision + 1, holder }],
      [2, { revision: 0 }],
    ]);
    // A replica that lags shows nothing at all; of slot 1 the leader knows nothing either.
    expect(await slots.readFallen(known, new Map())).toEqual(
      new Map([[1, { was: revision + 1, entry: { revision: 0 } }]]),
    );
    expect(await slots.readFallen(new Map([[0, { revision, holder }]]), await slots.readAll())).toEqual(
      new Map(),
    );
  });
});
