/** The bus while the server dies, freezes and says no. Each test has a server of its own to break. */

import { type Bus, BusError, type ConnectionState } from '@swell/shared/adapters/bus.ts';
import { ensureTopology } from '@swell/shared/adapters/ensure-topology.ts';
import { connectNats, type NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import type { BusNotice, NatsOptions } from '@swell/shared/adapters/nats-connect.ts';
import { expect, test } from 'vitest';
import { bytes, take, takeUntil, text } from '../support/listen.ts';
import { type NatsServer, startNats } from '../support/nats.ts';
import { freePorts } from '../support/ports.ts';

const SLOT = '$KV.swell_slots.eu.web.0';

function connectTo(server: NatsServer, more: Partial<NatsOptions> = {}): Promise<NatsBus> {
  return connectNats({
    servers: [server.url],
    name: 'faults-test',
    reconnectWaitMs: 50,
    reconnectJitterMs: 50,
    requestTimeoutMs: 60_000,
    ...more,
  });
}

const put = (bus: Bus, subject: string, body: string, more: object = {}) =>
  bus.publish({ subject, body: bytes(body), line: body, ...more });

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no failure',
    (error: unknown) => (error instanceof BusError ? error.code : error),
  );

const until = (bus: Bus, state: ConnectionState) =>
  takeUntil(bus.connectionChanges(), (now) => now === state);

test('a frozen server leaves the outcome of a publish unknown, and answers no question', async () => {
  await using server = await startNats();
  await using bus = await connectTo(server);
  await using hasty = await connectTo(server, { requestTimeoutMs: 1_000 });
  await ensureTopology(bus);
  await server.pause();
  expect(await failure(put(hasty, SLOT, 'one', { id: 'claim', expectLast: 0 }))).toBe('unknown-outcome');
  expect(await failure(hasty.readLast('KV_swell_slots', SLOT))).toBe('unavailable');
  expect(await failure(hasty.readLastOfEach('KV_swell_slots', [SLOT]))).toBe('unavailable');
  await server.resume();
  // It had been stored after all: the server found it in its socket. Saying it again is harmless.
  const again = await put(bus, SLOT, 'one', { id: 'claim', expectLast: 0 });
  expect(again.duplicate).toBe(true);
  expect(await bus.readLast('KV_swell_slots', SLOT)).toMatchObject({ sequence: again.sequence });
});

test('a publish under way when the server dies has an unknown outcome at once', async () => {
  await using server = await startNats();
  await using bus = await connectTo(server);
  await ensureTopology(bus);
  await server.pause();
  const publishing = failure(put(bus, SLOT, 'one'));
  const asking = failure(bus.readLast('KV_swell_slots', SLOT));
  await server.kill();
  expect(await publishing).toBe('unknown-outcome');
  expect(await asking).toBe('unavailable');
  expect(bus.connection).toBe('disconnected');
});

test('while nobody is there everything is unavailable at once, and nothing is sent later', async () => {
  await using server = await startNats();
  await using bus = await connectTo(server);
  await ensureTopology(bus);
  await server.kill();
  await until(bus, 'disconnected');
  expect(await failure(put(bus, SLOT, 'of then'))).toBe('unavailable');
  expect(await failure(bus.readLast('KV_swell_slots', SLOT))).toBe('unavailable');
  expect(await failure(bus.readLastOfEach('KV_swell_slots', [SLOT]))).toBe('unavailable');
  bus.broadcast('swell.pulse.eu', bytes('of then'), 'a pulse');
  const heard = bus.subscribe('swell.pulse.eu');
  await server.restart();
  await heard.ready;
  bus.broadcast('swell.pulse.eu', bytes('of now'), 'a pulse');
  expect((await take(heard, 1)).map(({ body }) => text(body))).toEqual(['of now']);
  expect(await bus.readLast('KV_swell_slots', SLOT)).toBeUndefined();
});

test.each(['kill', 'restart'] as const)(
  'subscriptions and followers outlive a server (%s)',
  async (fault) => {
    await using server = await startNats();
    await using bus = await connectTo(server);
    await ensureTopology(bus);
    const changes = bus.connectionChanges();
    expect(await take(changes, 1)).toEqual(['connected']);
    const heard = bus.subscribe('swell.slot.>');
    await heard.ready;
    const followed = bus.follow({ stream: 'KV_swell_slots', subjects: ['$KV.swell_slots.>'], from: 'last' });
    await put(bus, SLOT, 'before');
    expect(await take(followed, 1)).toMatchObject([{ sequence: 1 }]);
    expect(await take(heard, 1)).toMatchObject([{ sequence: 1 }]);

    if (fault === 'kill') await server.kill();
    await server.restart();
    expect(await take(changes, 2)).toEqual(['disconnected', 'connected']);
    const other = await connectTo(server);
    await put(other, SLOT, 'after');
    expect(await take(followed, 1)).toMatchObject([{ sequence: 2 }]);
    expect(await take(heard, 1)).toMatchObject([{ sequence: 2, lastSequence: 1 }]);
    await other[Symbol.asyncDispose]();
  },
);

test('what is stored while a follower is cut off comes after the reconnect, all of it, once', async () => {
  await using server = await startNats();
  await using bus = await connectTo(server);
  // Comes back long after the other one.
  await using late = await connectTo(server, { reconnectWaitMs: 1_500, reconnectJitterMs: 1 });
  await ensureTopology(bus);
  const followed = late.follow({ stream: 'SWELL_HEALTH', subjects: ['swell.health.>'], from: 1 });
  const sequences: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    for (let node = 0; node < 20; node += 1) {
      sequences.push((await put(bus, `swell.health.eu.web.node-${node}`, `${round}`)).sequence);
    }
    await server.restart();
    await until(bus, 'connected');
    for (let node = 0; node < 20; node += 1) {
      const stored = put(bus, `swell.health.eu.web.node-${node}`, `${round} without the follower`);
      sequences.push((await stored).sequence);
    }
  }
  expect((await take(followed, sequences.length)).map(({ sequence }) => sequence)).toEqual(sequences);
});

test('a follower of a frozen server goes on when it thaws', async () => {
  await using server = await startNats();
  const notices: BusNotice[] = [];
  await using bus = await connectTo(server, { onNotice: (notice) => notices.push(notice) });
  await ensureTopology(bus);
  const followed = bus.follow({ stream: 'KV_swell_slots', subjects: ['$KV.swell_slots.>'], from: 'last' });
  await put(bus, SLOT, 'before');
  await take(followed, 1);
  await server.pause();
  // It owes heartbeats.
  await expect
    .poll(() => notices, { timeout: 90_000 })
    .toContainEqual({ kind: 'follower-interrupted', stream: 'KV_swell_slots', reason: 'silent' });
  await server.resume();
  await expect
    .poll(() => failure(put(bus, SLOT, 'after', { id: 'after' })), { timeout: 90_000 })
    .toBe('no failure');
  expect((await take(followed, 1)).map(({ body }) => text(body))).toEqual(['after']);
});

test('a frozen server is a lost connection after two pings', async () => {
  await using server = await startNats();
  await using bus = await connectTo(server, { pingIntervalMs: 200 });
  const changes = bus.connectionChanges();
  await take(changes, 1);
  await server.pause();
  expect(await take(changes, 1)).toEqual(['disconnected']);
  await server.resume();
  expect(await take(changes, 1)).toEqual(['connected']);
});

test('where JetStream is off, nothing is available', async () => {
  await using server = await startNats({ jetstream: '' });
  await using bus = await connectTo(server);
  expect(await failure(put(bus, SLOT, 'one'))).toBe('unavailable');
  expect(await failure(bus.readLast('KV_swell_slots', SLOT))).toBe('unavailable');
  expect(await failure(bus.readLastOfEach('KV_swell_slots', [SLOT]))).toBe('unavailable');
  expect(await failure(ensureTopology(bus))).toBe('unavailable');
});

test('what the account may not do is refused, wherever it tries', async () => {
  const conf = `
    authorization { users: [
      { user: admin, password: pw }
      { user: agent, password: pw, permissions: {
        publish: ["swell.health.eu.*.node-1"]
        subscribe: ["mine.>", "swell.slot.eu.>"]
      } }
    ] }`;
  await using server = await startNats({ conf });
  await using admin = await connectTo(server, { login: { kind: 'password', user: 'admin', password: 'pw' } });
  await ensureTopology(admin);
  const login = { kind: 'password', user: 'agent', password: 'pw' } as const;
  await using bus = await connectTo(server, { login, inboxPrefix: 'mine' });

  expect(await failure(put(bus, 'swell.health.eu.web.node-1', 'mine'))).toBe('no failure');
  expect(await failure(put(bus, 'swell.health.eu.web.node-2', 'not mine'))).toBe('refused');
  expect(await failure(put(bus, SLOT, 'not mine'))).toBe('refused');
  expect(await failure(bus.readLast('KV_swell_slots', SLOT))).toBe('refused');
  expect(await failure(bus.readLastOfEach('KV_swell_slots', [SLOT]))).toBe('refused');
  const followed = bus.follow({ stream: 'KV_swell_slots', subjects: [SLOT], from: 'last' });
  expect(await failure(take(followed, 1))).toBe('refused');
  const heard = bus.subscribe('swell.>');
  expect(await failure(heard.ready)).toBe('refused');
  expect(await failure(take(heard, 1))).toBe('refused');
  const allowed = bus.subscribe('swell.slot.eu.>');
  await allowed.ready;
  expect(bus.connection).toBe('connected');
});

test('a wrong password is refused at once; no server is unavailable, and the message names it without secrets', async () => {
  await using server = await startNats({ conf: 'authorization { token: right }' });
  const login = (token: string) => ({ kind: 'token', token }) as const;
  expect(await failure(connectTo(server, { login: login('wrong') }))).toBe('refused');
  await using bus = await connectTo(server, { login: login('right') });
  expect(bus.connection).toBe('connected');

  const [port] = await freePorts(1);
  const servers = [`nats://user:secret@127.0.0.1:${port}`];
  const attempt = connectNats({ servers, name: 'nobody there', firstConnectTimeoutMs: 300 });
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(BusError);
  expect(error).toMatchObject({ code: 'unavailable' });
  expect(String(error)).toContain(`nats://127.0.0.1:${port}`);
  expect(String(error)).not.toContain('secret');
});

test('the first connection is waited for', async () => {
  await using server = await startNats();
  await server.kill();
  const connecting = connectTo(server);
  await server.restart();
  await using bus = await connecting;
  expect(bus.connection).toBe('connected');
});
