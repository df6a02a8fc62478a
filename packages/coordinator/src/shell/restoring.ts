/** What a new leader begins with: which regions are its own, and what was saved of every service. */

import type { Bus, StoredMessage } from '@swell/shared/adapters/bus.ts';
import type { Host } from '@swell/shared/adapters/host.ts';
import { NOWHERE, type Place } from '@swell/shared/domain/place.ts';
import { ALL_REGIONS, allRollouts, leaseKey, regionOf, STREAMS } from '@swell/shared/protocol/subjects.ts';
import type { Term } from './leadership.ts';
import type { Services } from './services.ts';
import type { Territory } from './territory.ts';

/** A replica that is behind is asked again after so long. */
const BEHIND_MS = 200;

export interface RestoringOptions {
  readonly bus: Bus;
  readonly host: Host;
  readonly term: Term;
  readonly territory: Territory;
}

/**
 * Our lease lies beside the records: whoever shows it shows all that was saved before it, and no replica's older word.
 *
 * @returns how far it has been read whose the regions are
 */
export async function restore(
  { bus, host, term, territory }: RestoringOptions,
  services: Services,
  onUnreadable: (message: StoredMessage, problems: readonly string[]) => void,
): Promise<Place> {
  const { scope } = territory;
  const leases = leaseKey(scope);
  const keys = [allRollouts(scope), leases, ALL_REGIONS, ...(scope === undefined ? [] : [allRollouts()])];
  for (;;) {
    const messages = await bus.readLastOfEach(STREAMS.rollouts, keys);
    const lease = messages.find(({ subject }) => subject === leases);
    if (lease !== undefined && lease.sequence >= term.revision) {
      const regions = messages.filter(({ subject }) => regionOf(subject) !== undefined);
      const records = messages.filter((it) => it !== lease && !regions.includes(it));
      territory.read(regions, onUnreadable);
      if (!territory.isEmpty) services.restore(records);
      return lastPlace(regions);
    }
    await host.sleep(BEHIND_MS, term.signal);
  }
}

export function lastPlace(messages: readonly Place[]): Place {
  return messages.reduce<Place>((last, it) => (it.sequence > last.sequence ? it : last), NOWHERE);
}
