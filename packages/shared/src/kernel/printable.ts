/** What ends a line, steers a terminal, or turns the direction in which letters run. */
const UNSHOWN = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/**
 * A text as one line of a terminal or a log can show it, whoever wrote it: what cannot be shown is spelt out (`\u001b`), and
 * half a letter becomes the sign for one that is missing.
 */
export function printable(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(UNSHOWN, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The same, and no longer than that: what quotes something may be as long as what it quotes. */
export function shortLine(text: string, lengthMax: number): string {
  const line = printable(text);
  return line.length > lengthMax ? `${line.slice(0, lengthMax - 1).toWellFormed()}…` : line;
}
