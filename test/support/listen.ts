/** Waiting for what an iteration brings. None of these closes it: a test may go on listening. */

/** The next `count` items. */
export async function take<T>(source: AsyncIterable<T>, count: number): Promise<readonly T[]> {
  const taken: T[] = [];
  const iterator = source[Symbol.asyncIterator]();
  while (taken.length < count) {
    const item = await iterator.next();
    if (item.done === true) throw new Error(`ended after ${taken.length} of ${count}`);
    taken.push(item.value);
  }
  return taken;
}

/** The first item that is wanted, and what came before it. */
export async function takeUntil<T>(
  source: AsyncIterable<T>,
  wanted: (item: T) => boolean,
): Promise<readonly T[]> {
  const taken: T[] = [];
  for (;;) {
    const [item] = await take(source, 1);
    if (item === undefined) return taken;
    taken.push(item);
    if (wanted(item)) return taken;
  }
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (body: Uint8Array): string => new TextDecoder().decode(body);
