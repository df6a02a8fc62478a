/** The policies of a simulated fleet, at random. */

import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { Chance } from './chance.ts';
import type { Profile } from './profile.ts';
import { watchedImage } from './watched-tag.ts';
import type { World } from './world.ts';

/** Of the policies that may, so many watch a tag; and so many depend on each of the services below. */
const WATCHED = 0.85;
const DEPENDS = 0.85;
const BY_REGION = 0.4;

/** Drawn anew for each world and each change: one that moves fast enough for a simulated hour, or takes days. */
export function drawPolicy(
  chance: Chance,
  { isSlow }: Pick<Profile, 'isSlow'>,
  { below = [], watched }: Surroundings = {},
): Record<string, unknown> {
  const minHealthyTime = chance.pick(['1s', '2s', '10s']);
  return {
    stages: chance.pick([[100], [10, 100], [6.25, 12.5, 25, 50, 100], [1, 50, 100]]),
    approval: chance.happens(0.8) ? 'automatic' : 'manual',
    maxUnavailable: chance.pick([1, 3, '10%', '25%', '50%']),
    stagingQuorum: chance.pick(['50%', '80%', '100%']),
    stagingSpread: chance.pick(['1s', '30s']),
    soak: chance.pick(isSlow ? ['5m', '1h'] : ['0s', '0s', '5s', '1m']),
    // A node with replicas that are not well takes many times as long as one container.
    progressDeadline: isSlow ? '6h' : '45m',
    failureBudget: { max: chance.pick([2, '10%', '25%', '50%']), minSample: chance.pick([1, 5, 10]) },
    regions: chance.pick(['parallel', [['eu-west'], ['us-east', 'ap-south']], [['ap-south']]]),
    slotLease: chance.pick(['30s', '2m']),
    health: { interval: '1s', minHealthyTime, healthyDeadline: chance.pick(['20s', '1m']) },
    drain: chance.pick([
      {},
      {},
      { time: '5s' },
      { checks: 2, time: '1s', max: '20s' },
      { time: '1s', max: '10s', inFlight: { port: 80 } },
    ]),
    rejoin: chance.pick([{}, {}, { checks: 2, max: '20s', ramp: '1m' }]),
    maxSurge: chance.pick([0, 0, 1]),
    ...(isSlow ? drawSlowPlan(chance) : drawPlan(chance)),
    ...drawDependencies(chance, below),
    ...(watched !== undefined && drawWatch(chance, watched, isSlow)),
  };
}

/** What a policy may be about. */
export interface Surroundings {
  /** Services that this one may depend on. */
  readonly below?: readonly ServiceName[];
  /** A tag of the service may be watched, its own. */
  readonly watched?: ServiceName | undefined;
}

export function surroundingsOf(world: World, service: ServiceName): Surroundings {
  return { below: world.below(service), watched: world.watched.has(service) ? service : undefined };
}

function drawWatch(chance: Chance, service: ServiceName, isSlow: boolean): Record<string, unknown> {
  if (!chance.happens(WATCHED)) return {};
  const every = chance.pick(isSlow ? ['30m', '6h'] : ['30s', '2m']);
  return { watch: { image: watchedImage(service), every, mode: chance.pick(['auto', 'propose']) } };
}

/** On some of those that it may depend on. */
function drawDependencies(chance: Chance, below: readonly ServiceName[]): Record<string, unknown> {
  const on = below.filter(() => chance.happens(DEPENDS));
  if (on.length === 0) return {};
  return {
    dependsOn: on.map((service) =>
      chance.happens(BY_REGION)
        ? { service, per: 'region' }
        : chance.pick([service, { service, per: 'fleet' }]),
    ),
  };
}

/** Most policies leave most of it out: each of these makes a rollout slow. */
function drawPlan(chance: Chance): Record<string, unknown> {
  return {
    ...(chance.happens(0.2) && { safeRate: chance.pick(['100%/5m', '30%/3m', '100%/30m']) }),
    ...(chance.happens(0.15) && { windows: drawWindows(chance) }),
    ...(chance.happens(0.1) && { coolDown: chance.pick(['20s', '2m']) }),
    ...(chance.happens(0.25) && { canary: { label: 'canary', soak: chance.pick(['0s', '10s', '1m']) } }),
    ...(chance.happens(0.2) && { firstGroupSoak: chance.pick(['0s', '2m']) }),
    ...(chance.happens(0.2) && { minimumVersion: `v${chance.whole(1, 15)}` }),
    ...(chance.happens(0.2) && {
      gates: [
        {
          name: 'errors',
          query: 'errors{service="$service",version="$version"}',
          max: 0.5,
          every: '5s',
          failures: 2,
        },
      ],
    }),
    ...(chance.happens(0.1) && {
      hold: [chance.pick([{ label: 'canary' }, { region: 'ap-south' }, { version: '<5' }])].map((rule) => ({
        ...rule,
        reason: 'a fair',
      })),
    }),
  };
}

function drawSlowPlan(chance: Chance): Record<string, unknown> {
  const open = chance.pick([
    ['22:00-05:00 Europe/Vienna'],
    ['mon-fri 09:00-17:00 Asia/Kolkata'],
    ['sat 20:00-06:00 America/New_York'],
    ['02:30-03:30 Europe/Vienna', '00:00-02:00'],
  ]);
  return {
    ...(chance.happens(0.5) && { safeRate: chance.pick(['5%/6h', '10%/1h', '0.5%/10m', '100%/2d']) }),
    ...(chance.happens(0.4) && { windows: { [chance.pick(['*', 'us-east', 'eu-west'])]: { open } } }),
    ...(chance.happens(0.3) && { coolDown: chance.pick(['2h', '1d']) }),
    ...(chance.happens(0.3) && { canary: { label: 'canary', soak: chance.pick(['1h', '12h']) } }),
    ...(chance.happens(0.3) && { firstGroupSoak: chance.pick(['1h', '1d']) }),
    ...(chance.happens(0.2) && { minimumVersion: `v${chance.whole(1, 15)}` }),
  };
}

/** Some minutes of every hour, of one region or of all. */
function drawWindows(chance: Chance): Record<string, unknown> {
  const [from, to] = chance.pick([
    [0, 40],
    [20, 35],
    [30, 59],
  ]);
  const zone = chance.pick(['', ' Europe/Vienna', ' Asia/Kolkata']);
  const hours = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, '0'));
  const open = hours.map((hour) => `${hour}:${String(from).padStart(2, '0')}-${hour}:${to}${zone}`);
  return { [chance.pick(['*', 'us-east'])]: { open } };
}

/** Nobody has to say anything, and nobody waits for long. */
export const LAST_POLICY = {
  approval: 'automatic',
  failureBudget: { max: '90%', minSample: 1_000 },
  stagingQuorum: '50%',
  stagingSpread: '1s',
  soak: '5s',
  safeRate: '100%/1s',
  windows: {},
  coolDown: '0s',
  hold: [],
  gates: [],
  canary: undefined,
  firstGroupSoak: undefined,
};
