/** K7. Who is there is seen to be there: his presence stands for as long as nothing disturbs him. */

import type { StoredMessage } from '@swell/shared/adapters/bus.ts';
import type { NodeId } from '@swell/shared/domain/names.ts';
import { parseNodeSubject } from '@swell/shared/protocol/subjects.ts';
import type { Scene } from './scene.ts';

const EXPIRES_MS = 180_000;
const CALM_MS = 240_000;

export class Presences {
  readonly #scene: Scene;
  readonly #shownAtMs = new Map<NodeId, number>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  stored({ subject, deleted }: StoredMessage): void {
    const place = parseNodeSubject(subject);
    if (place !== undefined && !deleted) this.#shownAtMs.set(place.node, this.#scene.bench.nowMs);
  }

  look(): void {
    const { bench, calm } = this.#scene;
    const { nowMs } = bench;
    if (!calm.isBusCalm(CALM_MS, nowMs)) return;
    for (const [node, shownAtMs] of this.#shownAtMs) {
      if (!calm.isNodeCalm(node, CALM_MS, nowMs)) continue;
      bench.judged('K7');
      if (nowMs - shownAtMs > EXPIRES_MS)
        bench.break(
          'K7',
          `${node} is there, and has shown nothing for ${Math.round((nowMs - shownAtMs) / 1_000)} s`,
          {
            node,
          },
        );
    }
  }
}
