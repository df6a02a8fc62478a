import type { LogEntry } from '../log.ts';
import type { NodeId } from '../names.ts';

/** The rules (ARCHITECTURE, "Rules that never break") that a log can show to be broken. */
export const RULE_IDS = ['I1', 'I2', 'I4', 'I5', 'I6', 'I7', 'I8', 'I9', 'I13'] as const;
export type RuleId = (typeof RULE_IDS)[number];

export interface Violation {
  readonly rule: RuleId;
  /** The entry of the log that shows it. */
  readonly sequence: number;
  /** One sentence: where, who, which numbers. */
  readonly message: string;
}

/** Where a rule brings what it found. */
export interface Docket {
  /** Two things were compared that might have contradicted each other: what a rule that was never judged cannot say. */
  judged(): void;
  violation(sequence: number, message: string): void;
  /** Judges when the evidence has had time to come into the log, from whatever stream. */
  later(judge: () => void): void;
}

export interface Rule {
  see(entry: LogEntry): void;
  /** The log is over and the fleet at rest: what is still open stays open. Nodes that are gone owe nothing. */
  atRest?(gone: ReadonlySet<NodeId>): void;
}
