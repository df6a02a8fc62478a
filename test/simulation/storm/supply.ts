/** Where images come from, and what is wrong with them on some machines only. */

import { AILMENTS } from '../ailments.ts';
import type { Chance } from '../chance.ts';
import { newestTag } from '../deliveries.ts';
import type { NodeModel } from '../node-model.ts';
import type { RegistryTrouble } from '../registry-model.ts';
import { digestOf } from '../world.ts';
import { type Fault, type Scene, seconds } from './fault.ts';

const EPISODE_MS = 180_000;
const NODES_CONCERNED = 0.3;

export const SUPPLY_FAULTS = {
  'registry down': {
    per: 'world',
    strike({ world, later }, chance) {
      const ms = chance.exponential(EPISODE_MS);
      const set = (isDown: boolean): void => {
        world.registry.isDown = isDown;
        for (const { model } of world.nodes) model.registryIsDown = isDown;
      };
      set(true);
      later(ms, () => set(false));
      return `for ${seconds(ms)}`;
    },
  },
  'registry limits the rate': {
    per: 'world',
    strike: (scene, chance) =>
      trouble(scene, chance, { is: 'limited', retryAfterMs: chance.pick([1_000, 30_000, 120_000]) }),
  },
  'registry answers slowly': {
    per: 'world',
    strike: (scene, chance) => trouble(scene, chance, { is: 'slow', ms: chance.between(1_000, 60_000) }),
  },
  'Prometheus says nothing': {
    per: 'world',
    strike({ world: { prometheus }, later }, chance) {
      const ms = chance.exponential(EPISODE_MS);
      const fault = chance.pick(['no-data', 'nonsense', 'slow'] as const);
      prometheus.fault = fault;
      later(ms, () => {
        prometheus.fault = undefined;
      });
      return `${fault}, for ${seconds(ms)}`;
    },
  },
  /** Of every version: nobody can tell whose they are. */
  'Prometheus shows errors': {
    per: 'world',
    strike({ world: { prometheus }, later }, chance) {
      const ms = chance.exponential(EPISODE_MS);
      prometheus.measure = () => 1;
      later(ms, () => {
        prometheus.measure = () => 0;
      });
      return `for ${seconds(ms)}`;
    },
  },
  'slow pull': {
    per: 'world',
    strike(scene, chance) {
      const times = chance.between(5, 100);
      return onSome(
        scene,
        chance,
        (model) => {
          model.pullSlowness = times;
        },
        (model) => {
          model.pullSlowness = 1;
        },
      );
    },
  },
  'failed pull': {
    per: 'world',
    strike(scene, chance) {
      const rate = chance.between(0.1, 1);
      return onSome(
        scene,
        chance,
        (model) => {
          model.pullFailureRate = rate;
        },
        (model) => {
          model.pullFailureRate = 0;
        },
      );
    },
  },
  'tampered pull': {
    per: 'world',
    strike: (scene, chance) =>
      onSome(
        scene,
        chance,
        (model) => {
          model.pullIsTampered = true;
        },
        (model) => {
          model.pullIsTampered = false;
        },
      ),
  },
  /** A few machines cannot stand what everybody else can. */
  'image ails on some nodes': {
    per: 'world',
    strike({ world }, chance) {
      const share = chance.between(0.01, 0.2);
      const tag = newestTag(world);
      const digest = digestOf(tag);
      const ailment = chance.pick(AILMENTS);
      for (const { model } of world.nodes) {
        const isIll = chance.happens(share);
        // Whoever has it already is not cured by it.
        if (isIll && world.ailments.of(digest, model.name) === undefined)
          world.ailments.ail(digest, ailment, model.name);
      }
      return `${tag} ${ailment}`;
    },
  },
} as const satisfies Record<string, Fault>;

/** Of coordinators; nodes pull by other ways. */
function trouble({ world: { registry }, later }: Scene, chance: Chance, it: RegistryTrouble): string {
  const ms = chance.exponential(EPISODE_MS);
  registry.trouble = it;
  later(ms, () => {
    if (registry.trouble === it) registry.trouble = undefined;
  });
  return `${JSON.stringify(it)} for ${seconds(ms)}`;
}

function onSome(
  { world, later }: Scene,
  chance: Chance,
  begin: (model: NodeModel) => void,
  end: (model: NodeModel) => void,
): string {
  const ms = chance.exponential(EPISODE_MS);
  const concerned = world.nodes.filter(() => chance.happens(NODES_CONCERNED));
  for (const { model } of concerned) begin(model);
  later(ms, () => {
    for (const { model } of concerned) end(model);
  });
  return `${concerned.length} nodes for ${seconds(ms)}`;
}
