/** People who are hasty, contradict themselves, and change the rules in the middle. */

import type { Chance } from '../chance.ts';
import { ailmentOf, deliver, releaseUnit } from '../deliveries.ts';
import { drawPolicy, surroundingsOf } from '../draw-policy.ts';
import type { Fault } from './fault.ts';

const PAIRS = [
  ['pause', 'resume'],
  ['resume', 'pause'],
  ['approve', 'halt'],
  ['halt', 'approve'],
  ['halt', 'resume'],
  ['halt', 'abort'],
  ['abort', 'halt'],
  ['abort', 'resume'],
  ['approve', 'approve'],
] as const;
const WORDS = ['pause', 'resume', 'halt', 'abort', 'approve', 'retry', 'undo'] as const;
/** Whom a person holds, and lets go of (`People.fallSilent`). */
const HELD = { label: 'canary' } as const;
const BAD_POLICIES = [
  { stages: [50] },
  { stages: 'all' },
  { maxUnavailable: 0 },
  { slotLease: '1' },
  { health: { healthyDeadline: '1s', minHealthyTime: '1h' } },
];

function drawWord(chance: Chance): object {
  // Sometimes one that speaks of a rollout long past, or of none that ever was.
  const rollout = chance.happens(0.2) ? { rollout: chance.whole(1, 20) } : {};
  return chance.pick([
    ...WORDS.map((action) => ({ action, ...rollout })),
    { action: 'halt', return: false, ...rollout },
    { action: 'approve', to: chance.pick([25, 50, 100]), ...rollout },
    { action: 'rollback', version: `v${chance.whole(1, 12)}`, ...rollout },
    { action: 'hold', ...HELD, reason: 'a fair' },
    { action: 'unhold', ...HELD },
  ]);
}

export const WORD_FAULTS = {
  'contradictory words': {
    per: 'world',
    strike(scene, chance) {
      const { world, later } = scene;
      const [first, second] = chance.pick(PAIRS);
      const service = scene.service(chance);
      world.control({ action: first }, service);
      later(chance.between(0, 1_000), () => world.control({ action: second }, service));
      return `${service}: ${first}, ${second}`;
    },
  },
  "operator's word": {
    per: 'world',
    strike(scene, chance) {
      const word = drawWord(chance);
      const service = scene.service(chance);
      scene.world.control(word, service);
      return `${service}: ${JSON.stringify(word)}`;
    },
  },
  'policy change': {
    per: 'world',
    strike(scene, chance) {
      const { world } = scene;
      const service = scene.service(chance);
      const policy = drawPolicy(chance, world.profile, surroundingsOf(world, service));
      world.policy(policy, service);
      return `${service}: ${JSON.stringify(policy)}`;
    },
  },
  'bad policy': {
    per: 'world',
    strike(scene, chance) {
      const policy = chance.pick(BAD_POLICIES);
      const service = scene.service(chance);
      scene.world.policy(policy, service);
      return `${service}: ${JSON.stringify(policy)}`;
    },
  },
  /** Each follows before the one before it has got anywhere. */
  'burst of releases': {
    per: 'world',
    strike(scene, chance) {
      const { world } = scene;
      const service = scene.service(chance);
      const count = chance.whole(2, 5);
      let ms = 0;
      for (let one = 0; one < count; one += 1) {
        const ailment = ailmentOf(chance, world.profile.badReleases);
        scene.unlessOver(ms, () => void deliver(world, service, { ailment }));
        ms += chance.exponential(8_000);
      }
      return `${count} of ${service}`;
    },
  },
  /** Back to what was before, known to be bad or not. */
  'release of an older image': {
    per: 'world',
    strike(scene, chance) {
      const { world } = scene;
      const tag = chance.pick([...world.registry.tags.keys()]);
      const acceptHalted = chance.happens(0.5);
      const service = scene.service(chance);
      const tags = world.unitTags.at(Math.floor(chance.next() * world.unitTags.length));
      if (world.units.has(service) && tags !== undefined) {
        releaseUnit(world, service, tags, { acceptHalted, allowDowngrade: true });
        return `${Object.values(tags).join(', ')} of ${service}`;
      }
      const release = { image: `registry.example/${service}:${tag}`, acceptHalted, allowDowngrade: true };
      world.release(release, service);
      return `${tag} of ${service}${acceptHalted ? ', though it was halted' : ''}`;
    },
  },
} as const satisfies Record<string, Fault>;
