/** Waves and halts as they really stood on the bus: each from its storing until the next one, or until the bus forgot it. */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { Region } from '@swell/shared/domain/names.ts';
import type { Halt, Wave } from '@swell/shared/domain/wave.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';

export interface Stood<Order> {
  readonly revision: number;
  readonly order: Order | undefined;
  readonly fromMs: number;
  toMs: number;
}

type OrderEntry = Extract<LogEntry, { kind: 'wave' | 'halt' }>;

export class Orders {
  readonly #waves = new Map<Region, Stood<Wave>[]>();
  readonly #halts: Stood<Halt>[] = [];
  readonly #digests = new Map<number, Set<Digest>>();
  /** Rollouts that have been ordered since the bus was set back last. */
  readonly #ordered = new Set<number>();

  see(entry: OrderEntry, fromMs = entry.atMs): void {
    const { revision } = entry;
    const toMs = Number.POSITIVE_INFINITY;
    if (entry.kind === 'halt') {
      follow(this.#halts, { revision, order: entry.halt, fromMs, toMs });
      return;
    }
    const { wave } = entry;
    const known = this.#waves.get(wave.region) ?? [];
    this.#waves.set(wave.region, known);
    follow(known, { revision, order: wave, fromMs, toMs });
    const { rollout, image } = wave.release;
    if (this.#ordered.has(rollout)) return;
    this.#ordered.add(rollout);
    const digests = this.#digests.get(rollout) ?? new Set();
    this.#digests.set(rollout, digests.add(image.digest));
  }

  /** The bus was set back: from now on these stand, and nothing else. */
  restart(standing: readonly OrderEntry[], nowMs: number): void {
    for (const stood of [this.#halts, ...this.#waves.values()]) {
      const last = stood.at(-1);
      if (last !== undefined) last.toMs = Math.min(last.toMs, nowMs);
    }
    this.#ordered.clear();
    for (const entry of standing) this.see(entry, nowMs);
  }

  wave(region: Region): Wave | undefined {
    return this.#waves.get(region)?.at(-1)?.order;
  }

  /** The very wave that a node went by, if it stood at any moment between the two. */
  waveBetween(
    region: Region,
    { revision, order }: { readonly revision: number; readonly order: Wave },
    fromMs: number,
    toMs: number,
  ): Stood<Wave> | undefined {
    return this.#waves
      .get(region)
      ?.findLast(
        (stood) =>
          stood.revision === revision &&
          stood.fromMs <= toMs &&
          stood.toMs >= fromMs &&
          sameValue(stood.order, order),
      );
  }

  /** The halt that stood all the time between the two, if one did. */
  haltThroughout(fromMs: number, toMs: number): Stood<Halt> | undefined {
    return this.#halts.findLast((stood) => stood.fromMs <= fromMs && stood.toMs > toMs);
  }

  /** The digest that a rollout was first ordered with: one for each time that its number was given, by a bus set back. */
  digestsOf(rollout: number): ReadonlySet<Digest> {
    return this.#digests.get(rollout) ?? new Set();
  }
}

function follow<Order>(stood: Stood<Order>[], next: Stood<Order>): void {
  const last = stood.at(-1);
  if (last !== undefined) last.toMs = Math.min(last.toMs, next.fromMs);
  stood.push(next);
}
