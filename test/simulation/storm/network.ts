/** The network between programs and the bus: ways that are blocked, words that are late, lost or said twice. */

import type { Direction } from '../bus/line.ts';
import { type FaultRates, noFaults } from '../bus/rates.ts';
import type { Chance } from '../chance.ts';
import { type Fault, type Scene, seconds } from './fault.ts';

const EPISODE_MS = 180_000;
const PARTITION_MS = 60_000;

export const NETWORK_FAULTS = {
  'connection cut': {
    per: 'machine',
    strike(scene, chance) {
      const { model, running } = scene.node(chance);
      running?.line.cut();
      return model.name;
    },
  },
  'partition both ways': {
    per: 'machine',
    strike: (scene, chance) => partition(scene, chance, 'both'),
  },
  'partition one way': {
    per: 'machine',
    strike: (scene, chance) => partition(scene, chance, chance.pick(['up', 'down'] as const)),
  },
  'words late': {
    per: 'world',
    strike: (scene, chance) =>
      episode(scene, chance, { delayed: chance.between(0, 0.1), delayMs: chance.exponential(3_000) }),
  },
  'messages lost': {
    per: 'world',
    strike: (scene, chance) => episode(scene, chance, { lost: chance.between(0, 0.3) }),
  },
  'messages twice': {
    per: 'world',
    strike: (scene, chance) => episode(scene, chance, { duplicated: chance.between(0, 0.3) }),
  },
  'publishes lost': {
    per: 'world',
    strike: (scene, chance) =>
      episode(scene, chance, { publishLost: chance.between(0, 0.1), answerLost: chance.between(0, 0.1) }),
  },
  'stale reads': {
    per: 'world',
    strike: (scene, chance) =>
      episode(scene, chance, { staleRead: chance.between(0, 0.3), staleMs: chance.exponential(1_000) }),
  },
} as const satisfies Record<string, Fault>;

function partition(scene: Scene, chance: Chance, direction: Direction): string {
  const { model, running } = scene.node(chance);
  const ms = chance.exponential(PARTITION_MS);
  running?.line.partition(direction);
  scene.later(ms, () => running?.line.heal());
  return `${model.name} (${direction}) for ${seconds(ms)}`;
}

/** For some minutes; the end of one is the end of all of its kind. */
function episode(scene: Scene, chance: Chance, rates: Partial<FaultRates>): string {
  const { server } = scene.world;
  const ms = chance.exponential(EPISODE_MS);
  Object.assign(server.rates, rates);
  scene.later(ms, () => {
    for (const name of Object.keys(rates) as (keyof FaultRates)[]) server.rates[name] = noFaults()[name];
  });
  const told = Object.entries(rates).map(([name, rate]) => `${name} ${rate.toPrecision(2)}`);
  return `${told.join(', ')} for ${seconds(ms)}`;
}
