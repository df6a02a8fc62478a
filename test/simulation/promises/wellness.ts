/** N9. Nobody is well on an image that cannot be: by what it was when he claimed his slot, for it may turn bad later. */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { NodeId } from '@swell/shared/domain/names.ts';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import type { Scene } from './scene.ts';

export class Wellness {
  readonly #scene: Scene;
  readonly #digests = new Map<number, Digest>();
  /** Of each node the last attempt that claimed a slot, and the image, where that could not be well then. */
  readonly #begun = new Map<NodeId, { readonly attempt: string; readonly hopeless: Digest | undefined }>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  wave({ release }: Wave): void {
    this.#digests.set(release.rollout, release.image.digest);
  }

  slot({ holder }: Extract<LogEntry, { kind: 'slot' }>): void {
    // Its renewals say nothing of when it began.
    if (holder === undefined || this.#begun.get(holder.node)?.attempt === holder.attempt) return;
    const { node, rollout, attempt } = holder;
    const digest = this.#digests.get(rollout);
    const isHopeless = digest !== undefined && this.#scene.isHopeless(digest, node);
    this.#begun.set(node, { attempt, hopeless: isHopeless ? digest : undefined });
  }

  /** What somebody put there says nothing of the attempt, however long that still renews its slot. */
  changedByHand(node: NodeId): void {
    const begun = this.#begun.get(node);
    if (begun !== undefined) this.#begun.set(node, { ...begun, hopeless: undefined });
  }

  report({ region, node, rollout, status, attempt }: NodeReport): void {
    if (status !== 'healthy' || attempt === undefined) return;
    const { bench } = this.#scene;
    bench.judged('N9');
    const begun = this.#begun.get(node);
    if (begun?.attempt !== attempt || begun.hopeless === undefined) return;
    // What ailed it may have passed meanwhile.
    if (!this.#scene.isHopeless(begun.hopeless, node)) return;
    const message = `${node} says healthy of attempt ${attempt}, where rollout ${rollout} cannot be`;
    bench.break('N9', message, { region, node, rollout });
  }
}
