/** Which stages may open? The next one by a person's word, all up to a percentage by one word, or all by the policy. */

import { isUnderWay, type Rollout } from '@swell/shared/domain/rollout.ts';
import { describePlace, nextPlace, type Place } from '../stage/places.ts';
import { enterStage } from '../stage/stages.ts';
import { policyOf, type ServiceState, withRollout } from '../state.ts';
import { tell } from '../tell.ts';

/** The state after the word, or why it does not apply; `undefined`: nothing waits for it. */
export function approve(
  state: ServiceState,
  rollout: Rollout,
  toPercent: number | undefined,
  nowMs: number,
): ServiceState | string | undefined {
  const isGated = rollout.phase.name === 'gated';
  if (rollout.paused !== undefined || !isUnderWay(rollout)) return undefined;
  if (toPercent === undefined) return isGated ? openNext(state, rollout, nowMs) : undefined;
  const { group, percent } = rollout;
  // It has come there: a word may be said again.
  if (toPercent <= percent) return state;
  const approved = { ...rollout, approved: { group, toPercent } };
  if (!isGated) return withRollout(state, approved);
  const next = nextPlace(state, rollout, nowMs);
  return next === 'end' || isApproved(state, approved, next)
    ? openNext(state, approved, nowMs)
    : `to: the next stage is ${next.percent} %: name at least that`;
}

/** Is nobody to be asked before it? What was said of one group of regions says nothing of the next one. */
export function isApproved(state: ServiceState, { approved }: Rollout, { group, percent }: Place): boolean {
  if (policyOf(state).approval === 'automatic') return true;
  return approved !== undefined && approved.group === group && percent <= approved.toPercent;
}

function openNext(state: ServiceState, rollout: Rollout, nowMs: number): ServiceState {
  const approved = tell(state, {
    name: 'stage-approved',
    rollout: rollout.release.rollout,
    line: `rollout ${rollout.release.rollout} of ${state.service}: ${describePlace(state, rollout)} is approved`,
  });
  const next = nextPlace(state, rollout, nowMs);
  // A policy that lost its later stages meanwhile: what was waited for is the end.
  return next === 'end' ? approved : enterStage(approved, { ...rollout, ...next }, nowMs);
}
