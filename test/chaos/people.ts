/** Releasers and operators, each with the `nats` CLI: releases good and bad one after the other, words that contradict. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { Chance } from '../simulation/chance.ts';
import { Cli } from './cli.ts';
import { SERVICE } from './machines.ts';
import type { World } from './world.ts';
import { publishImage } from './world.ts';

const RELEASE_EVERY_MS = 17_000;
const RELEASE_GAP_MIN_MS = 5_000;
const SPEAK_EVERY_MS = 30_000;

/** Whoever waits for a person is answered; nobody has to be asked for the last release. */
const PATIENT = { failureBudget: { max: '95%', minSample: 1_000 } };

/** Moves fast enough for minutes, and is drawn anew for every storm. */
function drawPolicy(chance: Chance): Readonly<Record<string, unknown>> {
  return {
    stages: chance.pick([[100], [34, 100], [20, 50, 100]]),
    approval: 'automatic',
    maxUnavailable: chance.pick([1, 2, '20%', '30%']),
    stagingQuorum: chance.pick(['50%', '80%']),
    stagingSpread: '1s',
    soak: chance.pick(['0s', '1s']),
    progressDeadline: '40s',
    failureBudget: { max: chance.pick(['25%', '40%', 3]), minSample: 8 },
    regions: chance.pick(['parallel', 'parallel', [['eu-west'], ['us-east', 'ap-south']]]),
    slotLease: '6s',
    health: { interval: '300ms', minHealthyTime: '1s', healthyDeadline: '4s' },
  };
}

export class People {
  readonly #cli: Cli;
  readonly #world: World;
  readonly #chance: Chance;
  #version = 1;

  constructor(world: World, chance: Chance) {
    this.#world = world;
    this.#chance = chance.fork('people');
    this.#cli = new Cli(world.parts.cluster.urls, world.parts.signal);
  }

  async begin(): Promise<void> {
    await this.#putPolicy(drawPolicy(this.#chance));
  }

  /** Until the signal aborts. */
  async carryOn(signal: AbortSignal): Promise<void> {
    await this.#release(signal);
    await Promise.all([
      this.#every(RELEASE_EVERY_MS, signal, () => this.#release(signal)),
      this.#every(SPEAK_EVERY_MS, signal, () => this.#speak()),
    ]);
  }

  /** The last release: good, and nothing stops it. */
  async last(): Promise<{ readonly rollout: number; readonly digest: Digest }> {
    const digest = await this.#publishImage();
    const image = `${this.#world.parts.registry.host}/${SERVICE}:v${this.#version}`;
    const rollout = await this.#say('release', { image, policy: PATIENT });
    return { rollout, digest };
  }

  /** They fall silent, and stay so while `act` goes on. */
  hush(act: () => Promise<void>): Promise<void> {
    return this.#cli.hush(act);
  }

  resume(): Promise<number> {
    return this.#say('control', { action: 'resume' });
  }

  async #release(signal: AbortSignal): Promise<void> {
    if (this.#chance.happens(0.05)) {
      await this.#say('release', { image: 17, polcy: {} });
      return;
    }
    const ails = this.#chance.happens(0.35)
      ? this.#chance.pick(['sick', 'failsToStart'] as const)
      : undefined;
    const digest = await this.#publishImage();
    if (ails !== undefined) this.#world.parts.machines.ail(digest, ails);
    await this.#say('release', { image: `${this.#world.parts.registry.host}/${SERVICE}:v${this.#version}` });
    // One that follows before the first has got anywhere.
    if (this.#chance.happens(0.15) && !signal.aborted) await this.#release(signal);
  }

  async #speak(): Promise<void> {
    const action = this.#chance.pick(['resume', 'resume', 'resume', 'pause', 'halt', 'abort', 'approve']);
    await this.#say('control', { action });
    if (action === 'pause') await this.resume();
    if (this.#chance.happens(0.2)) await this.#putPolicy(drawPolicy(this.#chance));
  }

  #publishImage(): Promise<Digest> {
    this.#version += 1;
    return publishImage(this.#world.parts, `v${this.#version}`);
  }

  async #putPolicy(policy: object): Promise<void> {
    await this.#cli.run('kv', 'put', 'swell_policies', SERVICE, JSON.stringify(policy));
  }

  #say(what: 'release' | 'control', body: object): Promise<number> {
    return this.#cli.publish(`swell.${what}.${SERVICE}`, JSON.stringify(body));
  }

  async #every(meanMs: number, signal: AbortSignal, act: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      const waitMs = Math.max(RELEASE_GAP_MIN_MS, this.#chance.exponential(meanMs));
      await delay(waitMs, undefined, { signal }).catch(() => {});
      if (!signal.aborted) await act();
    }
  }
}
