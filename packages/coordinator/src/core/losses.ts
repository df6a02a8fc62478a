/** Charges lost slots to the failure budget, and clears them where that is allowed (I7). */

import { isSpent } from '@swell/shared/domain/failure-budget.ts';
import { isUnderWay, type Rollout } from '@swell/shared/domain/rollout.ts';
import { everybody } from './census.ts';
import type { Effect } from './effects.ts';
import { type LostSlot, lostSlots } from './leases.ts';
import type { Step } from './outcome.ts';
import { policyOf, type ServiceState, withRollout } from './state.ts';
import { tell } from './tell.ts';
import { countAttempts } from './verdict.ts';

/**
 * While a rollout is under way, a slot whose loss would break the budget stays taken: the rollout is about to halt, and
 * until it has, nobody else is to follow. After that the slot is needed for the way back.
 */
export function loseSlots(state: ServiceState, nowMs: number): Step {
  let next = state;
  const effects: Effect[] = [];
  for (const lost of lostSlots(state, nowMs)) {
    next = charge(next, lost);
    if (!mayBeCleared(next)) continue;
    effects.push({ kind: 'clear-slot', region: lost.region, slot: lost.slot, expect: lost.revision });
    next = forget(sayCleared(next, lost), lost);
  }
  return { state: next, effects };
}

function charge(state: ServiceState, { region, slot, revision, holder }: LostSlot): ServiceState {
  const { rollout } = state.record;
  const { node } = holder;
  if (rollout === undefined || rollout.lost.includes(node)) return state;
  const charged = concerns(rollout, holder.rollout)
    ? withRollout(state, { ...rollout, lost: [...rollout.lost, node] })
    : state;
  const line =
    `${node} in ${region} held slot ${slot} of ${state.service} and has not renewed it: ` +
    'it counts as failed, and its slot is lost';
  return tell(charged, {
    name: 'slot-lost',
    mark: `${region}.${slot}.${revision}`,
    rollout: holder.rollout,
    region,
    node,
    slot,
    revision,
    line,
  });
}

function concerns(rollout: Rollout, number: number): boolean {
  return isUnderWay(rollout) && rollout.release.rollout === number;
}

function mayBeCleared(state: ServiceState): boolean {
  const { rollout } = state.record;
  if (rollout === undefined || !isUnderWay(rollout)) return true;
  const tally = countAttempts(rollout, everybody(state.census));
  return !isSpent(policyOf(state).failureBudget, { ...tally, stageEnded: false });
}

function sayCleared(state: ServiceState, { region, slot, revision, holder }: LostSlot): ServiceState {
  const line = `slot ${slot} of ${state.service} in ${region}, lost by ${holder.node}, is cleared`;
  return tell(state, {
    name: 'slot-cleared',
    mark: `${region}.${slot}.${revision}`,
    rollout: holder.rollout,
    region,
    node: holder.node,
    slot,
    revision,
    line,
  });
}

/** Its deletion will be seen; until then it is not lost a second time. */
function forget(state: ServiceState, { region, slot }: LostSlot): ServiceState {
  const slots = new Map(state.slots.get(region));
  slots.delete(slot);
  return { ...state, slots: new Map(state.slots).set(region, slots) };
}
