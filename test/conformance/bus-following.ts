import type { Bus, Follower, StoredMessage } from '@swell/shared/adapters/bus.ts';
import { beforeAll, expect, test } from 'vitest';
import { take, text } from '../support/listen.ts';
import { type BusWorld, HEALTH, LOG, newRegion, put, slot } from './world.ts';

const bodies = async (follower: Follower, count: number): Promise<readonly string[]> =>
  (await take(follower, count)).map(({ body }) => text(body));

export function followingCases(world: () => BusWorld): void {
  let bus: Bus;
  beforeAll(async () => {
    bus = await world().connect();
  });
  const say = (region: string, node: string, body: string) =>
    put(bus, `swell.health.${region}.web.${node}`, body);

  test('the last of every subject comes first, then all that is new, in order', async () => {
    const region = newRegion();
    await say(region, 'a', 'a old');
    await say(region, 'b', 'b');
    await say(region, 'a', 'a new');
    const followed = bus.follow({ stream: HEALTH, subjects: [`swell.health.${region}.>`], from: 'last' });
    expect(await bodies(followed, 2)).toEqual(['b', 'a new']);
    await say(region, 'c', 'c');
    await say(newRegion(), 'a', 'not asked for');
    await say(region, 'c', 'c again');
    expect(await bodies(followed, 2)).toEqual(['c', 'c again']);
    followed.close();
    expect(await followed[Symbol.asyncIterator]().next()).toMatchObject({ done: true });
  });

  test('from a sequence on, everything comes with its place', async () => {
    const region = newRegion();
    await say(region, 'a', 'one');
    const two = await say(region, 'a', 'two');
    const three = await say(region, 'b', 'three');
    const subjects = [`swell.health.${region}.web.a`, `swell.health.${region}.web.b`];
    const followed = bus.follow({ stream: HEALTH, subjects, from: two.sequence });
    expect((await take(followed, 2)).map(({ sequence, body }) => [sequence, text(body)])).toEqual([
      [two.sequence, 'two'],
      [three.sequence, 'three'],
    ]);
    followed.close();
  });

  test('what has been overwritten is not told; what is kept is, in order', async () => {
    const [one, other] = [newRegion(), newRegion()];
    const first = await put(bus, `test.history.${one}`, '0');
    await put(bus, `test.history.${other}`, 'other');
    for (let turn = 1; turn < 6; turn += 1) await put(bus, `test.history.${one}`, `${turn}`);
    const subjects = [`test.history.${one}`, `test.history.${other}`];
    const followed = bus.follow({ stream: 'TEST_HISTORY', subjects, from: first.sequence });
    expect(await bodies(followed, 4)).toEqual(['other', '3', '4', '5']);
    await put(bus, `test.history.${one}`, '6');
    expect(await bodies(followed, 1)).toEqual(['6']);
    followed.close();
  });

  test('deletions are told as such, also as the last of a subject', async () => {
    const key = slot(newRegion());
    const one = await put(bus, key, 'one', { expectLast: 0 });
    const two = await put(bus, key, '', { deletes: true, expectLast: one.sequence });
    const followed = bus.follow({ stream: 'KV_swell_slots', subjects: [key], from: 'last' });
    expect(await take(followed, 1)).toMatchObject([{ sequence: two.sequence, deleted: true }]);
    followed.close();
  });

  test('the log copies under the subjects that observers hear, and tells the sequence of the original', async () => {
    const region = newRegion();
    const followed = bus.follow({ stream: LOG, subjects: ['swell.>'], from: 1 });
    const said: (readonly [string, number])[] = [];
    const key = slot(region);
    const health = `swell.health.${region}.web.a`;
    const wave = `$KV.swell_orders.wave.${region}.web`;
    for (let turn = 0; turn < 3; turn += 1) {
      said.push([`swell.slot.${region}.web.0`, (await put(bus, key, `${turn}`, { id: `${turn}` })).sequence]);
      said.push([health, (await put(bus, health, `${turn}`)).sequence]);
      said.push([`swell.wave.${region}.web`, (await put(bus, wave, `${turn}`)).sequence]);
    }
    const event = `swell.event.${region}.settled`;
    const own = await put(bus, event, 'event');
    const logged: StoredMessage[] = [];
    for await (const message of followed) {
      if (message.subject.includes(region)) logged.push(message);
      if (logged.length === said.length + 1) break;
    }
    const sequences = logged.map(({ sequence }) => sequence);
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
    expect(logged.find(({ subject }) => subject === event)?.sequence).toBe(own.sequence);
    const bySubject = (pairs: readonly (readonly [string, number | undefined])[]) =>
      Map.groupBy(pairs, ([subject]) => subject);
    expect(bySubject(logged.map(({ subject, sourceSequence }) => [subject, sourceSequence]))).toEqual(
      bySubject([...said, [event, undefined]]),
    );
  });
}
