/** What only the model can be made to do on purpose: partitions, late words, lost answers, a past that comes back. */

import type { Bus, StoredMessage } from '@swell/shared/adapters/bus.ts';
import { expect, test } from 'vitest';
import { failure, put, SLOTS, slot } from '../conformance/world.ts';
import { bytes, text } from '../support/listen.ts';
import { readShapes } from './bus/definition.ts';
import type { ModelBus } from './bus/model-bus.ts';
import type { Copies } from './bus/stream.ts';
import { ModelServer } from './bus-model.ts';
import { Chance } from './chance.ts';
import { Process } from './process.ts';
import { VirtualTime } from './time.ts';

const START_MS = 1_800_000_000_000;
const KEY = slot('eu');
const shapes = await readShapes();

class Stage {
  readonly time = new VirtualTime(START_MS);
  readonly chance: Chance;
  readonly server: ModelServer;
  readonly processes: Process[] = [];

  constructor(seed = 'stage', copies: Copies = 1) {
    this.chance = new Chance(seed);
    this.server = new ModelServer(this.time, this.chance, shapes, copies);
  }

  connect(): ModelBus {
    const name = `client-${this.processes.length}`;
    const process = new Process(name, this.time, this.chance.fork(name));
    this.processes.push(process);
    return this.server.connect(process, { latencyMs: 5 });
  }

  /** Time passes until the play is over; what it returns. */
  async until<Value>(play: Promise<Value>, withinMs = 600_000): Promise<Value> {
    let isOver = false;
    const end = (): void => {
      isOver = true;
    };
    play.then(end, end);
    if (!(await this.time.run(this.time.nowMs + withinMs, () => isOver))) throw new Error('it did not end');
    return play;
  }

  pass(ms: number): Promise<boolean> {
    return this.time.run(this.time.nowMs + ms);
  }
}

/** Everything that an iteration brings, as it comes. */
function collect<Item>(source: AsyncIterable<Item>): readonly Item[] {
  const items: Item[] = [];
  void (async () => {
    for await (const item of source) items.push(item);
  })();
  return items;
}

const bodiesOf = (messages: readonly { readonly body: Uint8Array }[]): readonly string[] =>
  messages.map(({ body }) => text(body));

test('a short partition makes words late, and loses none', async () => {
  const stage = new Stage();
  const [bus, other] = [stage.connect(), stage.connect()];
  const pulses = collect(bus.subscribe('swell.pulse.eu'));
  await stage.pass(100);
  bus.line.partition('down');
  for (const pulse of ['1', '2', '3']) other.broadcast('swell.pulse.eu', bytes(pulse), '');
  await stage.pass(15_000);
  expect(pulses).toEqual([]);
  bus.line.heal();
  await stage.pass(1);
  expect(bodiesOf(pulses)).toEqual(['1', '2', '3']);
  expect(bus.connection).toBe('connected');
});

test.each(['up', 'down', 'both'] as const)(
  'a long partition (%s) ends the connection after pings that nobody answered; then followers leave nothing out',
  async (direction) => {
    const stage = new Stage();
    const [bus, other] = [stage.connect(), stage.connect()];
    const changes = collect(bus.connectionChanges());
    const heard = collect(bus.subscribe('swell.slot.>'));
    const followed = collect(bus.follow({ stream: SLOTS, subjects: ['$KV.swell_slots.>'], from: 1 }));
    await stage.pass(1_000);
    bus.line.partition(direction);
    await stage.pass(39_000);
    expect(bus.connection).toBe('connected');
    await stage.pass(22_000);
    expect(bus.connection).toBe('disconnected');
    expect(await stage.until(failure(put(bus, KEY, 'nowhere')))).toBe('unavailable');
    await stage.until(put(other, KEY, 'meanwhile'));
    bus.line.heal();
    await stage.pass(15_000);
    expect(changes).toEqual(['connected', 'disconnected', 'connected']);
    await stage.until(put(other, KEY, 'afterwards'));
    await stage.pass(1_000);
    expect(bodiesOf(followed)).toEqual(['meanwhile', 'afterwards']);
    expect(bodiesOf(heard)).toEqual(['afterwards']);
  },
);

test('a publish whose answer is lost is a duplicate when it is said again; one that is lost itself is not', async () => {
  const stage = new Stage();
  const bus = stage.connect();
  stage.server.rates.answerLost = 1;
  expect(await stage.until(failure(put(bus, KEY, 'one', { id: 'one' })))).toBe('unknown-outcome');
  stage.server.rates.answerLost = 0;
  stage.server.rates.publishLost = 1;
  expect(await stage.until(failure(put(bus, KEY, 'two', { id: 'two' })))).toBe('unknown-outcome');
  stage.server.rates.publishLost = 0;
  expect(await stage.until(put(bus, KEY, 'one', { id: 'one' }))).toEqual({ sequence: 1, duplicate: true });
  expect(await stage.until(put(bus, KEY, 'two', { id: 'two' }))).toEqual({ sequence: 2, duplicate: false });
});

test('what a cut connection said last arrives up to some word, or not at all', async () => {
  const arrived = new Set<number>();
  for (let seed = 0; seed < 60; seed += 1) {
    const stage = new Stage(`${seed}`);
    const bus = stage.connect();
    const ends = ['0', '1', '2'].map((body, index) => failure(put(bus, slot('eu', index), body)));
    bus.line.cut();
    expect(await stage.until(Promise.all(ends))).toEqual(Array(3).fill('unknown-outcome'));
    const stored = [...stage.server.entries(SLOTS)];
    expect(bodiesOf(stored)).toEqual(['0', '1', '2'].slice(0, stored.length));
    arrived.add(stored.length);
  }
  expect([...arrived].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
});

test('an acknowledged tail that is lost: sequences are given again, and followers go on', async () => {
  const stage = new Stage();
  const bus = stage.connect();
  const followed = collect(bus.follow({ stream: SLOTS, subjects: ['$KV.swell_slots.>'], from: 1 }));
  for (const body of ['a', 'b', 'c', 'd']) await stage.until(put(bus, KEY, body, { id: body }));
  await stage.pass(100);
  stage.server.down();
  stage.server.loseTail(SLOTS, 2);
  stage.server.up();
  await stage.pass(30_000);
  expect(await stage.until(put(bus, KEY, 'd', { id: 'd', expectLast: 2 }))).toEqual({
    sequence: 3,
    duplicate: false,
  });
  await stage.pass(30_000);
  expect(bodiesOf(followed)).toEqual(['a', 'b', 'c', 'd', 'a', 'b', 'd']);
});

test('a replica that is behind shows what was; the leader does not', async () => {
  const stage = new Stage();
  const bus = stage.connect();
  await stage.until(put(bus, KEY, 'old'));
  await stage.pass(10_000);
  stage.server.rates.staleRead = 1;
  stage.server.rates.staleMs = 1_000;
  await stage.until(put(bus, KEY, 'new'));
  expect(text((await stage.until(bus.readLast(SLOTS, KEY)))?.body ?? bytes(''))).toBe('new');
  expect(bodiesOf(await stage.until(bus.readLastOfEach(SLOTS, [KEY])))).toEqual(['old']);
});

test('without a leader nothing is stored or surely read, and plain words still pass', async () => {
  const stage = new Stage('leader', 3);
  const bus = stage.connect();
  const pulses = collect(bus.subscribe('swell.pulse.eu'));
  await stage.until(put(bus, KEY, 'before'));
  stage.server.loseLeader(20_000);
  bus.broadcast('swell.pulse.eu', bytes('beat'), '');
  const outcomes = new Set<unknown>();
  const tries = Array.from({ length: 40 }, (_, index) => failure(put(bus, slot('us', index), 'meanwhile')));
  for (const outcome of await stage.until(Promise.all(tries))) outcomes.add(outcome);
  expect(outcomes).toEqual(new Set(['unavailable', 'unknown-outcome']));
  expect(await stage.until(failure(bus.readLast(SLOTS, KEY)))).toBe('unavailable');
  expect(bodiesOf(await stage.until(bus.readLastOfEach(SLOTS, [KEY])))).toEqual(['before']);
  expect(bodiesOf(pulses)).toEqual(['beat']);
  expect(stage.server.lastSequence(SLOTS)).toBe(1);
  await stage.pass(20_000);
  // Some of those that nobody answered had reached a majority.
  expect(stage.server.lastSequence(SLOTS)).toBeGreaterThan(1);
});

test('a program that is stopped for minutes is cut off, and hears of it when it goes on', async () => {
  const stage = new Stage();
  const [bus, other] = [stage.connect(), stage.connect()];
  const changes = collect(bus.connectionChanges());
  const pulses = collect(bus.subscribe('swell.pulse.eu'));
  await stage.pass(100);
  stage.processes[0]?.pause();
  for (let beat = 0; beat < 40; beat += 1) {
    other.broadcast('swell.pulse.eu', bytes(`${beat}`), '');
    await stage.pass(10_000);
  }
  expect(pulses).toEqual([]);
  stage.processes[0]?.resume();
  await stage.pass(10_000);
  // What lay in its socket it reads first.
  expect(bodiesOf(pulses)).toEqual(Array.from({ length: 25 }, (_, beat) => `${beat}`));
  expect(changes).toEqual(['connected', 'disconnected', 'connected']);
});

test('one seed gives one history', async () => {
  const history = async (seed: string): Promise<readonly string[]> => {
    const stage = new Stage(seed);
    Object.assign(stage.server.rates, { lost: 0.1, duplicated: 0.1, answerLost: 0.1, delayed: 0.1 });
    const seen: string[] = [];
    const note = (what: string, { sequence, body }: Pick<StoredMessage, 'body'> & { sequence?: number }) =>
      seen.push(`${stage.time.nowMs} ${what} ${sequence} ${text(body)}`);
    stage.server.onStored = (stream, message) => note(stream, message);
    const buses: Bus[] = [stage.connect(), stage.connect(), stage.connect()];
    for (const [index, bus] of buses.entries()) {
      void (async () => {
        for await (const message of bus.subscribe('swell.slot.>')) note(`bus ${index} hears`, message);
      })();
      void (async () => {
        for (let turn = 0; turn < 20; turn += 1)
          await failure(put(bus, slot('eu', turn % 3), `${index}.${turn}`));
      })();
    }
    await stage.pass(300_000);
    return seen;
  };
  const first = await history('a');
  expect(first.length).toBeGreaterThan(150);
  expect(await history('a')).toEqual(first);
  expect(await history('b')).not.toEqual(first);
});
