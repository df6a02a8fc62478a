/** Followers of a real stream: what they say, and that they say it whatever happens to the consumer and the stream. */

import type { Follower } from '@swell/shared/adapters/bus.ts';
import { ensureTopology } from '@swell/shared/adapters/ensure-topology.ts';
import type { NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import type { BusNotice } from '@swell/shared/adapters/nats-connect.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inBatches } from '../support/batches.ts';
import { connectPatiently } from '../support/bus.ts';
import { bytes, take, text } from '../support/listen.ts';
import { type NatsServer, startNats } from '../support/nats.ts';

const HEALTH = 'SWELL_HEALTH';
const POLL = { timeout: 60_000 };

let server: NatsServer;
let bus: NatsBus;
const notices: BusNotice[] = [];

beforeAll(async () => {
  server = await startNats();
  bus = await connectPatiently(server, 'follow-test', (notice) => notices.push(notice));
  await ensureTopology(bus);
});

afterAll(async () => {
  await bus[Symbol.asyncDispose]();
  await server.stop();
});

let regions = 0;
const newRegion = (): string => `region-${(regions += 1)}`;
const say = (region: string, node: string, body: string) =>
  bus.publish({ subject: `swell.health.${region}.web.${node}`, body: bytes(body), line: body });
const bodies = async (follower: Follower, count: number): Promise<readonly string[]> =>
  (await take(follower, count)).map(({ body }) => text(body));

test('the last of every subject comes first, then all that is new, in order', async () => {
  const region = newRegion();
  await say(region, 'a', 'a old');
  await say(region, 'b', 'b');
  await say(region, 'a', 'a new');
  const followed = bus.follow({ stream: HEALTH, subjects: [`swell.health.${region}.>`], from: 'last' });
  expect(await bodies(followed, 2)).toEqual(['b', 'a new']);
  await say(region, 'c', 'c');
  await say(region, 'c', 'c again');
  expect(await bodies(followed, 2)).toEqual(['c', 'c again']);
  followed.close();
});

test('from a sequence on, everything comes with its place', async () => {
  const region = newRegion();
  await say(region, 'a', 'one');
  const two = await say(region, 'a', 'two');
  const three = await say(region, 'a', 'three');
  const followed = bus.follow({
    stream: HEALTH,
    subjects: [`swell.health.${region}.*.*`],
    from: two.sequence,
  });
  expect((await take(followed, 2)).map(({ sequence, body }) => [sequence, text(body)])).toEqual([
    [two.sequence, 'two'],
    [three.sequence, 'three'],
  ]);
  followed.close();
});

test('several subjects are one line', async () => {
  const [one, two, other] = [newRegion(), newRegion(), newRegion()];
  const subjects = [`swell.health.${one}.>`, `swell.health.${two}.>`];
  const followed = bus.follow({ stream: HEALTH, subjects, from: 'last' });
  await say(one, 'a', 'one');
  await say(other, 'a', 'not asked for');
  await say(two, 'a', 'two');
  expect(await bodies(followed, 2)).toEqual(['one', 'two']);
  followed.close();
});

test('a slow listener gets everything, and more than one batch', async () => {
  const region = newRegion();
  const said = Array.from({ length: 5_000 }, (_, index) => `${index}`);
  const followed = bus.follow({ stream: HEALTH, subjects: [`swell.health.${region}.>`], from: 'last' });
  await inBatches(said, (body) => say(region, `node-${body}`, body));
  const heard = await bodies(followed, said.length);
  expect(heard.toSorted()).toEqual(said.toSorted());
  followed.close();
});

test('closing ends the iteration, and the server forgets the consumer', async () => {
  const region = newRegion();
  const consumers = async (): Promise<number> =>
    (await bus.manager.streams.info(HEALTH)).state.consumer_count;
  // Those of the tests before go a moment after they were closed.
  await expect.poll(consumers, POLL).toBe(0);
  const followed = bus.follow({ stream: HEALTH, subjects: [`swell.health.${region}.>`], from: 'last' });
  await say(region, 'a', 'one');
  const iterator = followed[Symbol.asyncIterator]();
  await iterator.next();
  expect(await consumers()).toBe(1);
  const waiting = iterator.next();
  followed.close();
  expect(await waiting).toMatchObject({ done: true });
  await expect.poll(consumers, POLL).toBe(0);
});

test('a consumer that vanishes is replaced: nothing is missing, nothing is said twice', async () => {
  const region = newRegion();
  const followed = bus.follow({ stream: HEALTH, subjects: [`swell.health.${region}.>`], from: 'last' });
  const said: string[] = [];
  for (let turn = 0; turn < 5; turn += 1) {
    said.push(`${turn}`);
    await say(region, 'a', `${turn}`);
    expect(await bodies(followed, 1)).toEqual([`${turn}`]);
    for await (const consumer of bus.manager.consumers.list(HEALTH)) {
      await bus.manager.consumers.delete(HEALTH, consumer.name);
    }
  }
  followed.close();
});

test('a stream that comes later is followed from its beginning', async () => {
  const followed = bus.follow({ stream: 'LATE', subjects: ['late.>'], from: 'last' });
  await expect
    .poll(
      () => notices.some(({ kind, ...notice }) => kind === 'follower-interrupted' && 'stream' in notice),
      POLL,
    )
    .toBe(true);
  await bus.manager.streams.add({ name: 'LATE', subjects: ['late.>'] });
  await bus.publish({ subject: 'late.a', body: bytes('one'), line: '' });
  expect(await bodies(followed, 1)).toEqual(['one']);
  followed.close();
});

test.each([
  { from: 'last', known: ['1', '2', '3'], anew: /^[a-e]$/ },
  { from: 2, known: ['2', '3'], anew: /^a$/ },
] as const)('a stream that is made again is told, and from its beginning (from $from)', async (one) => {
  const { from, known, anew } = one;
  const name = `REBORN_${from}`;
  const subject = `reborn.${from}`;
  const put = (body: string) => bus.publish({ subject, body: bytes(body), line: '' });
  await bus.manager.streams.add({ name, subjects: [subject] });
  const followed = bus.follow({ stream: name, subjects: [subject], from });
  const heard: string[] = [];
  for (const body of ['1', '2', '3']) {
    await put(body);
    if (from === 'last' || Number(body) >= from) heard.push(...(await bodies(followed, 1)));
  }
  expect(heard).toEqual(known);
  await bus.manager.streams.delete(name);
  await bus.manager.streams.add({ name, subjects: [subject] });
  // As many as before and more: the sequence alone would not show it.
  for (const body of ['a', 'b', 'c', 'd', 'e']) await put(body);
  expect((await bodies(followed, 1))[0]).toMatch(anew);
  expect(notices).toContainEqual(expect.objectContaining({ kind: 'stream-reborn', stream: name }));
  followed.close();
});

test('a start beyond the end is an older state: it is told, and everything comes', async () => {
  const name = 'REWOUND';
  await bus.manager.streams.add({ name, subjects: ['rewound'] });
  const put = (body: string) => bus.publish({ subject: 'rewound', body: bytes(body), line: '' });
  await put('one');
  await put('two');
  const followed = bus.follow({ stream: name, subjects: ['rewound'], from: 100 });
  expect(await bodies(followed, 2)).toEqual(['one', 'two']);
  expect(notices).toContainEqual(expect.objectContaining({ kind: 'stream-reborn', stream: name }));
  followed.close();
});
