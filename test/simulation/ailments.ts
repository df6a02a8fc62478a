/** What can be wrong with an image, everywhere or on some machines only. */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { NodeId } from '@swell/shared/domain/names.ts';

/**
 * - `sick`: runs, and is never healthy. `fails-to-start`: its container cannot be started.
 * - `dies-at-start`: starts and ends within two seconds. `dies-later`: ends after a while, perhaps once it was found well.
 * - `flaps`: well and not well by turns.
 * - `probe-slow`: the answer takes about as long as the probe waits. `probe-hangs`: there is never any answer.
 */
export const AILMENTS = [
  'sick',
  'fails-to-start',
  'dies-at-start',
  'dies-later',
  'flaps',
  'probe-slow',
  'probe-hangs',
] as const;
export type Ailment = (typeof AILMENTS)[number];

export class Ailments {
  readonly #everywhere = new Map<Digest, Ailment>();
  readonly #here = new Map<string, Ailment>();
  readonly #units = new Map<Digest, readonly Digest[]>();

  ail(digest: Digest, ailment: Ailment, node?: NodeId): void {
    if (node === undefined) this.#everywhere.set(digest, ailment);
    else this.#here.set(`${node}/${digest}`, ailment);
  }

  /** Somebody has mended it there. */
  heal(digest: Digest, node: NodeId): void {
    this.#here.delete(`${node}/${digest}`);
  }

  /** A unit has what any of its parts has. */
  joins(unit: Digest, parts: readonly Digest[]): void {
    this.#units.set(unit, parts);
  }

  of(digest: Digest | undefined, node: NodeId): Ailment | undefined {
    if (digest === undefined) return undefined;
    const own = this.#here.get(`${node}/${digest}`) ?? this.#everywhere.get(digest);
    return (
      own ??
      this.#units
        .get(digest)
        ?.map((part) => this.of(part, node))
        .find((one) => one !== undefined)
    );
  }
}
