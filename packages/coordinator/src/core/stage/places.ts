/** A rollout's place: which group of regions, which stage. Which one is next, and where a changed policy puts it. */

import type { Region } from '@swell/shared/domain/names.ts';
import { type Policy, stageSize } from '@swell/shared/domain/policy.ts';
import { FIRST, LAST } from '@swell/shared/domain/rank.ts';
import { hasBegun, type Rollout } from '@swell/shared/domain/rollout.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import { CANARIES_PERCENT, canariesOf } from '../admission/canary.ts';
import { countBelow, lineOf, presentNodes } from '../nodes/line.ts';
import { isAwaited } from '../nodes/standing.ts';
import { policyOf, type ServiceState } from '../state.ts';
import { activeRegions, isWaitedFor, nextGroup, regionGroups } from './regions.ts';

export type Place = Pick<Rollout, 'group' | 'percent'>;

/**
 * The place after this one; `end`: there is none. Stages that would take in no further node are passed over: two nodes
 * have two stages, whatever the policy lists.
 */
export function nextPlace(state: ServiceState, rollout: Rollout, nowMs: number): Place | 'end' {
  const { grouping, group } = rollout;
  const percent = nextStage(state, rollout, activeRegions(state, rollout), rollout.percent, nowMs);
  if (percent !== undefined) return { group, percent };
  const next = nextGroup(state, grouping, group + 1, nowMs);
  return next === undefined
    ? 'end'
    : { group: next, percent: firstPercent(state, policyOf(state), grouping, next, nowMs) };
}

/** Where a group of regions begins: with its canaries, if there are any. */
export function firstPercent(
  state: ServiceState,
  policy: Policy,
  grouping: Policy['regions'],
  group: number,
  nowMs: number,
): number {
  const regions = regionGroups(state, grouping)[group]?.regions ?? [];
  const hasCanaries = regions.some((region) => canariesOf(state, policy, region, nowMs).length > 0);
  return hasCanaries ? CANARIES_PERCENT : (policy.stagesPercent[0] ?? 100);
}

/**
 * The first stage of more than `percent` that takes in more of these regions' nodes than are admitted already. The last
 * one is not passed over because nodes are away: it has to have been there for everybody whom a stage was drawn with.
 */
function nextStage(
  state: ServiceState,
  rollout: Rollout,
  regions: readonly Region[],
  percent: number,
  nowMs: number,
): number | undefined {
  const lines = regions.map((region) => {
    const nodes = presentNodes(state.census, region, nowMs);
    const progress = rollout.regions[region];
    const admitted = countBelow({ nodes }, progress?.cursor ?? FIRST);
    return { size: nodes.length, admitted, drawn: progress?.nodes ?? 0 };
  });
  const takesInMore = (one: number): boolean =>
    lines.some(
      ({ size, admitted, drawn }) => stageSize(one, one === 100 ? Math.max(size, drawn) : size) > admitted,
    );
  return policyOf(state).stagesPercent.find((one) => one > percent && takesInMore(one));
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
  const active = activeRegions(state, rollout);
  const isThrough = (region: Region): boolean =>
    rollout.regions[region]?.cursor === LAST &&
    !(active.includes(region) && isAwaitedIn(state, rollout, region, nowMs));
  const group = groups.findIndex(
    (one) => isWaitedFor(state, one, nowMs) && !one.regions.every((region) => isThrough(region)),
  );
  if (group < 0) return { group: groups.length - 1, percent: rollout.percent };
  const regions = groups[group]?.regions ?? [];
  const same = regions.join() === active.join();
  const isBegun = regions.some((region) => hasBegun(rollout.regions[region]));
  const first = firstPercent(state, policyOf(state), grouping, group, nowMs);
  if (same) return { group, percent: rollout.percent };
  return { group, percent: isBegun ? (nextStage(state, rollout, regions, 0, nowMs) ?? 100) : first };
}

/** Are not all done whom the stage has let in? Once it is watched, who comes later does not keep it. */
function isAwaitedIn(state: ServiceState, rollout: Rollout, region: Region, nowMs: number): boolean {
  const { name } = rollout.phase;
  if (name !== 'staging' && name !== 'rolling') return false;
  return lineOf(state.census, rollout, region, nowMs).standings.some((is) => isAwaited(is));
}

/** The stage for a person to read. */
export function describePlace(state: ServiceState, rollout: Rollout): string {
  const { number, of, percent } = stageOf(policyOf(state), rollout.percent);
  const stage =
    percent === CANARIES_PERCENT ? 'the stage of its canaries' : `stage ${number} of ${of} (${percent} %)`;
  return rollout.grouping === 'parallel' ? stage : `${stage} in ${activeRegions(state, rollout).join(', ')}`;
}

/** Which of the policy's stages that is, 0 for its canaries; the next larger one, where the policy does not list it any more. */
export function stageOf({ stagesPercent }: Policy, percent: number): Wave['stage'] {
  const of = stagesPercent.length;
  if (percent === CANARIES_PERCENT) return { number: 0, of, percent };
  return { number: Math.min(stagesPercent.filter((one) => one < percent).length + 1, of), of, percent };
}
