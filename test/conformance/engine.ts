/**
 * What a container engine does, as cases that any engine is asked: the model of the simulation, and a real dockerd. What the
 * simulation believes of Docker is what stands here; a case that only one of them passes is a hole in the model.
 *
 * Where the model differs, and the simulation does not rely on it:
 * - it works in one piece: a real swap that is cut off lies anywhere between two states that stand here, and goes on from
 *   there (`test/e2e/docker-engine.test.ts` cuts it off everywhere);
 * - an image of the model is well or not, whatever it is asked by; a real one may answer one probe and not the other;
 * - its containers have no restart policy: one that ended stays as it is, as one that Docker has given up on;
 * - all its images have a digest of a registry; there are no replicas, no Compose, no other containers.
 */

import { afterAll, beforeAll, describe } from 'vitest';
import { handCases } from './engine-hands.ts';
import { probingCases } from './engine-probing.ts';
import { stagingCases } from './engine-staging.ts';
import { swappingCases } from './engine-swapping.ts';
import type { EngineWorld } from './engine-world.ts';

export function engineCases(makeWorld: () => Promise<EngineWorld>): void {
  let shared: EngineWorld | undefined;
  beforeAll(async () => {
    shared = await makeWorld();
  });
  afterAll(() => shared?.[Symbol.asyncDispose]());
  const world = (): EngineWorld => {
    if (shared === undefined) throw new Error('there is no world');
    return shared;
  };
  describe('images', () => {
    stagingCases(world);
  });
  describe('swaps', () => {
    swappingCases(world);
  });
  describe('hands', () => {
    handCases(world);
  });
  describe('probes', () => {
    probingCases(world);
  });
}
