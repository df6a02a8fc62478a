import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { Violation } from '@swell/shared/domain/rules/rule.ts';
import { createChecker } from '@swell/shared/domain/rules.ts';

/** What the checker finds in the whole log of a story that is over: its clocks go alike, and its people are patient. */
export function brokenIn(entries: readonly LogEntry[]): readonly Violation[] {
  const checker = createChecker({ toleranceMs: 0, patienceMs: 300_000 });
  const found = entries.flatMap((entry) => checker.check(entry));
  return [...found, ...checker.finish()];
}
