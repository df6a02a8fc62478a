/** Rows of spans: what is shown, before anybody knows where. */

import { shortLine } from '@swell/shared/kernel/printable.ts';

export type Tone = 'plain' | 'strong' | 'quiet' | 'good' | 'bad' | 'busy';

export interface Span {
  readonly text: string;
  readonly tone: Tone;
}
export type Row = readonly Span[];

/** A text from the bus may be long, and may steer terminals: shown, it is one short line. */
const TEXT_MAX = 300;

export function span(text: string, tone: Tone = 'plain'): Span {
  return { text: shortLine(text, TEXT_MAX), tone };
}

export function row(text: string, tone: Tone = 'plain'): Row {
  return [span(text, tone)];
}

/** In columns, each as wide as its widest text; the first line is the head. */
export function table(head: readonly string[], lines: readonly (readonly string[])[]): readonly Row[] {
  const texts = [head, ...lines].map((cells) => cells.map((cell) => shortLine(cell, TEXT_MAX)));
  const widths = head.map((_, column) => Math.max(...texts.map((cells) => cells[column]?.length ?? 0)));
  return texts.map((cells, at) => {
    const text = cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
    return [{ text: text.trimEnd(), tone: at === 0 ? 'quiet' : 'plain' }];
  });
}

const CODES: Readonly<Record<Tone, string | undefined>> = {
  plain: undefined,
  strong: '1',
  quiet: '2',
  good: '32',
  bad: '31',
  busy: '33',
};

/** As text for a terminal, in its sixteen colours or in none. */
export function paint(spans: Row, coloured: boolean): string {
  return spans
    .filter(({ text }) => text !== '')
    .map(({ text, tone }) => {
      const code = coloured ? CODES[tone] : undefined;
      return code === undefined ? text : `\u001B[${code}m${text}\u001B[0m`;
    })
    .join('')
    .trimEnd();
}

/** A row that a terminal does not wrap. */
export function clipped(spans: Row, columns: number): Row {
  let room = columns;
  return spans.flatMap(({ text, tone }) => {
    const shown = text.slice(0, Math.max(0, room)).toWellFormed();
    room -= shown.length;
    return shown === '' ? [] : [{ text: shown, tone }];
  });
}
