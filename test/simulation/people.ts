/** Releasers and operators of a simulated fleet in an ordinary hour. What they do out of order is the storm's. */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import { isUnderWay } from '@swell/shared/domain/rollout.ts';
import { type ByPart, unitDigest } from '@swell/shared/domain/unit.ts';
import { AILMENTS, type Ailment } from './ailments.ts';
import type { Chance } from './chance.ts';
import { presentRollout } from './liveness.ts';
import type { Profile } from './profile.ts';
import { allOf, nextTags } from './units.ts';
import { moveBack, proposalOf, push, watchedImage } from './watched-tag.ts';
import { digestOf, SERVICE, type World } from './world.ts';

/** Where everything is slow, people are. */
const SLOWER = 60;
/** How often somebody looks whether it is time for the next release: it is, once the one before is through. */
const LOOKS_EVERY_MS = 15_000;
/** Whoever is depended on keeps still for a while: what depends on him waits until nothing is under way. */
const RELEASES_RARELY = 20;
/** Or it is not, and that does not matter. */
const HASTY = 0.04;
const APPROVALS_EVERY_MS = 20_000;
const RESUMES_EVERY_MS = 120_000;
/** Where others may be waited for, people let that be: whoever says so goes on without them. */
const PATIENT = 5;
/** Of the policies that may, so many watch a tag. */
const WATCHED = 0.85;
const PUSHES_EVERY_MS = 400_000;
/** Of these, so many move the tag back to what it named before. */
const MOVED_BACK = 0.25;
const ANSWERS_EVERY_MS = 90_000;
const REJECTED = 0.2;
const DEPENDS = 0.85;
const BY_REGION = 0.4;
/** Of the releases of the first service, where there are several: all get one, in whatever order. */
const TRAINS = 0.4;
/** Whose releases name all that are in it. */
const LISTED = 0.6;
const TRAIN_SPREAD_MS = 10_000;
const MISSING = 0.05;
const MALFORMED = 0.05;

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

/** What was released: `rollout` is its number, if the bus took it and we know it. */
export interface Delivery {
  readonly service: ServiceName;
  readonly rollout: number | 'of its tag' | undefined;
  readonly version: string;
  readonly digest: Digest;
}

interface DeliveryOptions {
  readonly ailment?: Ailment | undefined;
  /** All parts of a unit get the new image. */
  readonly whole?: boolean;
  readonly more?: object;
}

/** Releases an image that nobody has released before. */
export function deliver(
  world: World,
  service: ServiceName,
  { ailment, whole = false, more = {} }: DeliveryOptions = {},
): Delivery {
  const version = nextTag(world);
  const digest = world.publishImage(version, ailment);
  if (world.units.has(service)) return deliverUnit(world, service, version, { whole, more });
  const rollout = world.release({ image: `registry.example/${service}:${version}`, ...more }, service);
  return { service, rollout, version, digest };
}

/** The new image is that of all parts, or of one; and the unit is as well as each of them. */
function deliverUnit(
  world: World,
  service: ServiceName,
  version: string,
  { whole, more }: { readonly whole: boolean; readonly more: object },
): Delivery {
  const turn = whole ? 0 : world.unitTags.length;
  const tags = nextTags(world.unitTags.at(-1) ?? allOf('v1'), version, turn);
  world.unitTags.push(tags);
  return { service, version, ...releaseUnit(world, service, tags, { version, ...more }) };
}

/** Parts by their tags. */
export function releaseUnit(
  world: World,
  service: ServiceName,
  tags: ByPart<string>,
  more: object,
): Pick<Delivery, 'rollout' | 'digest'> {
  const images = Object.entries(tags).map(([part, tag]) => [part, `registry.example/${part}:${tag}`]);
  const parts = Object.fromEntries(Object.entries(tags).map(([part, tag]) => [part, digestOf(tag)]));
  const digest = unitDigest(parts);
  world.ailments.joins(digest, Object.values(parts));
  if ('version' in more) world.versions.set(String(more.version), digest);
  const rollout = world.release({ images: Object.fromEntries(images), ...more }, service);
  if (rollout !== undefined) world.unitsReleased.set(rollout, parts);
  return { rollout, digest };
}

/** One of the first service; returns the rollout's number. */
export function releaseNext(world: World, ailment?: Ailment): number | undefined {
  const { rollout } = deliver(world, SERVICE, { ailment });
  return rollout === 'of its tag' ? undefined : rollout;
}

export function newestTag({ registry }: World): string {
  return `v${registry.tags.size}`;
}

function nextTag({ registry }: World): string {
  return `v${registry.tags.size + 1}`;
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

/** Those who look after one service. */
export class People {
  readonly service: ServiceName;
  readonly #world: World;
  /** Never drawn from, only forked: so each deed draws the same, whatever came before it. */
  readonly #chance: Chance;
  #isOver = false;

  constructor(world: World, service: ServiceName) {
    this.#world = world;
    this.service = service;
    this.#chance = world.chance.fork(service === SERVICE ? 'people' : `people of ${service}`);
  }

  begin(): void {
    this.#sayPolicy(this.#draw('first policy'));
    const looksEveryMs = LOOKS_EVERY_MS * (this.service === SERVICE ? 1 : RELEASES_RARELY);
    this.#every('look', looksEveryMs, (chance) => {
      if (chance.happens(HASTY) || !this.#isUnderWay()) this.#release(chance);
    });
    // Whoever waits for a person gets one, sooner or later.
    const resumesEveryMs = RESUMES_EVERY_MS * (this.#world.services.length > 1 ? PATIENT : 1);
    this.#every('approve', APPROVALS_EVERY_MS, () => this.#say({ action: 'approve' }));
    this.#every('resume', resumesEveryMs, () => this.#say({ action: 'resume' }));
    if (this.#world.watched.has(this.service)) this.#tendTag();
  }

  /** Nobody says anything any more. The policy that stands then lets through what is well. */
  fallSilent(): void {
    this.#isOver = true;
    // Whoever was held by a word is let go.
    this.#say({ action: 'unhold', label: 'canary' });
    this.#sayPolicy({
      ...this.#draw('last but one policy'),
      ...LAST_POLICY,
      maxUnavailable: '25%',
      stagingQuorum: '100%',
      ...(this.#world.watched.has(this.service) && {
        watch: { image: watchedImage(this.service), every: '30s', mode: 'auto' },
      }),
    });
  }

  sayTheLast(): void {
    this.#sayPolicy({ ...this.#draw('last policy'), ...LAST_POLICY });
  }

  #tendTag(): void {
    this.#every('push', PUSHES_EVERY_MS, (chance) => {
      if (chance.happens(MOVED_BACK)) moveBack(this.#world, this.service, chance);
      else push(this.#world, this.service, ailmentOf(chance, this.#world.profile.badReleases));
    });
    this.#every('answer', ANSWERS_EVERY_MS, (chance) => {
      const digest = proposalOf(this.#world, this.service);
      const action = chance.happens(REJECTED) ? 'reject' : 'approve';
      if (digest !== undefined) this.#say({ action, digest });
    });
  }

  #draw(which: string): Record<string, unknown> {
    const surroundings = surroundingsOf(this.#world, this.service);
    return drawPolicy(this.#chance.fork(which), this.#world.profile, surroundings);
  }

  #sayPolicy(policy: object): void {
    this.#world.policy(policy, this.service);
  }

  #say(word: object): void {
    this.#world.control(word, this.service);
  }

  #isUnderWay(): boolean {
    const rollout = presentRollout(this.#world, this.service);
    return rollout !== undefined && isUnderWay(rollout);
  }

  #release(chance: Chance): void {
    const draw = chance.next();
    const { services, profile } = this.#world;
    if (draw < MISSING)
      this.#world.release({ image: `registry.example/${this.service}:missing` }, this.service);
    else if (draw < MISSING + MALFORMED) this.#world.release({ image: 17, polcy: {} }, this.service);
    else if (this.service === SERVICE && services.length > 1 && chance.happens(TRAINS))
      this.#sendTrain(chance);
    else deliver(this.#world, this.service, { ailment: ailmentOf(chance, profile.badReleases) });
  }

  /** A release of each service under one name, by whoever is ready first. */
  #sendTrain(chance: Chance): void {
    const { services, profile, time, nowMs } = this.#world;
    const train = `train-${nowMs}`;
    const more = { train, ...(chance.happens(LISTED) && { trainOf: services }) };
    for (const service of services) {
      const ailment = ailmentOf(chance, profile.badReleases);
      time.after(chance.exponential(TRAIN_SPREAD_MS), () => {
        if (!this.#isOver) deliver(this.#world, service, { ailment, more });
      });
    }
  }

  #every(what: string, meanMs: number, act: (chance: Chance) => void, count = 1): void {
    const chance = this.#chance.fork(`${what} ${count}`);
    const slowly = this.#world.profile.isSlow ? SLOWER : 1;
    this.#world.time.after(chance.exponential(meanMs * slowly), () => {
      if (this.#isOver) return;
      act(chance);
      this.#every(what, meanMs, act, count + 1);
    });
  }
}

/** What is wrong with an image that is released, if anything is. */
export function ailmentOf(chance: Chance, rate: number): Ailment | undefined {
  return chance.happens(rate) ? chance.pick(AILMENTS) : undefined;
}
