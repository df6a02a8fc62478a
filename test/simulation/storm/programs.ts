/** Programs that die, that stop, and that lead without knowing that they do not. */

import { decode, encode } from '@swell/shared/protocol/codec.ts';
import { leaseSchema } from '@swell/shared/protocol/records.ts';
import { LEASE_KEY, STREAMS } from '@swell/shared/protocol/subjects.ts';
import type { Running } from '../fleet-models.ts';
import type { SimulatedCoordinator } from '../world.ts';
import { drawDeath, type Fault, type Scene, seconds } from './fault.ts';

const AGENT_AWAY_MS = 20_000;
const COORDINATOR_AWAY_MS = 20_000;
const PAUSE_MS = 90_000;
/** A leader's lease is 10 s long. */
const BLIND_MS = { min: 8_000, max: 60_000 };

const AGENT_EFFECTS = [
  '',
  'load',
  'save',
  'observe',
  'stage',
  'prepare',
  'cut-over',
  'probe',
  'commit',
  'undo',
  'publish swell.health',
  'publish $KV.swell_slots',
  'read KV_swell_orders',
];
/** Who asks the engine to cut over, and is stopped before it hears, is past every look. */
const AGENT_STOPS = ['save', 'stage', 'prepare', 'publish $KV.swell_slots', 'read KV_swell_orders'];
const COORDINATOR_EFFECTS = [
  '',
  'publish $KV.swell_orders',
  'publish $KV.swell_rollouts',
  'publish $KV.swell_slots',
  'publish swell.event',
  'broadcast',
  'read',
  'resolve',
];

export const PROGRAM_FAULTS = {
  'agent crash': {
    per: 'machine',
    strike(scene, chance) {
      const node = scene.node(chance);
      scene.world.killAgent(node, drawDeath(chance, AGENT_AWAY_MS));
      return node.model.name;
    },
  },
  'agent dies at an effect': {
    per: 'machine',
    strike(scene, chance) {
      const node = scene.node(chance);
      const death = drawDeath(chance, AGENT_AWAY_MS);
      const trap = {
        effect: chance.pick(AGENT_EFFECTS),
        when: chance.pick(['before', 'after'] as const),
        skipped: chance.whole(0, 2),
        springs: () => scene.world.killAgent(node, death),
      };
      scene.set(node, trap);
      return `${node.model.name} ${trap.when} ${trap.effect} number ${trap.skipped + 1}`;
    },
  },
  'agent paused': {
    per: 'machine',
    strike(scene, chance) {
      const node = scene.node(chance);
      return `${node.model.name} for ${pause(scene, node.running, chance.exponential(PAUSE_MS))}`;
    },
  },
  /** Stopped where it has yet to look whether it may go on. */
  'agent stops at an effect': {
    per: 'machine',
    strike(scene, chance) {
      const node = scene.node(chance);
      const ms = chance.exponential(PAUSE_MS);
      const trap = {
        effect: chance.pick(AGENT_STOPS),
        when: chance.pick(['before', 'after'] as const),
        skipped: 0,
        springs: () => void pause(scene, node.running, ms),
      };
      scene.set(node, trap);
      return `${node.model.name} ${trap.when} ${trap.effect}, for ${seconds(ms)}`;
    },
  },
  'journal lost': {
    per: 'machine',
    strike(scene, chance) {
      const node = scene.node(chance);
      scene.world.killAgent(node, drawDeath(chance, AGENT_AWAY_MS));
      node.model.loseDisk();
      return node.model.name;
    },
  },
  'journal set back': {
    per: 'machine',
    strike(scene, chance) {
      const node = scene.node(chance);
      const backup = node.model.backupDisk();
      const ms = chance.exponential(300_000);
      const death = drawDeath(chance, AGENT_AWAY_MS);
      scene.unlessOver(ms, () => {
        scene.world.killAgent(node, death);
        node.model.restoreDisk(backup);
      });
      return `${node.model.name} in ${seconds(ms)} to what it is now`;
    },
  },
  'coordinator crash': {
    per: 'world',
    strike(scene, chance) {
      const coordinator = scene.coordinator(chance);
      scene.world.killCoordinator(coordinator, drawDeath(chance, COORDINATOR_AWAY_MS));
      return coordinator.name;
    },
  },
  'coordinator dies at an effect': {
    per: 'world',
    strike(scene, chance) {
      const coordinator = scene.coordinator(chance);
      const death = drawDeath(chance, COORDINATOR_AWAY_MS);
      const trap = {
        effect: chance.pick(COORDINATOR_EFFECTS),
        when: chance.pick(['before', 'after'] as const),
        skipped: chance.whole(0, 5),
        springs: () => scene.world.killCoordinator(coordinator, death),
      };
      scene.set(coordinator, trap);
      return `${coordinator.name} ${trap.when} ${trap.effect} number ${trap.skipped + 1}`;
    },
  },
  /** Stopped on its way to say something, for so long that another one may lead when it is said. */
  'coordinator stops at an effect': {
    per: 'world',
    strike(scene, chance) {
      const leader = leaderOf(scene);
      if (leader?.running === undefined) return 'nobody leads';
      const ms = chance.between(BLIND_MS.min, BLIND_MS.max);
      const trap = {
        effect: chance.pick(COORDINATOR_EFFECTS),
        when: chance.pick(['before', 'after'] as const),
        skipped: chance.whole(0, 5),
        springs: () => void pause(scene, leader.running, ms),
      };
      scene.set(leader, trap);
      return `${leader.name} ${trap.when} ${trap.effect} number ${trap.skipped + 1}, for ${seconds(ms)}`;
    },
  },
  /** Somebody wants another leader, and wipes the lease: nothing tells any more how far people have been read. */
  'lease wiped by hand': {
    per: 'world',
    strike({ world }) {
      world.say(LEASE_KEY, encode({}));
      return 'whoever leads does not any more';
    },
  },
  /** Whoever leads is stopped, or cut off, until another one has taken over; then it goes on as if nothing had been. */
  'two leaders': {
    per: 'world',
    strike(scene, chance) {
      const how = chance.pick(['paused', 'both', 'up', 'down'] as const);
      const ms = chance.between(BLIND_MS.min, BLIND_MS.max);
      const leader = leaderOf(scene);
      if (leader?.running === undefined) return 'nobody leads';
      const { running } = leader;
      if (how === 'paused') return `${leader.name} paused for ${pause(scene, running, ms)}`;
      running.line.partition(how);
      scene.later(ms, () => running.line.heal());
      return `${leader.name} cut off (${how}) for ${seconds(ms)}`;
    },
  },
} as const satisfies Record<string, Fault>;

/** SIGSTOP, often for longer than a lease; then SIGCONT. */
function pause(scene: Scene, running: Running | undefined, ms: number): string {
  running?.process.pause();
  scene.later(ms, () => running?.process.resume());
  return seconds(ms);
}

function leaderOf({ world }: Scene): SimulatedCoordinator | undefined {
  const message = world.server.lastOf(STREAMS.rollouts, LEASE_KEY);
  const lease = message === undefined ? undefined : decode(message.body, leaseSchema);
  if (lease?.ok !== true) return undefined;
  return world.coordinators.find(({ running }) => running?.process.name === lease.value.coordinator);
}
