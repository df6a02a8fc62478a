/** The definitions in `nats/`: that the server, our programs and the `nats` CLI all take them, and tell when they differ. */

import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Layout } from '@swell/coordinator/shell/layout.ts';
import { ensureTopology, readDefinitions } from '@swell/shared/adapters/ensure-topology.ts';
import { createLogger } from '@swell/shared/adapters/logger.ts';
import { Mailbox } from '@swell/shared/adapters/mailbox.ts';
import type { NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import { STREAMS, slotKey } from '@swell/shared/protocol/subjects.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectPatiently } from '../support/bus.ts';
import { bytes, take, takeUntil, text } from '../support/listen.ts';
import { type NatsServer, startNats } from '../support/nats.ts';
import { startNatsProcess } from '../support/nats-process.ts';
import { natsOptions, runTool } from '../support/tools.ts';

const FOLDER = new URL('../../nats/streams/', import.meta.url);
const ALL = Object.values(STREAMS).toSorted();

let server: NatsServer;
let bus: NatsBus;

beforeEach(async () => {
  server = await startNats();
  bus = await connectPatiently(server, 'topology-test');
});

afterEach(async () => {
  await bus[Symbol.asyncDispose]();
  await server.stop();
});

const nats = (...args: readonly string[]): Promise<string> =>
  runTool('nats', [...natsOptions(server), ...args]);

test('what is missing is made, once; what is there does not differ', async () => {
  const first = await ensureTopology(bus, { monitoringUrls: [server.monitoringUrl] });
  expect({ ...first, created: first.created.toSorted() }).toEqual({ created: ALL, drift: [], concerns: [] });
  // Sources last: what they copy from is there.
  expect(first.created.at(-1)).toBe(STREAMS.log);
  const second = await ensureTopology(bus, { monitoringUrls: [server.monitoringUrl] });
  expect(second).toEqual({ created: [], drift: [], concerns: [] });
});

test('two programs that start at once make everything once, and find no drift', async () => {
  await using other = await connectPatiently(server, 'other');
  const reports = await Promise.all([ensureTopology(bus), ensureTopology(other)]);
  for (const report of reports) expect(report.drift).toEqual([]);
});

test('a bucket that somebody deletes is made again though nobody was cut off; what differs is told once', async () => {
  const lines = new Mailbox<string>();
  const logger = createLogger({
    name: 'layout',
    level: 'info',
    destination: { write: (line) => lines.put(line) },
  });
  const ending = new AbortController();
  const layout = new Layout({ bus, config: { replicas: 1, monitoringUrls: [] }, logger, lookEveryMs: 50 });
  await layout.ensure(ending.signal);
  const kept = layout.keep(ending.signal).catch(() => undefined);
  const { streams } = bus.manager;
  await streams.update(STREAMS.log, { max_age: 3_600_000_000_000 });
  await takeUntil(lines, (line) => line.includes('max_age'));
  await streams.delete(STREAMS.slots);
  const told = await takeUntil(lines, (line) => line.includes('stream made') && line.includes(STREAMS.slots));
  expect(told).toHaveLength(1);
  ending.abort();
  await kept;
});

test('a bucket of slots that is made anew takes no write of whoever held one in the bucket before (B4)', async () => {
  const silent = createLogger({ name: 'layout', level: 'silent' });
  const layout = new Layout({ bus, config: { replicas: 1, monitoringUrls: [] }, logger: silent });
  const { signal } = new AbortController();
  await layout.ensure(signal);
  const claim = { subject: slotKey('eu', 'web', 0), line: 'n1 holds slot 0', body: bytes('{}') };
  const held = await bus.publish({ ...claim, expectLast: 0 });
  await nats('kv', 'del', '-f', 'swell_slots');
  await layout.ensure(signal);
  const other = await bus.publish({ ...claim, line: 'n2 holds slot 0', expectLast: 0 });
  expect(other.sequence).toBeGreaterThan(held.sequence);
  const late = bus.publish({ ...claim, expectLast: held.sequence });
  await expect(late).rejects.toMatchObject({ code: 'conflict' });
});

test('a setting that somebody changed is told by its name, and left as it is', async () => {
  await ensureTopology(bus);
  const { streams } = bus.manager;
  await streams.update(STREAMS.slots, { max_msgs_per_subject: 1 });
  await streams.update(STREAMS.log, { max_age: 3_600_000_000_000 });
  const drift = [
    { stream: STREAMS.slots, field: 'max_msgs_per_subject', expected: 64, found: 1 },
    { stream: STREAMS.log, field: 'max_age', expected: 2_592_000_000_000_000, found: 3_600_000_000_000 },
  ];
  expect((await ensureTopology(bus)).drift).toEqual(drift);
  expect((await ensureTopology(bus)).drift).toEqual(drift);
});

test('a missing republish and a missing source are told field by field', async () => {
  await streamsAddPlain();
  const { drift } = await ensureTopology(bus);
  const of = (stream: string) => drift.filter((one) => one.stream === stream).map(({ field }) => field);
  expect(of(STREAMS.orders)).toEqual(
    expect.arrayContaining(['republish.src', 'republish.dest', 'allow_direct']),
  );
  expect(of(STREAMS.health)).toEqual([]);
});

/** A bucket as somebody would make it by hand, without reading what is said here. */
async function streamsAddPlain(): Promise<void> {
  await bus.manager.streams.add({ name: STREAMS.orders, subjects: ['$KV.swell_orders.>'] });
}

test('storage is what the option says, and then no drift', async () => {
  const options = { storage: 'memory', replicas: 1 } as const;
  expect((await ensureTopology(bus, options)).created.length).toBe(ALL.length);
  expect((await bus.manager.streams.info(STREAMS.log)).config.storage).toBe('memory');
  expect((await ensureTopology(bus, options)).drift).toEqual([]);
  const files = (await ensureTopology(bus)).drift;
  expect(files).toContainEqual({ stream: STREAMS.log, field: 'storage', expected: 'file', found: 'memory' });
  expect((await ensureTopology(bus, { ...options, replicas: 3 })).drift).toContainEqual({
    stream: STREAMS.log,
    field: 'num_replicas',
    expected: 3,
    found: 1,
  });
});

test('a server that acknowledges before it syncs is a concern, and so is one that does not say', async () => {
  await using careless = await startNats({ jetstream: 'jetstream { store_dir: "/tmp/careless" }' });
  const { concerns } = await ensureTopology(bus, {
    monitoringUrls: [server.monitoringUrl, careless.monitoringUrl, 'http://127.0.0.1:1'],
  });
  expect(concerns).toMatchObject([
    { server: careless.monitoringUrl, setting: 'sync_interval', expected: 'always', found: '120s' },
    { server: 'http://127.0.0.1:1', setting: 'sync_interval', found: expect.stringMatching(/^unknown/) },
  ]);
});

test('the server runs on the configuration that we ship, and acknowledges what is on the disk', async () => {
  await using shipped = await startNatsProcess({ shipped: true });
  await using own = await connectPatiently(shipped, 'shipped');
  const { drift, concerns } = await ensureTopology(own, { monitoringUrls: [shipped.monitoringUrl] });
  expect({ drift, concerns }).toEqual({ drift: [], concerns: [] });
});

test('the nats CLI makes every stream from its file, and the programs find no drift', async () => {
  const files = await readdir(FOLDER);
  expect(files.length).toBe(ALL.length);
  for (const { name } of await readDefinitions(FOLDER)) {
    await nats('stream', 'add', '--config', fileURLToPath(new URL(`${name}.json`, FOLDER)));
  }
  expect(await ensureTopology(bus)).toEqual({ created: [], drift: [], concerns: [] });
});

test('the nats CLI reads and writes the buckets that we read and write', async () => {
  await ensureTopology(bus);
  for (const bucket of ['swell_policies', 'swell_rollouts', 'swell_orders', 'swell_slots', 'swell_nodes']) {
    await nats('kv', 'put', bucket, 'some.key', 'from the CLI');
    const theirs = await bus.readLast(`KV_${bucket}`, `$KV.${bucket}.some.key`);
    expect(text(theirs?.body ?? bytes(''))).toBe('from the CLI');
    await bus.publish({
      subject: `$KV.${bucket}.some.key`,
      body: bytes('from us'),
      line: 'a value',
      expectLast: theirs?.sequence ?? 0,
    });
    expect(await nats('kv', 'get', bucket, 'some.key', '--raw')).toBe('from us');
    await nats('kv', 'del', bucket, 'some.key', '--force');
    expect(await bus.readLast(`KV_${bucket}`, `$KV.${bucket}.some.key`)).toMatchObject({ deleted: true });
  }
});

test('the log gets everything but presence, under the subjects that observers hear', async () => {
  await ensureTopology(bus);
  // One id for all: each statement is another one all the same.
  const say = (subject: string) => bus.publish({ subject, body: bytes(subject), line: subject, id: 'same' });
  const said = [
    ['swell.release.web', 'swell.release.web'],
    ['swell.control.web', 'swell.control.web'],
    ['swell.health.eu.web.node-1', 'swell.health.eu.web.node-1'],
    ['$KV.swell_policies.web', 'swell.policy.web'],
    ['$KV.swell_rollouts.service.web', 'swell.rollout.service.web'],
    ['$KV.swell_orders.wave.eu.web', 'swell.wave.eu.web'],
    ['$KV.swell_orders.halt.web', 'swell.halt.web'],
    ['$KV.swell_slots.eu.web.0', 'swell.slot.eu.web.0'],
    ['swell.event.web.settled', 'swell.event.web.settled'],
  ] as const;
  const followed = bus.follow({ stream: STREAMS.log, subjects: ['swell.>'], from: 1 });
  await say('$KV.swell_nodes.eu.node-1');
  for (const [subject] of said) await say(subject);
  const logged = await take(followed, said.length);
  expect(new Map(logged.map(({ subject, body }) => [text(body), subject]))).toEqual(new Map(said));
  followed.close();
});

test('every overwritten value is in the log, in order, once the server copies', async () => {
  await ensureTopology(bus);
  const followed = bus.follow({ stream: STREAMS.log, subjects: ['swell.slot.>'], from: 1 });
  let expectLast = 0;
  const turn = async (body: string): Promise<void> => {
    const publication = { subject: '$KV.swell_slots.eu.web.0', body: bytes(body), line: 'turn', expectLast };
    expectLast = (await bus.publish(publication)).sequence;
  };
  // The server takes a moment to begin; what is overwritten more than 64 times before that is not copied.
  await turn('first');
  await take(followed, 1);
  const turns = Array.from({ length: 300 }, (_, index) => `turn ${index}`);
  for (const body of turns) await turn(body);
  expect((await take(followed, turns.length)).map(({ body }) => text(body))).toEqual(turns);
});

test('a node that is silent is heard to expire', async () => {
  // The same bucket, with a shorter patience.
  const definition = (await readDefinitions(FOLDER)).find(({ name }) => name === STREAMS.nodes);
  await bus.manager.streams.add({
    ...definition,
    name: STREAMS.nodes,
    max_age: 1_000_000_000,
    duplicate_window: 1e9,
  });
  const heard = bus.subscribe('swell.node.>');
  const followed = bus.follow({ stream: STREAMS.nodes, subjects: ['$KV.swell_nodes.>'], from: 'last' });
  await heard.ready;
  const said = await bus.publish({
    subject: '$KV.swell_nodes.eu.node-1',
    body: bytes('here'),
    line: 'present',
  });
  const [alive, gone] = await take(heard, 2);
  expect(alive).toMatchObject({ subject: 'swell.node.eu.node-1', deleted: false, sequence: said.sequence });
  expect(gone).toMatchObject({ subject: 'swell.node.eu.node-1', deleted: true });
  expect((await takeUntil(followed, ({ deleted }) => deleted)).at(-1)?.sequence).toBe(gone?.sequence);
  // The mark of it expires, too: on a machine that has halted for seconds it may be gone.
  const left = await bus.readLastOfEach(STREAMS.nodes, ['$KV.swell_nodes.eu.*']);
  expect(left.filter(({ deleted }) => !deleted)).toEqual([]);
});
