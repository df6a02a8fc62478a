/** Charges lost slots to the failure budget, and clears them where that is allowed (I7). */

import type { EventName } from '@swell/shared/domain/event.ts';
import { isSpent } from '@swell/shared/domain/failure-budget.ts';
import type { Region } from '@swell/shared/domain/names.ts';
import { isUnderWay, type Rollout } from '@swell/shared/domain/rollout.ts';
import type { Effect } from '../effects.ts';
import { isHaltStanding, isWaveStanding } from '../orders.ts';
import type { Step } from '../outcome.ts';
import { policyOf, type ServiceState, withRollout } from '../state.ts';
import { tell } from '../tell.ts';
import { isStillHeld, type LostSlot, lostSlots } from './leases.ts';
import { countAttempts } from './tally.ts';

/** A slot whose loss breaks the budget stays taken until the halt stands: nobody is to follow in between. */
export function loseSlots(state: ServiceState, nowMs: number): Step {
  let next = state;
  const effects: Effect[] = [];
  for (const lost of lostSlots(state, nowMs)) {
    const isCharged = isChargeable(next.record.rollout, lost);
    if (isCharged) next = charge(next, lost);
    if (!mayBeCleared(next, lost.region)) continue;
    effects.push({ kind: 'clear-slot', region: lost.region, slot: lost.slot, expect: lost.revision });
    next = forget(say(isCharged ? next : sayLost(next, lost), 'slot-cleared', lost, 'is cleared'), lost);
  }
  return { state: next, effects };
}

/** A loss is a failure of the rollout that the slot was claimed for, if that is the present one and not over. */
function isChargeable(rollout: Rollout | undefined, { holder }: LostSlot): boolean {
  if (rollout === undefined || rollout.release.rollout !== holder.rollout) return false;
  return isUnderWay(rollout) || rollout.phase.name === 'halting';
}

/** Once for each loss, and once for each node, however often it loses one. */
function charge(state: ServiceState, lost: LostSlot): ServiceState {
  const { rollout } = state.record;
  const { region, revision, holder } = lost;
  if (rollout === undefined || rollout.lost.some((one) => one.revision === revision)) return state;
  // The record does not grow with each: an earlier loss of the node is forgotten once its slot is cleared.
  const others = rollout.lost.filter(
    (one) => one.region !== region || one.node !== holder.node || isStillHeld(state, one),
  );
  const charged = { ...rollout, lost: [...others, { region, node: holder.node, revision }] };
  return sayLost(withRollout(state, charged), lost);
}

function mayBeCleared(state: ServiceState, region: Region): boolean {
  const { rollout } = state.record;
  if (rollout === undefined) return true;
  if (!isUnderWay(rollout)) return isHaltStanding(state) && isWaveStanding(state, region);
  const attempts = countAttempts(rollout, state.census);
  return !isSpent(policyOf(state).failureBudget, { ...attempts, stageEnded: false });
}

function sayLost(state: ServiceState, lost: LostSlot): ServiceState {
  return say(state, 'slot-lost', lost, 'has not been renewed: its node counts as failed');
}

function say(
  state: ServiceState,
  name: EventName,
  { region, slot, revision, holder }: LostSlot,
  what: string,
): ServiceState {
  return tell(state, {
    name,
    mark: `${region}.${slot}.${revision}`,
    rollout: holder.rollout,
    region,
    node: holder.node,
    slot,
    revision,
    line: `slot ${slot} of ${state.service} in ${region}, held by ${holder.node}, ${what}`,
  });
}

/** Its deletion will be seen; until then it is not lost a second time. */
function forget(state: ServiceState, { region, slot }: LostSlot): ServiceState {
  const slots = new Map(state.slots.get(region));
  slots.delete(slot);
  return { ...state, slots: new Map(state.slots).set(region, slots) };
}
