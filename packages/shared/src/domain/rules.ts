/**
 * The checker: the rules that never break, stated over the log. The simulation, the end-to-end tests and an operator's
 * audit run this one.
 *
 * The log is filled from several streams, each in its own order, but side by side: a report may stand before the claim
 * that came before it, an order behind the starts that it allowed. So rules compare by evidence (revisions of one
 * stream, names of attempts), never by places in the log, and judge only when what they need has had `patienceMs` of the
 * log's time to come, or at the end. Where two streams have nothing in common but the clock, `toleranceMs` is allowed
 * for the copying. What happened before the log begins is not judged.
 *
 * It keeps state and is fed entry by entry, since a log of millions is read once and not held; nothing but its entries
 * decides what it says.
 *
 * Not visible in a log, and proved elsewhere: I3 for what never started, I10, I11, I12, I14.
 */

import type { LogEntry } from './log.ts';
import type { NodeId } from './names.ts';
import { cursorsOnlyRise } from './rules/cursors.ts';
import { Evidence } from './rules/evidence.ts';
import { haltsHold } from './rules/halts.ts';
import { resultsMatchImages } from './rules/images.ts';
import { slotsAreNotStolen } from './rules/leases.ts';
import { rejectedStaysRejected } from './rules/rejections.ts';
import { attemptsEndOnce } from './rules/results.ts';
import { revisionsRise } from './rules/revisions.ts';
import { type Docket, RULE_IDS, type Rule, type RuleId, type Violation } from './rules/rule.ts';
import { haltsSpareWhatSettled } from './rules/spared.ts';
import { startsByWarrant } from './rules/starts.ts';
import { limitsUnavailable } from './rules/unavailable.ts';

export interface CheckerOptions {
  /** How far the clocks and the copying of two streams may be apart. */
  readonly toleranceMs?: number;
  /** How long evidence may take into the log. */
  readonly patienceMs?: number;
}

export interface LogEnd {
  /** Nodes that will not speak again: they owe no result and no way back. */
  readonly gone?: ReadonlySet<NodeId>;
  /** Is nothing more to come? `false`: the log was cut off in the middle: open ends are none, and what waits for evidence stays unjudged. */
  readonly atRest?: boolean;
}

export interface Checker {
  /** Takes the next entry; returns what has turned out to be broken, by it or before it. */
  check(entry: LogEntry): readonly Violation[];
  /** How often each rule has been judged so far: one that never was has not been shown to hold. */
  readonly judged: Readonly<Record<RuleId, number>>;
  /** Judges what is left, if the log is at its end. */
  finish(end?: LogEnd): readonly Violation[];
}

export function createChecker({ toleranceMs = 5_000, patienceMs = 60_000 }: CheckerOptions = {}): Checker {
  const evidence = new Evidence();
  let found: Violation[] = [];
  const waiting = createQueue();
  let nowMs = Number.NEGATIVE_INFINITY;
  const judged = Object.fromEntries(RULE_IDS.map((rule) => [rule, 0])) as Record<RuleId, number>;

  const docketOf = (rule: RuleId): Docket => ({
    judged: () => {
      judged[rule] += 1;
    },
    violation: (sequence, message) => found.push({ rule, sequence, message }),
    later: (judge) => waiting.add(nowMs + patienceMs, judge),
  });
  const leases = slotsAreNotStolen(evidence, docketOf('I7'), toleranceMs);
  const rules: readonly Rule[] = [
    limitsUnavailable(evidence, docketOf('I1')),
    startsByWarrant(evidence, docketOf('I2'), toleranceMs),
    cursorsOnlyRise(docketOf('I4')),
    haltsHold(evidence, docketOf('I5'), toleranceMs),
    haltsSpareWhatSettled(evidence, docketOf('I5')),
    revisionsRise(docketOf('I6')),
    leases,
    attemptsEndOnce(evidence, docketOf('I8')),
    resultsMatchImages(evidence, docketOf('I9')),
    rejectedStaysRejected(docketOf('I13')),
  ];

  function taken(): readonly Violation[] {
    const violations = found;
    found = [];
    return violations;
  }

  return {
    judged,
    check(entry) {
      nowMs = Math.max(nowMs, entry.atMs);
      waiting.run(nowMs);
      if (entry.kind === 'report' && evidence.hasHeard(entry.report)) return taken();
      const before = evidence.see(entry);
      if (entry.kind === 'slot') leases.seeSlot(entry, before);
      for (const rule of rules) rule.see(entry);
      return taken();
    },
    finish({ gone = new Set<NodeId>(), atRest = true } = {}) {
      if (!atRest) return taken();
      waiting.run(Number.POSITIVE_INFINITY);
      for (const rule of rules) rule.atRest?.(gone);
      return taken();
    },
  };
}

/** What waits for its evidence, in the order in which it is due. */
function createQueue() {
  const waiting: { readonly dueMs: number; readonly judge: () => void }[] = [];
  let head = 0;
  return {
    add(dueMs: number, judge: () => void): void {
      waiting.push({ dueMs, judge });
    },
    run(untilMs: number): void {
      for (let next = waiting[head]; next !== undefined && next.dueMs <= untilMs; next = waiting[head]) {
        head += 1;
        next.judge();
      }
      if (head < 1_000 || head * 2 < waiting.length) return;
      waiting.splice(0, head);
      head = 0;
    },
  };
}

/** Checks a whole log, from its beginning to its end. */
export function checkLog(
  entries: Iterable<LogEntry>,
  options: CheckerOptions & LogEnd = {},
): readonly Violation[] {
  const checker = createChecker(options);
  const violations: Violation[] = [];
  for (const entry of entries) violations.push(...checker.check(entry));
  violations.push(...checker.finish(options));
  return violations;
}
