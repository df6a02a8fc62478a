/** What was meant by a word that is none: the nearest one that is, if few letters are between them. */

const DISTANCE_MAX = 2;

export function nearest(word: string, known: readonly string[]): string | undefined {
  const found = known
    .filter((one) => Math.abs(one.length - word.length) <= DISTANCE_MAX)
    .map((one) => ({ one, far: distance(one.toLowerCase(), word.toLowerCase()) }))
    .filter(({ one, far }) => far <= DISTANCE_MAX && far * 2 < one.length)
    .sort((a, b) => a.far - b.far);
  return found[0]?.one;
}

/** Levenshtein's: letters put in, left out or changed. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let line = 1; line <= a.length; line += 1) {
    const above = row;
    row = [line];
    for (let at = 1; at <= b.length; at += 1) {
      const [left = 0, over = 0, corner = 0] = [row[at - 1], above[at], above[at - 1]];
      row.push(Math.min(left + 1, over + 1, corner + (a[line - 1] === b[at - 1] ? 0 : 1)));
    }
  }
  return row[b.length] ?? 0;
}
