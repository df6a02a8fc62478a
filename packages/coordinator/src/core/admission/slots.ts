/** How many nodes of a region may be out at once (I1), as the region grows and shrinks and the policy changes. */

import type { Region } from '@swell/shared/domain/names.ts';
import { unavailableLimit } from '@swell/shared/domain/policy.ts';
import type { RegionProgress } from '@swell/shared/domain/rollout.ts';
import { presentNodes } from '../nodes/line.ts';
import { isCensusComplete } from '../nodes/look-out.ts';
import { policyOf, type ServiceState } from '../state.ts';

/** A share is counted anew once it is off by this much: not each node that comes or goes writes a wave. */
const SHRINKS_BELOW = 0.8;
const GROWS_ABOVE = 1.25;

/** The region's slots as they ought to be; the very same value where they stay. */
export function countSlots(
  state: ServiceState,
  region: Region,
  before: RegionProgress,
  nowMs: number,
): RegionProgress {
  const { maxUnavailable } = policyOf(state);
  const present = presentNodes(state.census, region, nowMs).length;
  const nodes = isCensusComplete(state, nowMs) ? present : Math.max(present, before.nodes);
  const slots = unavailableLimit(maxUnavailable, nodes);
  const isByPolicy = before.slots === unavailableLimit(maxUnavailable, before.nodes);
  const isOff = slots <= before.slots * SHRINKS_BELOW || slots >= before.slots * GROWS_ABOVE;
  return isByPolicy && !isOff ? before : { ...before, slots, nodes };
}
