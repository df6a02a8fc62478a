/**
 * What a bus does, as cases that any bus is asked: the model, one real server and three. What the simulation believes of the
 * bus is what stands here; a case that only one of them passes is a hole in the model.
 *
 * Where the model differs, and we do not rely on it:
 * - it has no permissions, and no limits but the size of a message;
 * - its followers are handed what is stored at once, however slow their listener; real ones pull a thousand ahead;
 * - its followers notice a consumer that is gone at once, the real ones by silence at worst;
 * - its three servers are one to a client: a server of three that dies is a cut (`line.cut`) and a lost leader (`loseLeader`);
 * - a stream without a leader refuses or is silent by chance, where real ones pass through both in turn;
 * - after all three have begun again, each stream that republishes says its last message again; real ones do mostly.
 */

import { afterAll, beforeAll, describe } from 'vitest';
import { followingCases } from './bus-following.ts';
import { hearingCases } from './bus-hearing.ts';
import { leaderCases } from './bus-leaders.ts';
import { lonelyOutageCases, outageCases } from './bus-outages.ts';
import { publishingCases } from './bus-publishing.ts';
import { readingCases } from './bus-reading.ts';
import { rewindCases } from './bus-rewinds.ts';
import type { BusWorld, MakeWorld } from './world.ts';

export function busConformance(name: string, copies: 1 | 3, makeWorld: MakeWorld): void {
  describe(`${name}:`, () => {
    let shared: BusWorld;
    beforeAll(async () => {
      shared = await makeWorld();
    });
    afterAll(() => shared[Symbol.asyncDispose]());
    const world = (): BusWorld => shared;
    describe('publishing', () => {
      publishingCases(world);
    });
    describe('reading', () => {
      readingCases(world);
    });
    describe('hearing', () => {
      hearingCases(world);
    });
    describe('following', () => {
      followingCases(world);
    });
    // These break worlds of their own; of three servers one world after the other, for they are busy electing.
    describe('outages', { concurrent: copies === 1 }, () => {
      outageCases(copies, makeWorld);
      if (copies === 3) return leaderCases(makeWorld);
      lonelyOutageCases(makeWorld);
      rewindCases(makeWorld);
    });
  });
}
