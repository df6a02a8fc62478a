/** I7. Nobody loses a slot who is there to renew it. */

import type { FleetEvent } from '@swell/shared/domain/event.ts';
import type { Scene } from './scene.ts';

/** By then whoever missed anything has looked again. */
const LOOKED_AGAIN_MS = 90_000;

export class Losses {
  readonly #scene: Scene;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  event({ name, region, node, slot, rollout }: FleetEvent): void {
    if (name !== 'slot-lost' || node === undefined) return;
    const { bench, calm } = this.#scene;
    const { nowMs } = bench;
    if (!calm.isBusCalm(LOOKED_AGAIN_MS, nowMs) || !calm.isNodeCalm(node, LOOKED_AGAIN_MS, nowMs)) return;
    bench.judged('I7');
    bench.break('I7', `${node} loses slot ${slot} of ${region}, though nothing kept it from renewing it`, {
      region,
      node,
      rollout,
    });
  }
}
