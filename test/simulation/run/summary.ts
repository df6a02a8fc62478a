/** What many lives show together. */

import { noChecks, RULES } from '../judge/bench.ts';
import type { Life } from '../life.ts';

/** The one object that a run ends with. */
export interface Summary {
  readonly seeds: number;
  readonly nodeUpdates: number;
  readonly simulatedNodeYears: number;
  readonly faultKinds: number;
  readonly violations: number;
  readonly nodeUpdatesPerSecond: number;
  /** How often each rule was really judged: something was compared that might have broken it. */
  readonly ruleChecks: Readonly<Record<string, number>>;
}

const YEAR_MS = 365 * 24 * 3_600_000;

export class Tally {
  readonly #startedMs = performance.now();
  readonly #checks = noChecks();
  readonly #kinds = new Set<string>();
  readonly #histories = new Set<string>();
  readonly #coverages = new Set<string>();
  readonly #coverage = new Map<string, number>();
  readonly #excused = new Map<string, number>();
  #nodeMs = 0;
  seeds = 0;
  nodeUpdates = 0;
  violations = 0;

  add(life: Life): void {
    this.seeds += 1;
    this.nodeUpdates += life.nodeUpdates;
    this.violations += life.violations.length;
    this.#nodeMs += life.nodeMs;
    for (const rule of RULES) this.#checks[rule] += life.checks[rule];
    for (const { kind } of life.strikes) this.#kinds.add(kind);
    this.#histories.add(life.history);
    this.#coverages.add(Object.keys(life.coverage).toSorted().join());
    addAll(this.#coverage, life.coverage);
    addAll(this.#excused, life.excused);
  }

  get perSecond(): number {
    return Math.round((this.nodeUpdates * 1_000) / (performance.now() - this.#startedMs));
  }

  get tookMs(): number {
    return performance.now() - this.#startedMs;
  }

  get coverage(): ReadonlyMap<string, number> {
    return this.#coverage;
  }

  /** What nobody could have kept under a fault that destroyed it, by why. */
  get excused(): ReadonlyMap<string, number> {
    return this.#excused;
  }

  /** How seeds differ. */
  get differing(): { readonly histories: number; readonly coverages: number } {
    return { histories: this.#histories.size, coverages: this.#coverages.size };
  }

  summary(): Summary {
    return {
      seeds: this.seeds,
      nodeUpdates: this.nodeUpdates,
      simulatedNodeYears: Number((this.#nodeMs / YEAR_MS).toFixed(2)),
      faultKinds: this.#kinds.size,
      violations: this.violations,
      nodeUpdatesPerSecond: this.perSecond,
      ruleChecks: Object.fromEntries(RULES.map((rule) => [rule, this.#checks[rule]])),
    };
  }
}

function addAll(sums: Map<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [name, times] of Object.entries(counts)) sums.set(name, (sums.get(name) ?? 0) + times);
}
