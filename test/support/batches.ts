/**
 * Does it for all, a hundred at a time: thousands that wait for one acknowledgement each would all have to be answered
 * within one request's patience, and a test that needs that is one of speed.
 */
export async function inBatches<Item>(
  items: readonly Item[],
  act: (item: Item) => Promise<unknown>,
  size = 100,
): Promise<void> {
  for (let from = 0; from < items.length; from += size) {
    await Promise.all(items.slice(from, from + size).map(act));
  }
}
