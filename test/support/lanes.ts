/**
 * Does it for all, several at a time: each lane takes the next one as soon as it has ended its last. Ends early, with
 * what is under way, once the signal aborts.
 */
export async function inLanes<Item, Lane>(
  items: readonly Item[],
  lanes: readonly Lane[],
  act: (item: Item, lane: Lane) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const waiting = items.values();
  await Promise.all(
    lanes.map(async (lane) => {
      for (const item of waiting) {
        if (signal?.aborted === true) return;
        await act(item, lane);
      }
    }),
  );
}
