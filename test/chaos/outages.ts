/** Who was out of rotation by our doing, from when to when, as the machines themselves saw it (I1). */

import type { NodePlace } from './machines.ts';

export interface Outage {
  readonly region: string;
  readonly node: string;
  readonly attempt: string;
  readonly fromMs: number;
  toMs: number;
}

export class Outages {
  readonly all: Outage[] = [];
  readonly #open = new Map<string, Outage>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get openCount(): number {
    return this.#open.size;
  }

  begin({ region, name }: NodePlace, attempt: string): void {
    const open = this.#open.get(name);
    if (open?.attempt === attempt) return;
    // Out for another attempt before it was back from the last one: it has been out all the while.
    if (open !== undefined) open.toMs = this.#nowMs();
    const outage = {
      region,
      node: name,
      attempt,
      fromMs: this.#nowMs(),
      toMs: Number.POSITIVE_INFINITY,
    };
    this.all.push(outage);
    this.#open.set(name, outage);
  }

  end({ name }: NodePlace): void {
    const open = this.#open.get(name);
    if (open === undefined) return;
    open.toMs = this.#nowMs();
    this.#open.delete(name);
  }
}

/**
 * What of this is too much: outages with which more nodes of a region were out than may be.
 *
 * @param isCounted not those whose slot was declared lost, for instance: they count against the failure budget
 */
export function tooMany(
  outages: readonly Outage[],
  allowedAt: (region: string, atMs: number) => number,
  isCounted: (outage: Outage) => boolean,
): readonly { readonly atMs: number; readonly message: string }[] {
  return [...Map.groupBy(outages.filter(isCounted), ({ region }) => region)].flatMap(([region, ones]) =>
    ones.flatMap(({ fromMs }) => {
      const out = ones.filter((one) => one.fromMs <= fromMs && fromMs < one.toMs);
      const allowed = allowedAt(region, fromMs);
      if (out.length <= allowed) return [];
      const names = out.map(({ node, attempt }) => `${node} (${attempt})`).join(', ');
      const message = `${out.length} nodes of ${region} were out at once, ${allowed} may be: ${names}`;
      return [{ atMs: fromMs, message }];
    }),
  );
}
