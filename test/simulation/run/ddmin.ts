/** Delta debugging: A. Zeller, R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 28 (2002). */

export interface Search<Item> {
  /** Does it still break with these alone? */
  readonly breaks: (kept: readonly Item[]) => Promise<boolean>;
  /** Is there no more to be spent on it? */
  readonly isSpent: () => boolean;
  /** How many are tried side by side; what is found is the same whatever that is. */
  readonly width: number;
}

/** A part of the items with which it still breaks; if there was time, one of which nothing can be left out. */
export async function ddmin<Item>(items: readonly Item[], search: Search<Item>): Promise<readonly Item[]> {
  if (items.length === 0 || (await search.breaks([]))) return [];
  let kept = items;
  let parts = 2;
  while (kept.length > 1 && !search.isSpent()) {
    const chunks = split(kept, parts);
    const chunk = await firstThatBreaks(chunks, search);
    if (chunk !== undefined) {
      [kept, parts] = [chunk, 2];
      continue;
    }
    const complements = parts === 2 ? [] : chunks.map((one) => kept.filter((item) => !one.includes(item)));
    const rest = await firstThatBreaks(complements, search);
    if (rest !== undefined) [kept, parts] = [rest, parts - 1];
    else if (parts === kept.length) break;
    else parts = Math.min(kept.length, parts * 2);
  }
  return kept;
}

function split<Item>(items: readonly Item[], parts: number): readonly (readonly Item[])[] {
  return Array.from({ length: parts }, (_, at) =>
    items.slice(Math.floor((at * items.length) / parts), Math.floor(((at + 1) * items.length) / parts)),
  );
}

async function firstThatBreaks<Item>(
  candidates: readonly (readonly Item[])[],
  { breaks, isSpent, width }: Search<Item>,
): Promise<readonly Item[] | undefined> {
  for (let at = 0; at < candidates.length && !isSpent(); at += width) {
    const together = candidates.slice(at, at + width);
    const broke = await Promise.all(together.map(breaks));
    const first = together.find((_, index) => broke[index]);
    if (first !== undefined) return first;
  }
  return undefined;
}
