/** N9. Nobody is well on an image that cannot be: by what it was when he began, since one that turns bad later was well before. */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import type { Scene, ToldStart } from './scene.ts';

export class Wellness {
  readonly #scene: Scene;
  /** By attempt: the image on which it could not end well when it began. */
  readonly #hopeless = new Map<string, Digest>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  start({ report: { node, attempt }, wave }: ToldStart): void {
    const { digest } = wave.release.image;
    if (this.#scene.isHopeless(digest, node)) this.#hopeless.set(`${node}/${attempt}`, digest);
  }

  report({ region, node, rollout, status, attempt }: NodeReport): void {
    if (status !== 'healthy' || attempt === undefined) return;
    const { bench } = this.#scene;
    bench.judged('N9');
    const digest = this.#hopeless.get(`${node}/${attempt}`);
    // What ailed it may have passed meanwhile.
    if (digest === undefined || !this.#scene.isHopeless(digest, node)) return;
    bench.break(
      'N9',
      `${node} says healthy of attempt ${attempt}, where rollout ${rollout} cannot be healthy`,
      {
        region,
        node,
        rollout,
      },
    );
  }
}
