/**
 * A service's record as far as it speaks of some regions: what is kept of the others is their own leader's to know, and would be
 * ordered there again.
 */

import type { Region } from './names.ts';
import type { Rollout, ServiceRecord } from './rollout.ts';

export type IsOurs = (region: Region) => boolean;

export function recordWithin(record: ServiceRecord, isOurs: IsOurs): ServiceRecord {
  const { rollout } = record;
  if (rollout === undefined || regionsNamed(rollout).every(isOurs)) return record;
  const { awaiting, ...rest } = rollout;
  return {
    ...record,
    rollout: {
      ...rest,
      regions: withinRegions(rollout.regions, isOurs),
      pace: withinRegions(rollout.pace, isOurs),
      closed: rollout.closed.filter(isOurs),
      halfway: rollout.halfway.filter(isOurs),
      lost: rollout.lost.filter(({ region }) => isOurs(region)),
      ...(awaiting !== undefined && {
        awaiting: { ...awaiting, regions: awaiting.regions.filter(isOurs) },
      }),
    },
  };
}

function regionsNamed({ regions, pace, closed, halfway, lost, awaiting }: Rollout): readonly Region[] {
  const ofLost = lost.map(({ region }) => region);
  const awaited = awaiting?.regions ?? [];
  return [...Object.keys(regions), ...Object.keys(pace), ...closed, ...halfway, ...ofLost, ...awaited];
}

function withinRegions<Value>(
  byRegion: Readonly<Record<Region, Value>>,
  isOurs: IsOurs,
): Readonly<Record<Region, Value>> {
  return Object.fromEntries(Object.entries(byRegion).filter(([region]) => isOurs(region)));
}

/**
 * What is saved: with what stood there of the regions of others, as long as it is of the same rollout. A scope that takes one of
 * them over finds where it had come to, whoever writes the record before.
 */
export function recordWithAll(within: ServiceRecord, whole: ServiceRecord, isOurs: IsOurs): ServiceRecord {
  const { rollout } = within;
  const before = whole.rollout;
  if (rollout === undefined || before?.release.rollout !== rollout.release.rollout) return within;
  const isTheirs: IsOurs = (region) => !isOurs(region);
  return {
    ...within,
    rollout: {
      ...rollout,
      regions: { ...withinRegions(before.regions, isTheirs), ...rollout.regions },
      pace: { ...withinRegions(before.pace, isTheirs), ...rollout.pace },
      halfway: [...before.halfway.filter(isTheirs), ...rollout.halfway],
      lost: [...before.lost.filter(({ region }) => isTheirs(region)), ...rollout.lost],
    },
  };
}
