/**
 * The difference between what ought to stand on the bus and what does is what is published: after a crash, a take-over or
 * a lost acknowledgement the same question gives the same answer. Of each key one write is on its way at most.
 */

import type { Region } from '@swell/shared/domain/names.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import type { Effect } from './effects.ts';
import type { Step } from './outcome.ts';
import { knownRegions } from './stage/regions.ts';
import type { OrderPlace, ServiceState } from './state.ts';
import { wantedHalt, wantedWave } from './wanted.ts';

const NOWHERE: OrderPlace<never> = { revision: 0, sending: false };

/** Writes that are due, and the state that knows of them as under way. */
export function publishOrders(state: ServiceState): Step {
  const effects: Effect[] = [];
  const waves = new Map(state.waves);
  const halt = wantedHalt(state);
  const isHaltDue = state.scope === undefined && !state.halt.sending && !isHaltStanding(state);
  // The halt goes first: who hears one of the two must not start by the other.
  if (isHaltDue) effects.push({ kind: 'publish-halt', halt, expect: state.halt.revision });
  for (const region of knownRegions(state)) {
    const wave = wantedWave(state, region);
    const place = waves.get(region) ?? NOWHERE;
    if (wave === undefined || place.sending || sameValue(wave, place.stored)) continue;
    waves.set(region, { ...place, sending: true });
    effects.push({ kind: 'publish-wave', wave, expect: place.revision });
  }
  if (effects.length === 0) return { state, effects };
  return {
    state: { ...state, waves, halt: { ...state.halt, sending: state.halt.sending || isHaltDue } },
    effects,
  };
}

/** A scope's halt is said in the waves of its regions. */
export function isHaltStanding(state: ServiceState): boolean {
  if (state.scope !== undefined) return knownRegions(state).every((region) => isWaveStanding(state, region));
  return state.halt.unreadable !== true && sameValue(wantedHalt(state), state.halt.stored);
}

export function isWaveStanding(state: ServiceState, region: Region): boolean {
  return sameValue(wantedWave(state, region), state.waves.get(region)?.stored);
}

/**
 * B13. Does a leader stand behind what stands in a region? Not while it lets nodes start what it wants no more: the order
 * that says so may be long on its way, and a pulse is not stored.
 */
export function isVouchedFor(state: ServiceState, region: Region): boolean {
  const stored = state.waves.get(region)?.stored;
  if (stored?.phase !== 'open') return true;
  if (!state.ready) return false;
  const wanted = wantedWave(state, region);
  return wanted?.phase === 'open' && wanted.release.rollout === stored.release.rollout;
}

/** Our write was acknowledged. Where the bus has shown something newer meanwhile, that stands. */
export function withStored<Order>(
  place: OrderPlace<Order> = NOWHERE,
  revision: number,
  stored: Order | undefined,
): OrderPlace<Order> {
  return { ...withSeen(place, revision, stored), sending: false };
}

/** What the bus shows: ours, or what somebody else wrote, which is a difference like any other. */
export function withSeen<Order>(
  place: OrderPlace<Order> = NOWHERE,
  revision: number,
  stored: Order | undefined,
  unreadable?: true,
): OrderPlace<Order> {
  if (revision <= place.revision) return place;
  return {
    revision,
    sending: place.sending,
    ...(stored !== undefined && { stored }),
    ...(unreadable !== undefined && { unreadable }),
  };
}
