/**
 * Does it for all, several at a time: each lane takes the next one as soon as it has ended its last. Once the signal
 * aborts nothing new begins. Where one fails, its lane ends; the others do their part before that is told.
 */
export async function inLanes<Item, Lane>(
  items: readonly Item[],
  lanes: readonly Lane[],
  act: (item: Item, lane: Lane) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const waiting = items.values();
  const ended = await Promise.allSettled(
    lanes.map(async (lane) => {
      for (const item of waiting) {
        if (signal?.aborted === true) return;
        await act(item, lane);
      }
    }),
  );
  for (const lane of ended) if (lane.status === 'rejected') throw lane.reason;
}
