/** Who goes before everybody else? Nodes that bear the label of the policy, drawn by name when their region's turn begins. */

import type { NodeId, Region } from '@swell/shared/domain/names.ts';
import type { Policy } from '@swell/shared/domain/policy.ts';
import { presentNodes } from '../nodes/line.ts';
import type { ServiceState } from '../state.ts';

/** The share of a stage that takes in the canaries alone. */
export const CANARIES_PERCENT = 0;

/** Of each region: every wave carries their names. */
const CANARIES_MAX = 100;

export function canariesOf(
  state: ServiceState,
  { canary }: Policy,
  region: Region,
  nowMs: number,
): readonly NodeId[] {
  if (canary === undefined) return [];
  return presentNodes(state.census, region, nowMs)
    .filter(({ labels }) => labels.includes(canary.label))
    .slice(0, CANARIES_MAX)
    .map(({ node }) => node)
    .sort();
}
