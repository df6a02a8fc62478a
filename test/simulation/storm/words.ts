/** People who are hasty, contradict themselves, and change the rules in the middle. */

import type { Chance } from '../chance.ts';
import { ailmentOf, drawPolicy, releaseNext } from '../people.ts';
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
    { action: 'approve', to: chance.pick([25, 50, 100]), ...rollout },
    { action: 'rollback', version: `v${chance.whole(1, 12)}`, ...rollout },
    { action: 'hold', ...HELD, reason: 'a fair' },
    { action: 'unhold', ...HELD },
  ]);
}

export const WORD_FAULTS = {
  'contradictory words': {
    per: 'world',
    strike({ world, later }, chance) {
      const [first, second] = chance.pick(PAIRS);
      world.control({ action: first });
      later(chance.between(0, 1_000), () => world.control({ action: second }));
      return `${first}, ${second}`;
    },
  },
  "operator's word": {
    per: 'world',
    strike({ world }, chance) {
      const word = drawWord(chance);
      world.control(word);
      return JSON.stringify(word);
    },
  },
  'policy change': {
    per: 'world',
    strike({ world }, chance) {
      const policy = drawPolicy(chance, world.profile);
      world.policy(policy);
      return JSON.stringify(policy);
    },
  },
  'bad policy': {
    per: 'world',
    strike({ world }, chance) {
      const policy = chance.pick(BAD_POLICIES);
      world.policy(policy);
      return JSON.stringify(policy);
    },
  },
  /** Each follows before the one before it has got anywhere. */
  'burst of releases': {
    per: 'world',
    strike(scene, chance) {
      const { world } = scene;
      const count = chance.whole(2, 5);
      let ms = 0;
      for (let one = 0; one < count; one += 1) {
        const ailment = ailmentOf(chance, world.profile.badReleases);
        scene.unlessOver(ms, () => releaseNext(world, ailment));
        ms += chance.exponential(8_000);
      }
      return `${count}`;
    },
  },
  /** Back to what was before, known to be bad or not. */
  'release of an older image': {
    per: 'world',
    strike({ world }, chance) {
      const tag = chance.pick([...world.registry.tags.keys()]);
      const acceptHalted = chance.happens(0.5);
      world.release({ image: `registry.example/web:${tag}`, acceptHalted, allowDowngrade: true });
      return acceptHalted ? `${tag}, though it was halted` : tag;
    },
  },
} as const satisfies Record<string, Fault>;
