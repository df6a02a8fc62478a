/** A rollout's place: which group of regions, which stage. Which one is next, and where a changed policy puts it. */

import type { Region } from '@swell/shared/domain/names.ts';
import { type Policy, stageSize } from '@swell/shared/domain/policy.ts';
import { FIRST, LAST } from '@swell/shared/domain/rank.ts';
import type { Rollout } from '@swell/shared/domain/rollout.ts';
import { countBelow, presentNodes } from './line.ts';
import { activeRegions, isWaitedFor, nextGroup, regionGroups } from './regions.ts';
import { policyOf, type ServiceState } from './state.ts';

export type Place = Pick<Rollout, 'group' | 'stage'>;

/**
 * The place after this one; `end`: there is none. Stages that would take in no further node are passed over: two nodes
 * have two stages, whatever the policy lists.
 */
export function nextPlace(state: ServiceState, rollout: Rollout, nowMs: number): Place | 'end' {
  const { grouping, group } = rollout;
  const stage = nextStage(state, rollout, activeRegions(state, rollout), rollout.stage + 1, nowMs);
  if (stage !== undefined) return { group, stage };
  const next = nextGroup(state, grouping, group + 1, nowMs);
  return next === undefined ? 'end' : { group: next, stage: 0 };
}

/** The first stage from `from` on that takes in more of these regions' nodes than are admitted already. */
function nextStage(
  state: ServiceState,
  rollout: Rollout,
  regions: readonly Region[],
  from: number,
  nowMs: number,
): number | undefined {
  const lines = regions.map((region) => {
    const nodes = presentNodes(state.census, region, nowMs);
    return { size: nodes.length, admitted: countBelow({ nodes }, rollout.regions[region]?.cursor ?? FIRST) };
  });
  const found = policyOf(state).stagesPercent.findIndex(
    (percent, index) =>
      index >= from && lines.some(({ size, admitted }) => stageSize(percent, size) > admitted),
  );
  return found < 0 ? undefined : found;
}

/**
 * Where a rollout goes on when the policy groups the regions anew: in the first group that is not through, with the
 * first stage that takes in anybody more. Where the same regions have their turn as before, the stage stays.
 */
export function placeAfterRegrouping(
  state: ServiceState,
  rollout: Rollout,
  grouping: Policy['regions'],
  nowMs: number,
): Place {
  const groups = regionGroups(state, grouping);
  const isThrough = (region: Region): boolean => rollout.regions[region]?.cursor === LAST;
  const group = groups.findIndex(
    (one) => isWaitedFor(state, one, nowMs) && !one.regions.every((region) => isThrough(region)),
  );
  if (group < 0) return { group: groups.length - 1, stage: rollout.stage };
  const regions = groups[group]?.regions ?? [];
  const same = regions.join() === activeRegions(state, rollout).join();
  return { group, stage: same ? rollout.stage : (nextStage(state, rollout, regions, 0, nowMs) ?? 0) };
}

/** A place in words that never mean two: `0-2` is the third stage of the first group. */
export function placeMark({ group, stage }: Place): string {
  return `${group}-${stage}`;
}

/** The stage for a person to read. */
export function describePlace(state: ServiceState, rollout: Rollout): string {
  const { stagesPercent } = policyOf(state);
  const percent = stagesPercent[rollout.stage] ?? 100;
  const number = Math.min(rollout.stage + 1, stagesPercent.length);
  const stage = `stage ${number} of ${stagesPercent.length} (${percent} %)`;
  return rollout.grouping === 'parallel' ? stage : `${stage} in ${activeRegions(state, rollout).join(', ')}`;
}
