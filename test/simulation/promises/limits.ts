/**
 * I1, by the operator's own words: no wave has more slots than `maxUnavailable` allows. Of a share of nodes that come and
 * go only the upper bound is sure: as many as the region has had.
 */

import type { Region } from '@swell/shared/domain/names.ts';
import type { Share } from '@swell/shared/domain/policy.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import type { Scene } from './scene.ts';

export class Limits {
  readonly #scene: Scene;
  readonly #standing = new Map<Region, Wave>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  wave(wave: Wave): void {
    this.#standing.set(wave.region, wave);
    this.#judge(wave);
  }

  /** A limit that was lowered is obeyed by the wave that stands as well. */
  look(): void {
    for (const wave of this.#standing.values()) this.#judge(wave);
  }

  #judge({ region, slots, release }: Wave): void {
    const { bench, policies, calm, nodesOf } = this.#scene;
    const { nowMs } = bench;
    const nodes = nodesOf(region).length;
    const allowed = policies
      .obeyed((fromMs) => calm.hadTimeToObey(fromMs, nowMs))
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
