/** What the checker has found in a log. */

import type { RuleId, Violation } from '@swell/shared/domain/rules/rule.ts';
import { type Row, row, span } from './rows.ts';

export interface Audit {
  readonly ok: boolean;
  /** How many entries of the log the rules speak of. */
  readonly entries: number;
  /** Was the log read as one that is over? Else what was open at its end is not judged. */
  readonly atRest: boolean;
  readonly judged: Readonly<Record<RuleId, number>>;
  readonly violations: readonly Violation[];
}

const VIOLATIONS_MAX = 50;

export function drawAudit(
  { entries, atRest, judged, violations }: Audit,
  rules: readonly RuleId[],
): readonly Row[] {
  const unjudged = rules.filter((rule) => judged[rule] === 0);
  const shown = violations.slice(0, VIOLATIONS_MAX);
  const more = violations.length - shown.length;
  const broken = violations.length === 1 ? '1 violation' : `${violations.length} violations`;
  return [
    row(
      `${entries} entries: ${violations.length === 0 ? 'no rule is broken' : broken}`,
      violations.length === 0 ? 'good' : 'bad',
    ),
    ...shown.map(
      ({ rule, sequence, message }): Row => [span(`  ${rule}`, 'bad'), span(` at ${sequence}: ${message}`)],
    ),
    ...(more === 0 ? [] : [row(`  and ${more} more`, 'quiet')]),
    ...(unjudged.length === 0 ? [] : [row(`  never put to the test: ${unjudged.join(', ')}`, 'quiet')]),
    ...(atRest ? [] : [row('  what is open at the end of the log is not judged: --at-rest does', 'quiet')]),
  ];
}
