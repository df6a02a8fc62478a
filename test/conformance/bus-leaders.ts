/** A stream loses its leader, and gets another: of three servers only. */

import { expect, test } from 'vitest';
import { take } from '../support/listen.ts';
import { HEALTH, insist, type MakeWorld, put, SLOTS, slot } from './world.ts';

export function leaderCases(makeWorld: MakeWorld): void {
  test('while a leader is elected nothing acknowledged is lost, and followers leave nothing out', async () => {
    await using world = await makeWorld([HEALTH, SLOTS]);
    const bus = await world.connect('hasty');
    const followed = bus.follow({ stream: HEALTH, subjects: ['swell.health.>'], from: 1 });
    const sequences = new Set<number>();
    for (let turn = 0; turn < 60; turn += 1) {
      if (turn === 20) await world.killLeader(HEALTH);
      const id = `${turn}`;
      const publish = () => put(bus, `swell.health.eu.web.node-${turn % 7}`, id, { id });
      sequences.add((await insist(world, publish)).sequence);
    }
    expect(sequences.size).toBe(60);
    const heard = (await take(followed, 60)).map(({ sequence }) => sequence);
    expect(heard).toEqual([...sequences].toSorted((a, b) => a - b));
  });

  test('a claim that nobody answered is stored or not, and its repetition says so', async () => {
    await using world = await makeWorld([HEALTH, SLOTS]);
    const bus = await world.connect('hasty');
    await world.killLeader(SLOTS);
    for (let number = 0; number < 5; number += 1) {
      const key = slot('eu', number);
      const claim = () => put(bus, key, 'mine', { id: 'claim', expectLast: 0 });
      const { sequence } = await insist(world, claim);
      expect(await insist(world, () => bus.readLast(SLOTS, key))).toMatchObject({ sequence });
    }
  });
}
