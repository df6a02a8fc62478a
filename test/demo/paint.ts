/** Rows of spans as text for a terminal, in its sixteen colours or in none. */

import type { Row, Tone } from './frame.ts';

const CODES: Readonly<Record<Tone, string | undefined>> = {
  plain: undefined,
  strong: '1',
  quiet: '2',
  good: '32',
  bad: '31',
  busy: '33',
};

export function paint(row: Row, coloured: boolean): string {
  return row
    .map(({ text, tone }) => {
      const code = coloured ? CODES[tone] : undefined;
      return code === undefined ? text : `\u001B[${code}m${text}\u001B[0m`;
    })
    .join('')
    .trimEnd();
}
