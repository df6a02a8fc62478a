/** Publishing until it is known to be stored: every publish of ours waits for its acknowledgement. */

import { type Bus, BusError, type Publication, type Stored } from './bus.ts';
import type { Host } from './host.ts';

const WAIT_MIN_MS = 100;
const WAIT_MAX_MS = 5_000;

/**
 * Repeats a publication until the bus has stored it once. It must carry an id, or an expectation, so that repeating it is
 * harmless.
 *
 * @throws BusError `conflict` or `refused`, which repeating would not change; the signal's reason
 */
export async function publishUntilStored(
  bus: Bus,
  publication: Publication,
  host: Host,
  signal: AbortSignal,
): Promise<Stored> {
  for (let tries = 0; ; tries += 1) {
    signal.throwIfAborted();
    try {
      return await bus.publish(publication);
    } catch (error) {
      if (!(error instanceof BusError) || !error.retryable) throw error;
    }
    // Doubling, with jitter: a bus that comes back is not met by everybody at once.
    const waitMs = Math.min(WAIT_MAX_MS, WAIT_MIN_MS * 2 ** tries);
    await host.sleep(waitMs * (0.5 + host.random() / 2), signal);
  }
}
