/**
 * The judge: the rules' own checker over what the streams hold, epoch by epoch, and besides what only the whole world
 * shows: who is really out of rotation (I1) and, over all epochs, that nobody obeys an older order (I6) and that every
 * attempt ends once (I8).
 */

import { isResult, type NodeReport } from '@swell/shared/domain/report.ts';
import { Epoch, holderOf } from './epoch.ts';
import { type Outage, type Outages, tooMany } from './outages.ts';
import type { Marks, Seen } from './watch.ts';

export interface ChaosViolation {
  readonly rule: string;
  readonly message: string;
  /** When, by the machine's clock; missing where it is no matter of a moment. */
  readonly atMs?: number;
}

/** A slot is declared lost a moment before it is free; the event that says so may have to wait for its stream. */
const DECLARED_LATE_MS = 60_000;
/** All of them are looked at again each time. */
const OUTAGES_EVERY_MS = 15_000;
const MESSAGES_MAX = 20;

export class Judge {
  readonly violations: ChaosViolation[] = [];
  /** Where more nodes were out than may be (I1), since the bus itself had forgotten the slots of some of them. */
  readonly excused = new Set<string>();
  readonly #past: Epoch[] = [];
  #epoch = new Epoch(0, [], []);
  readonly #outages: Outages;
  readonly #nowMs: () => number;
  readonly #attempts = new Map<string, { hasBegun: boolean; results: string[] }>();
  /** The newest wave that each node has gone by. */
  readonly #obeyed = new Map<string, number>();
  readonly #known = new Set<string>();
  #outagesDueMs = 0;
  /** Attempts whose slot the bus forgot while they held it: no program can know of it. */
  readonly #forgotten = new Set<string>();

  constructor(outages: Outages, nowMs: () => number) {
    this.#outages = outages;
    this.#nowMs = nowMs;
  }

  /** Everything that was ever seen, in the order in which it came; what outlived an epoch only once. */
  get seen(): readonly Seen[] {
    return [...new Set([...this.#past, this.#epoch].flatMap(({ seen }) => seen))];
  }

  see(seen: Seen): void {
    this.#epoch.see(seen);
    if (seen.entry.kind === 'report') this.#hear(seen.entry.report);
  }

  break(rule: string, message: string, atMs = this.#nowMs()): void {
    // One cause may break a rule over and over: the first ones tell.
    if (this.#known.has(message) || this.violations.length >= MESSAGES_MAX) return;
    this.#known.add(message);
    this.violations.push({ rule, message, atMs });
  }

  /** Looks at what had the time to come. */
  look(): void {
    const nowMs = this.#nowMs();
    this.#take(this.#epoch.judge(nowMs));
    if (nowMs < this.#outagesDueMs) return;
    this.#outagesDueMs = nowMs + OUTAGES_EVERY_MS;
    this.#judgeOutages(nowMs - DECLARED_LATE_MS);
  }

  /** The slots were deleted: what is known of them means nothing any more. */
  forget(stream: string): void {
    this.#turn(this.#epoch.seen.filter((seen) => seen.stream !== stream));
  }

  /** The bus has gone back: what came after these marks is gone from it. What nodes have told of their results is true all the same. */
  rewind(marks: Marks): void {
    this.#turn(
      this.#epoch.seen.filter(
        ({ stream, revision, entry }) =>
          revision <= (marks.get(stream) ?? 0) || (entry.kind === 'report' && isResult(entry.report.status)),
      ),
    );
  }

  /** Nothing more is to come. */
  finish(): void {
    this.#take(this.#epoch.finish(true));
    this.#judgeOutages(Number.POSITIVE_INFINITY);
    for (const [holder, { hasBegun, results }] of this.#attempts) {
      const many = results.length;
      if (many > 1) this.break('I8', `${holder} ended ${many} times: ${results.join(', ')}`);
      if (many === 0 && hasBegun) this.break('I8', `${holder} never said how it ended`);
    }
  }

  /** Attempts that have not told how they ended. */
  openAttempts(): readonly string[] {
    return [...this.#attempts].flatMap(([holder, { results }]) => (results.length === 0 ? [holder] : []));
  }

  /** Who holds a slot, as far as the present epoch shows. */
  slotHolders(): readonly string[] {
    return this.#epoch.holders();
  }

  /** What no epoch ends: what a node has begun and obeyed it remembers, whatever the bus forgets. */
  #hear(report: NodeReport): void {
    const { node, attempt, status, warrant } = report;
    if (attempt === undefined) return;
    const key = holderOf({ node, attempt });
    const known = this.#attempts.get(key) ?? { hasBegun: false, results: [] };
    this.#attempts.set(key, known);
    if (!isResult(status)) known.hasBegun = true;
    else if (!known.results.includes(status)) known.results.push(status);
    if (warrant === undefined) return;
    const highest = this.#obeyed.get(node) ?? 0;
    if (warrant.waveRevision < highest)
      this.break(
        'I6',
        `${node} obeyed wave ${warrant.waveRevision} after wave ${highest}, attempt ${attempt}`,
      );
    this.#obeyed.set(node, Math.max(highest, warrant.waveRevision));
  }

  #turn(kept: readonly Seen[]): void {
    this.#take(this.#epoch.finish(false));
    const held = this.#epoch.holders();
    this.#past.push(this.#epoch);
    this.#epoch = new Epoch(this.#nowMs(), [...this.#past], kept);
    const still = new Set(this.#epoch.holders());
    for (const holder of held) if (!still.has(holder)) this.#forgotten.add(holder);
  }

  #take(found: ReturnType<Epoch['finish']>): void {
    if (found.length === 0) return;
    const times = new Map(this.seen.map(({ entry }) => [entry.sequence, entry.atMs]));
    for (const { rule, message, sequence } of found) this.break(rule, message, times.get(sequence));
  }

  #judgeOutages(untilMs: number): void {
    const due = this.#outages.all.filter(({ fromMs }) => fromMs <= untilMs);
    if (due.length === 0) return;
    const epochs = [...this.#past, this.#epoch].map((epoch) => ({
      sinceMs: epoch.sinceMs,
      ceilings: epoch.ceilings(),
    }));
    const allowedAt = (region: string, atMs: number): number =>
      epochs.findLast(({ sinceMs }) => sinceMs <= atMs)?.ceilings.at(region, atMs) ?? 0;
    const charged = this.#charged(this.seen);
    const isCounted = (one: Outage): boolean => !charged.has(holderOf(one));
    const isKnown = (one: Outage): boolean => isCounted(one) && !this.#forgotten.has(holderOf(one));
    for (const { message, atMs } of tooMany(due, allowedAt, isKnown)) this.break('I1', message, atMs);
    for (const { message } of tooMany(due, allowedAt, isCounted)) this.excused.add(message);
  }

  /** Attempts whose slot was declared lost. */
  #charged(seen: readonly Seen[]): ReadonlySet<string> {
    const epochs = [...this.#past, this.#epoch];
    return new Set(
      seen.flatMap(({ entry }) => {
        if (entry.kind !== 'event') return [];
        const { name, region, service, slot, revision, node } = entry.event;
        if (name !== 'slot-lost' && name !== 'slot-cleared') return [];
        if (region === undefined || slot === undefined || revision === undefined) return [];
        const place = { region, service, slot };
        return epochs.flatMap((epoch) => {
          const holder = epoch.holder(place, revision);
          return holder?.startsWith(`${node}/`) === true ? [holder] : [];
        });
      }),
    );
  }
}
