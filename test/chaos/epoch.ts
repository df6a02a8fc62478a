/**
 * One life of the bus's memory. Revisions of slots mean something only within it: where a bucket was deleted, or disks
 * were put back, they begin again, and a fence of before says nothing about a slot of after (decision 13).
 */

import type { LogEntry } from '@swell/shared/domain/log.ts';
import { isResult, type NodeReport } from '@swell/shared/domain/report.ts';
import type { Violation } from '@swell/shared/domain/rules/rule.ts';
import { type Checker, createChecker } from '@swell/shared/domain/rules.ts';
import { Ceilings } from './ceilings.ts';
import type { Seen } from './watch.ts';

/** The holder of a slot at a revision: `<node>/<attempt>`. */
type Holder = string;

/** What is stored at one time is read at one time, but for servers that are away: judged once it had the time to come. */
const LATE_MS = 15_000;
/** Times are those of the storing, by the clock of one machine. */
const TOLERANCE_MS = 500;

export class Epoch {
  readonly sinceMs: number;
  readonly seen: Seen[] = [];
  readonly #before: readonly Epoch[];
  readonly #holders = new Map<string, Holder>();
  readonly #begun = new Set<Holder>();
  readonly #checker: Checker = createChecker({ toleranceMs: TOLERANCE_MS });
  readonly #newest = new Map<string, number>();
  #waiting: { readonly atMs: number; readonly entry: LogEntry }[] = [];

  /**
   * @param sinceMs when it began, by the machine's clock
   * @param before the epochs before it, the newest last
   * @param kept what of theirs is true in it as well
   */
  constructor(sinceMs: number, before: readonly Epoch[], kept: readonly Seen[]) {
    this.sinceMs = sinceMs;
    this.#before = before;
    for (const seen of kept) this.see(seen);
  }

  see(seen: Seen): void {
    const { stream, entry } = seen;
    this.seen.push(seen);
    if (entry.kind === 'slot' && entry.holder !== undefined)
      this.#holders.set(placeOf(entry, entry.revision), holderOf(entry.holder));
    // A stream is in its own order, whatever the clocks of its leaders say.
    const atMs = Math.max(entry.atMs, this.#newest.get(stream) ?? 0);
    this.#newest.set(stream, atMs);
    this.#waiting.push({ atMs, entry });
  }

  /** Judges what had the time to come. */
  judge(nowMs: number): readonly Violation[] {
    const due = this.#waiting.filter(({ atMs }) => atMs <= nowMs - LATE_MS).sort((a, b) => a.atMs - b.atMs);
    this.#waiting = this.#waiting.filter(({ atMs }) => atMs > nowMs - LATE_MS);
    return due.filter(({ entry }) => this.#isOfNow(entry)).flatMap(({ entry }) => this.#checker.check(entry));
  }

  /** Judges what is left; `atRest`: nothing more is to come, so that open ends are ends that are missing. */
  finish(atRest: boolean): readonly Violation[] {
    return [...this.judge(Number.POSITIVE_INFINITY), ...this.#checker.finish({ atRest })];
  }

  ceilings(): Ceilings {
    return new Ceilings(this.seen.map(({ entry }) => entry).toSorted((a, b) => a.atMs - b.atMs));
  }

  /** Who holds a slot now. */
  holders(): readonly Holder[] {
    const now = new Map<string, Holder | undefined>();
    for (const { entry } of this.seen) {
      if (entry.kind !== 'slot') continue;
      const { region, service, slot, holder } = entry;
      now.set(`${region}/${service}/${slot}`, holder === undefined ? undefined : holderOf(holder));
    }
    return [...now.values()].filter((holder) => holder !== undefined);
  }

  /** Who held a slot at a revision, as far as it was in this epoch. */
  holder(place: Parameters<typeof placeOf>[0], revision: number): Holder | undefined {
    return this.#holders.get(placeOf(place, revision));
  }

  /** Does it speak of a slot of this epoch? What speaks of one of before was begun before, and ends as it began. */
  #isOfNow(entry: LogEntry): boolean {
    if (entry.kind === 'report') return this.#isReportOfNow(entry.report);
    if (entry.kind !== 'event') return true;
    const { name, region, service, slot, revision, node } = entry.event;
    if (name !== 'slot-lost' && name !== 'slot-cleared') return true;
    if (region === undefined || slot === undefined || revision === undefined) return true;
    const place = { region, service, slot };
    const named = (epoch: Epoch): boolean => epoch.holder(place, revision)?.startsWith(`${node}/`) === true;
    return named(this) || !this.#before.some(named);
  }

  #isReportOfNow(report: NodeReport): boolean {
    const { region, service, node, status, warrant, attempt } = report;
    if (attempt === undefined || isResult(status)) return true;
    const holder = holderOf({ node, attempt });
    if (warrant === undefined) return this.#begun.has(holder) || !this.#wasBegunBefore(holder);
    const place = { region, service, slot: warrant.slot };
    const held = (epoch: Epoch): boolean => epoch.holder(place, warrant.fence) === holder;
    const isOfNow = held(this) || !this.#before.some(held);
    if (isOfNow) this.#begun.add(holder);
    return isOfNow;
  }

  #wasBegunBefore(holder: Holder): boolean {
    return this.#before.some((epoch) => epoch.#begun.has(holder));
  }
}

function placeOf(
  { region, service, slot }: { readonly region: string; readonly service: string; readonly slot: number },
  revision: number,
): string {
  return `${region}/${service}/${slot}/${revision}`;
}

export function holderOf({ node, attempt }: { readonly node: string; readonly attempt: string }): Holder {
  return `${node}/${attempt}`;
}
