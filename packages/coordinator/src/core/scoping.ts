/**
 * A service's record as far as it speaks of the regions that are led: what is kept of the others is their own leader's to
 * know, and would be ordered there again. And how a scope begins: with what the global one knew.
 */

import type { Region } from '@swell/shared/domain/names.ts';
import type { Rollout, ServiceRecord } from '@swell/shared/domain/rollout.ts';
import type { Scope } from '@swell/shared/domain/scope.ts';
import { newService, type ServiceState } from './state.ts';
import { tell } from './tell.ts';

type IsOurs = (region: Region) => boolean;

export function recordWithin(record: ServiceRecord, isOurs: IsOurs): ServiceRecord {
  const { rollout } = record;
  if (rollout === undefined || regionsNamed(rollout).every(isOurs)) return record;
  const { awaiting, ...rest } = rollout;
  return {
    ...record,
    rollout: {
      ...rest,
      regions: within(rollout.regions, isOurs),
      pace: within(rollout.pace, isOurs),
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

function within<Value>(
  byRegion: Readonly<Record<Region, Value>>,
  isOurs: IsOurs,
): Readonly<Record<Region, Value>> {
  return Object.fromEntries(Object.entries(byRegion).filter(([region]) => isOurs(region)));
}

/**
 * A scope that has no record of a service goes on where the global one stands, which led its regions so far: neither a cursor
 * nor a halt is forgotten. What that one is publishing and saying stays its own.
 */
export function takenOver(record: ServiceRecord, scope: Scope): ServiceRecord {
  const { publishing: _, ...kept } = record;
  const state: ServiceState = newService(record.service, { ...kept, outbox: [] });
  return tell(state, {
    name: 'record-taken-over',
    line: `scope ${scope} goes on with ${record.service} where the global one stands`,
  }).record;
}
