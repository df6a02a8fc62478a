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

/** A number of slots that a region was told of. */
export interface Allowance {
  readonly region: string;
  readonly slots: number;
  readonly atMs: number;
}

/** A wave is heard by nodes at the instant; the server's clock and ours are one, but for this much. */
const CLOCKS_MS = 100;

/**
 * What of this is too much: outages with which more nodes of a region were out than any wave allowed since nobody was.
 *
 * @param isCounted not those whose slot was declared lost, for instance: they count against the failure budget
 */
export function tooMany(
  outages: readonly Outage[],
  allowances: readonly Allowance[],
  isCounted: (outage: Outage) => boolean,
): readonly { readonly atMs: number; readonly message: string }[] {
  return [...Map.groupBy(outages, ({ region }) => region)].flatMap(([region, ones]) => {
    const told = allowances.filter((one) => one.region === region);
    return ones.flatMap((outage) => {
      const { fromMs } = outage;
      const out = ones.filter((one) => one.fromMs <= fromMs && fromMs < one.toMs && isCounted(one));
      const allowed = allowedAt(told, busySince(ones, fromMs), fromMs);
      if (out.length <= allowed || !out.includes(outage)) return [];
      const names = out.map(({ node, attempt }) => `${node} (${attempt})`).join(', ');
      const message = `${out.length} nodes of ${region} were out at once, ${allowed} may be: ${names}`;
      return [{ atMs: fromMs, message }];
    });
  });
}

/** Since when there has always been somebody out. */
function busySince(outages: readonly Outage[], atMs: number): number {
  let sinceMs = atMs;
  for (const { fromMs, toMs } of outages.toReversed()) {
    if (fromMs <= sinceMs && toMs >= sinceMs) sinceMs = fromMs;
  }
  return sinceMs;
}

/** The most that stood at any time between the two. */
function allowedAt(told: readonly Allowance[], sinceMs: number, untilMs: number): number {
  const before = told.findLast(({ atMs }) => atMs <= sinceMs);
  const between = told.filter(({ atMs }) => atMs > sinceMs && atMs <= untilMs + CLOCKS_MS);
  return Math.max(before?.slots ?? 0, ...between.map(({ slots }) => slots));
}
