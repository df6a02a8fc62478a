/**
 * I1, by the operator's own words: a wave never has more slots than `maxUnavailable` allows. Of a share of nodes that come
 * and go only the upper bound is sure: as many as the region has had.
 */

import type { Region } from '@swell/shared/domain/names.ts';
import type { Share } from '@swell/shared/domain/policy.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import { READ_WITHIN_MS, type Scene } from './scene.ts';

export class Limits {
  readonly #scene: Scene;
  readonly #newest = new Map<Region, Wave>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  wave(wave: Wave): void {
    this.#newest.set(wave.region, wave);
    this.#judge(wave, READ_WITHIN_MS);
  }

  /** Whatever was said long ago has been obeyed. */
  atRest(): void {
    for (const wave of this.#newest.values()) this.#judge(wave, 0);
  }

  #judge({ region, slots, release }: Wave, withinMs: number): void {
    const { bench, policies, nodesOf } = this.#scene;
    const nodes = nodesOf(region).length;
    const allowed = policies
      .since(bench.nowMs - withinMs)
      .map(({ maxUnavailable }) => allowedOf(maxUnavailable, nodes));
    bench.judged('I1');
    if (slots <= Math.max(...allowed)) return;
    bench.break(
      'I1',
      `the wave of ${region} has ${slots} slots, where the policy allows ${Math.max(...allowed)} of ${nodes} nodes to be out`,
      { region, rollout: release.rollout },
    );
  }
}

function allowedOf(share: Share, nodes: number): number {
  if (share.kind === 'count') return share.count;
  return Math.max(1, Math.floor((nodes * share.percent) / 100 + 1e-9));
}
