/** Which regions there are, which of them go together, and whose turn it is. */

import type { Region } from '@swell/shared/domain/names.ts';
import type { Policy } from '@swell/shared/domain/policy.ts';
import type { Rollout } from '@swell/shared/domain/rollout.ts';
import { rememberLast } from '@swell/shared/kernel/remember.ts';
import type { Census } from '../nodes/census.ts';
import { presentNodes } from '../nodes/line.ts';
import type { ServiceState } from '../state.ts';

/** Every region where a node of the service has been heard of, or where the rollout has been. */
export function knownRegions({ census, record }: ServiceState): readonly Region[] {
  return regionsOf(census, record.rollout?.regions ?? NONE);
}

const NONE: Rollout['regions'] = {};

/** Asked for each of them, several times at every step. */
const regionsOf = rememberLast((census: Census, reached: Rollout['regions']): readonly Region[] => {
  const heardOf = [...census].filter(([, nodes]) => nodes.size > 0).map(([region]) => region);
  return [...new Set([...heardOf, ...Object.keys(reached)])].sort();
});

export interface RegionGroup {
  readonly regions: readonly Region[];
  /** The policy names it as a step of its own: it is waited for also while nobody is there. */
  readonly named: boolean;
}

/**
 * The groups of regions, in order, as far as their regions are known. Regions that no group names come last; a group
 * keeps its place whichever regions turn up or vanish.
 */
export function regionGroups(state: ServiceState, grouping: Policy['regions']): readonly RegionGroup[] {
  const known = knownRegions(state);
  if (grouping === 'parallel') return [{ regions: known, named: false }];
  const named = new Set(grouping.flat());
  return [
    ...grouping.map((group) => ({ regions: known.filter((region) => group.includes(region)), named: true })),
    { regions: known.filter((region) => !named.has(region)), named: false },
  ];
}

/** The regions whose turn it is. */
export function activeRegions(
  state: ServiceState,
  { grouping, group }: Pick<Rollout, 'grouping' | 'group'>,
): readonly Region[] {
  return regionGroups(state, grouping)[group]?.regions ?? [];
}

/** The first group from `from` on that there is anybody to wait for. */
export function nextGroup(
  state: ServiceState,
  grouping: Policy['regions'],
  from: number,
  nowMs: number,
): number | undefined {
  const found = regionGroups(state, grouping).findIndex(
    (group, index) => index >= from && isWaitedFor(state, group, nowMs),
  );
  return found < 0 ? undefined : found;
}

export function isWaitedFor(state: ServiceState, { regions, named }: RegionGroup, nowMs: number): boolean {
  return regions.some((region) => named || presentNodes(state.census, region, nowMs).length > 0);
}
