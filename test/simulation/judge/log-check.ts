/**
 * The checker that reads real logs, fed with the world's own. Where the bus was set back, revisions begin again: there a
 * log ends and another one begins, and of that the attempts that went by what is forgotten are no part (the world's own
 * truth goes on judging them).
 */

import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { NodeId } from '@swell/shared/domain/names.ts';
import { RULE_IDS, type Violation } from '@swell/shared/domain/rules/rule.ts';
import { type Checker, createChecker } from '@swell/shared/domain/rules.ts';
import type { Bench } from './bench.ts';
import type { Start } from './start.ts';

/** Everything is told at its instant and in order. */
const TOLERANCE_MS = 0;
/** A report waits in its journal for as long as its node is off or cut off. */
const PATIENCE_MS = 300_000;

export class LogCheck {
  readonly #bench: Bench;
  #checker: Checker;
  readonly #found: (violation: Violation) => void;
  /** Attempts of the present log, and of those before it. */
  #begun = new Set<string>();
  readonly #foreign = new Set<string>();

  constructor(bench: Bench, found: (violation: Violation) => void) {
    this.#bench = bench;
    this.#found = found;
    this.#checker = begin();
  }

  began({ node, attempt }: Start, isRemembered: boolean): void {
    (isRemembered ? this.#begun : this.#foreign).add(`${node}/${attempt.id}`);
  }

  see(entry: LogEntry): void {
    if (entry.kind === 'report' && this.#foreign.has(`${entry.report.node}/${entry.report.attempt}`)) return;
    for (const violation of this.#checker.check(entry)) this.#found(violation);
  }

  /** The bus was set back; these stand now. */
  restart(standing: readonly LogEntry[]): void {
    for (const violation of this.#checker.finish({ atRest: false })) this.#found(violation);
    this.count();
    for (const attempt of this.#begun) this.#foreign.add(attempt);
    this.#begun = new Set();
    this.#checker = begin();
    for (const entry of standing) this.see(entry);
  }

  finish(gone: ReadonlySet<NodeId>): void {
    for (const violation of this.#checker.finish({ gone })) this.#found(violation);
  }

  /** What the present log's checker has judged, to be counted once. */
  count(): void {
    for (const rule of RULE_IDS) this.#bench.judged(rule, this.#checker.judged[rule]);
  }
}

function begin(): Checker {
  return createChecker({ toleranceMs: TOLERANCE_MS, patienceMs: PATIENCE_MS });
}
