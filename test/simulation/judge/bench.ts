/** Where judgements are counted, and what breaks a rule is written down with its instant and whom it concerns. */

import type { NodeId, Region } from '@swell/shared/domain/names.ts';
import type { VirtualTime } from '../time.ts';

/** The rules that never break (`docs/ARCHITECTURE.md`). */
export const RULES = [
  'I1',
  'I2',
  'I3',
  'I4',
  'I5',
  'I6',
  'I7',
  'I8',
  'I9',
  'I10',
  'I11',
  'I12',
  'I13',
  'I14',
] as const;
/** What people are promised beside them (the requirements' numbers): judged in `promises/`. */
export const PROMISES = [
  'N4',
  'N5',
  'N9',
  'N10',
  'N11',
  'N12',
  'P3',
  'P4',
  'B1',
  'B2',
  'B8',
  'B12',
  'B13',
  'B14',
  'B16',
  'B18',
  'N1',
  'K3',
  'K7',
] as const;
export type Rule = (typeof RULES)[number] | (typeof PROMISES)[number];
export type RuleChecks = Readonly<Record<Rule, number>>;

/** Whom it is about, as far as it is about one: a trace tells of these. */
export interface Concern {
  readonly region?: Region | undefined;
  readonly node?: NodeId | undefined;
  /** Other nodes that have their part in it. */
  readonly others?: readonly NodeId[];
  readonly rollout?: number | undefined;
}

export interface TrueViolation {
  /** `crash`: a program ended by an error of its own. `wire`: a program wrote what nobody can read. */
  readonly rule: Rule | 'crash' | 'wire';
  readonly atMs: number;
  readonly message: string;
  readonly concern: Concern;
}

export class Bench {
  readonly violations: TrueViolation[] = [];
  readonly checks: Record<Rule, number> = noChecks();
  readonly #time: VirtualTime;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  get nowMs(): number {
    return this.#time.nowMs;
  }

  /** What really is was compared with what a rule demands, and might have broken it. */
  judged(rule: Rule, times = 1): void {
    this.checks[rule] += times;
  }

  break(rule: TrueViolation['rule'], message: string, concern: Concern = {}, atMs = this.nowMs): void {
    this.violations.push({ rule, atMs, message, concern });
  }
}

export function noChecks(): Record<Rule, number> {
  return Object.fromEntries([...RULES, ...PROMISES].map((rule) => [rule, 0])) as Record<Rule, number>;
}
