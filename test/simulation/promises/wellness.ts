/** N9. Nobody is well on an image that cannot be: by what it was when he began, since one that turns bad later was well before. */

import type { NodeReport } from '@swell/shared/domain/report.ts';
import type { Scene, ToldStart } from './scene.ts';

export class Wellness {
  readonly #scene: Scene;
  readonly #hopeless = new Set<string>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  start({ report: { node, attempt }, wave }: ToldStart): void {
    if (this.#scene.isHopeless(wave.release.image.digest, node)) this.#hopeless.add(`${node}/${attempt}`);
  }

  report({ region, node, rollout, status, attempt }: NodeReport): void {
    if (status !== 'healthy' || attempt === undefined) return;
    const { bench } = this.#scene;
    bench.judged('N9');
    if (!this.#hopeless.has(`${node}/${attempt}`)) return;
    bench.break('N9', `${node} says healthy of attempt ${attempt}, where rollout ${rollout} cannot be`, {
      region,
      node,
      rollout,
    });
  }
}
