/** Releasers and operators of a simulated fleet in an ordinary hour. What they do out of order is the storm's. */

import type { ServiceName } from '@swell/shared/domain/names.ts';
import { isUnderWay } from '@swell/shared/domain/rollout.ts';
import type { Chance } from './chance.ts';
import { ailmentOf, deliver } from './deliveries.ts';
import { drawPolicy, LAST_POLICY, surroundingsOf } from './draw-policy.ts';
import { presentRollout } from './liveness.ts';
import { moveBack, proposalOf, push, watchedImage } from './watched-tag.ts';
import { SERVICE, type World } from './world.ts';

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
const PUSHES_EVERY_MS = 400_000;
/** Of these, so many move the tag back to what it named before. */
const MOVED_BACK = 0.25;
const ANSWERS_EVERY_MS = 90_000;
const REJECTED = 0.2;
/** Of the releases of the first service, where there are several: all get one, in whatever order. */
const TRAINS = 0.4;
/** Whose releases name all that are in it. */
const LISTED = 0.6;
const TRAIN_SPREAD_MS = 10_000;
const MISSING = 0.05;
const MALFORMED = 0.05;

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
