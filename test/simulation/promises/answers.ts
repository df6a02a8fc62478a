/**
 * B16, B12. Whatever people publish is answered by an event, and a release by one only; and what was halted is not taken
 * again unless the release says so.
 */

import type { StoredMessage } from '@swell/shared/adapters/bus.ts';
import type { FleetEvent } from '@swell/shared/domain/event.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { Halt, Wave } from '@swell/shared/domain/wave.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import { releaseSchema } from '@swell/shared/protocol/intent.ts';
import type { Scene } from './scene.ts';

export class Answers {
  readonly #scene: Scene;
  /** Releases by their numbers: does it say that it takes what was halted? */
  readonly #releases = new Map<number, boolean>();
  readonly #controls = new Set<number>();
  /** The event that took or refused each release. */
  readonly #verdicts = new Map<number, string>();
  readonly #dropped = new Set<number>();
  readonly #halted = new Map<Digest, number>();
  readonly #ordered = new Set<number>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  released({ sequence, body }: StoredMessage): void {
    const release = decode(body, releaseSchema);
    this.#releases.set(sequence, release.ok && release.value.acceptHalted);
  }

  said({ sequence }: StoredMessage): void {
    this.#controls.add(sequence);
  }

  event({ id, name, rollout }: FleetEvent): void {
    if (name === 'control-applied' || name === 'control-rejected')
      this.#controls.delete(Number.parseInt(id.slice(id.lastIndexOf('.') + 1), 10));
    if (rollout === undefined) return;
    if (name === 'rollout-superseded' || name === 'rollout-aborted') this.#dropped.add(rollout);
    if (name === 'release-accepted' || name === 'release-rejected') this.#judge(rollout, id);
  }

  halt(halt: Halt | undefined): void {
    if (halt !== undefined) this.#halted.set(halt.digest, halt.rollout);
  }

  wave({ region, release }: Wave): void {
    const { rollout, image } = release;
    if (this.#ordered.has(rollout)) return;
    this.#ordered.add(rollout);
    const before = this.#halted.get(image.digest);
    if (before === undefined || before >= rollout) return;
    const { bench } = this.#scene;
    bench.judged('B12');
    if (this.#releases.get(rollout) === true) this.#halted.delete(image.digest);
    else
      bench.break('B12', `rollout ${rollout} brings back what was halted as rollout ${before}, unasked`, {
        region,
        rollout,
      });
  }

  /** Nothing more is to come. */
  atRest(): void {
    const { bench } = this.#scene;
    for (const rollout of this.#releases.keys()) {
      bench.judged('B16');
      if (this.#verdicts.has(rollout) || this.#dropped.has(rollout)) continue;
      bench.break('B16', `release ${rollout} was never answered`, { rollout });
    }
    for (const sequence of this.#controls)
      bench.break('B16', `the operator's word ${sequence} was never answered`);
  }

  #judge(rollout: number, id: string): void {
    const { bench } = this.#scene;
    const before = this.#verdicts.get(rollout);
    this.#verdicts.set(rollout, id);
    bench.judged('B16');
    if (before !== undefined && before !== id)
      bench.break('B16', `release ${rollout} is answered twice: ${before} and ${id}`, { rollout });
  }
}
