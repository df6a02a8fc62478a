/** Releasers and operators: they release good and bad images, quickly after each other at times, and contradict themselves. */

import type { Chance } from './chance.ts';
import type { World } from './world.ts';

const HOUR_MS = 3_600_000;

/** A policy that moves fast enough for a simulated day, drawn anew for each world and each change. */
export function drawPolicy(chance: Chance): Record<string, unknown> {
  const minHealthyTime = chance.pick(['2s', '10s']);
  return {
    stages: chance.pick([[100], [10, 100], [6.25, 12.5, 25, 50, 100], [1, 50, 100]]),
    approval: chance.happens(0.8) ? 'automatic' : 'manual',
    maxUnavailable: chance.pick([1, 2, 5, '5%', '10%', '25%']),
    stagingQuorum: chance.pick(['50%', '80%', '100%']),
    stagingSpread: chance.pick(['1s', '30s']),
    soak: chance.pick(['0s', '5s', '1m']),
    progressDeadline: '15m',
    failureBudget: { max: chance.pick([2, '10%', '25%', '50%']), minSample: chance.pick([1, 5, 10]) },
    regions: chance.pick(['parallel', [['eu-west'], ['us-east', 'ap-south']], [['ap-south']]]),
    slotLease: chance.pick(['30s', '2m']),
    health: { interval: '1s', minHealthyTime, healthyDeadline: chance.pick(['20s', '1m']) },
  };
}

export class People {
  readonly #world: World;
  readonly #chance: Chance;
  #version = 1;
  #isOver = false;

  constructor(world: World) {
    this.#world = world;
    this.#chance = world.chance.fork('people');
  }

  begin(): void {
    const { profile } = this.#world;
    this.#world.policy(drawPolicy(this.#chance));
    this.#every(0.1 * HOUR_MS, () => this.#release());
    if (profile.policyChangesPerHour > 0) {
      this.#every(HOUR_MS / profile.policyChangesPerHour, () => this.#world.policy(drawPolicy(this.#chance)));
    }
    if (profile.operatorWordsPerHour > 0)
      this.#every(HOUR_MS / profile.operatorWordsPerHour, () => this.#speak());
    // Whoever waits for a person gets one, sooner or later.
    this.#every(0.05 * HOUR_MS, () => this.#world.control({ action: 'approve' }));
    this.#every(0.2 * HOUR_MS, () => this.#world.control({ action: 'resume' }));
  }

  /** Nobody says anything any more but this: one good release, by a policy that lets it through. */
  last(): number | undefined {
    this.#isOver = true;
    this.#world.policy({
      ...drawPolicy(this.#chance),
      approval: 'automatic',
      failureBudget: { max: '90%', minSample: 1_000 },
      stagingQuorum: '50%',
      stagingSpread: '1s',
      soak: '5s',
    });
    this.#world.control({ action: 'resume' });
    return this.#publish('no');
  }

  get lastVersion(): string {
    return `v${this.#version}`;
  }

  #release(): void {
    if (this.#isOver) return;
    if (this.#chance.happens(0.05)) {
      this.#world.release({ image: 'registry.example/web:missing' });
      return;
    }
    if (this.#chance.happens(0.05)) {
      this.#world.release({ image: 17, polcy: {} });
      return;
    }
    const ails = this.#chance.happens(0.3) ? this.#chance.pick(['sick', 'fails-to-start'] as const) : 'no';
    this.#publish(ails);
    // One that follows before the first has got anywhere.
    if (this.#chance.happens(0.2))
      this.#world.time.after(this.#chance.exponential(30_000), () => this.#release());
  }

  #publish(ails: 'no' | 'sick' | 'fails-to-start'): number | undefined {
    this.#version += 1;
    const digest = this.#world.publishImage(this.lastVersion, ails);
    // A few machines cannot stand what everybody else can.
    if (!this.#isOver) {
      for (const { model } of this.#world.nodes) {
        if (this.#chance.happens(0.01)) this.#world.ail(model, digest, 'sick');
      }
    }
    return this.#world.release({ image: `registry.example/web:${this.lastVersion}` });
  }

  #speak(): void {
    this.#world.control({ action: this.#chance.pick(['pause', 'resume', 'halt', 'abort', 'approve']) });
  }

  #every(meanMs: number, act: () => void): void {
    this.#world.time.after(this.#chance.exponential(meanMs), () => {
      if (this.#isOver) return;
      act();
      this.#every(meanMs, act);
    });
  }
}
