/** Was the stage watched for long enough? */

import { FIRST, LAST } from '@swell/shared/domain/rank.ts';
import type { Rollout } from '@swell/shared/domain/rollout.ts';
import { CANARIES_PERCENT } from '../admission/canary.ts';
import { policyOf, type ServiceState } from '../state.ts';
import { activeRegions } from './regions.ts';

/** How long the stage that has just ended is watched. */
export function soakOf(state: ServiceState, rollout: Rollout): number {
  const { canary, firstGroupSoakMs, soakMs } = policyOf(state);
  if (rollout.percent === CANARIES_PERCENT) return canary?.soakMs ?? soakMs;
  return isFirstGroupThrough(state, rollout) ? (firstGroupSoakMs ?? soakMs) : soakMs;
}

function isFirstGroupThrough(state: ServiceState, rollout: Rollout): boolean {
  if (rollout.grouping === 'parallel') return false;
  const active = activeRegions(state, rollout);
  return Object.entries(rollout.regions).every(
    ([region, { cursor }]) => cursor === (active.includes(region) ? LAST : FIRST),
  );
}
