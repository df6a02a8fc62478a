/** How a rollout enters a stage, and keeps its regions in step with what is there. */

import type { Region } from '@swell/shared/domain/names.ts';
import { stageSize, unavailableLimit } from '@swell/shared/domain/policy.ts';
import { FIRST } from '@swell/shared/domain/rank.ts';
import { isUnderWay, type RegionProgress, type Rollout } from '@swell/shared/domain/rollout.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import { cursorAt } from './admission.ts';
import { presentNodes } from './line.ts';
import { isCensusComplete } from './look-out.ts';
import { placeAfterRegrouping, placeMark } from './places.ts';
import { activeRegions, knownRegions } from './regions.ts';
import { countSlots } from './slots.ts';
import { policyOf, type ServiceState, withRollout } from './state.ts';
import { tell } from './tell.ts';

/** The stage's share of each region is drawn as its nodes stand now; the slots are counted anew. */
export function enterStage(state: ServiceState, entering: Rollout, nowMs: number): ServiceState {
  const rollout: Rollout = { ...entering, phase: { name: 'staging' } };
  const entered = withRollout(state, rollout);
  const active = activeRegions(entered, rollout);
  const regions = Object.fromEntries(
    knownRegions(entered).map((region) => [
      region,
      drawn(entered, rollout, region, active.includes(region), nowMs),
    ]),
  );
  const percent = policyOf(entered).stagesPercent[rollout.stage] ?? 100;
  return tell(
    { ...withRollout(entered, { ...rollout, regions }), progress: { steps: -1, sinceMs: nowMs } },
    {
      name: 'stage-staging',
      mark: placeMark(rollout),
      rollout: rollout.release.rollout,
      line: `rollout ${rollout.release.rollout} of ${state.service}: nodes up to ${percent} % download ${rollout.release.version}`,
    },
  );
}

function drawn(
  state: ServiceState,
  rollout: Rollout,
  region: Region,
  active: boolean,
  nowMs: number,
): RegionProgress {
  const policy = policyOf(state);
  const nodes = presentNodes(state.census, region, nowMs);
  const before = rollout.regions[region] ?? { cursor: FIRST, stageBelow: FIRST };
  const counted = { slots: unavailableLimit(policy.maxUnavailable, nodes.length), nodes: nodes.length };
  if (!active) return { ...before, ...counted };
  const percent = policy.stagesPercent[rollout.stage] ?? 100;
  const end = cursorAt({ nodes }, stageSize(percent, nodes.length), percent);
  return { ...before, ...counted, stageBelow: Math.max(before.stageBelow, end) };
}

/**
 * Regions that turned up after the stage was entered get their slots, and their share of the stage if it is their turn;
 * where a region has grown or shrunk, or the policy has changed, slots are counted anew. Cursors stay (I4).
 */
export function keepRegions(state: ServiceState, nowMs: number): ServiceState {
  const { rollout } = state.record;
  if (rollout === undefined) return state;
  const active = activeRegions(state, rollout);
  const changed = knownRegions(state).flatMap((region) => {
    const before = rollout.regions[region];
    const after =
      before === undefined
        ? drawn(state, rollout, region, active.includes(region), nowMs)
        : countSlots(state, region, before, nowMs);
    return after === before ? [] : [[region, after] as const];
  });
  if (changed.length === 0) return state;
  return withRollout(state, { ...rollout, regions: { ...rollout.regions, ...Object.fromEntries(changed) } });
}

/** A policy that groups the regions anew holds at once: nobody's turn depends on a group that is no more. */
export function regroup(state: ServiceState, nowMs: number): ServiceState {
  const { rollout } = state.record;
  if (rollout === undefined || !isUnderWay(rollout) || !isCensusComplete(state, nowMs)) return state;
  const { regions: grouping } = policyOf(state);
  if (sameValue(grouping, rollout.grouping)) return state;
  const place = placeAfterRegrouping(state, rollout, grouping, nowMs);
  const moved: Rollout = { ...rollout, grouping, ...place };
  const stays =
    place.stage === rollout.stage &&
    activeRegions(state, moved).join() === activeRegions(state, rollout).join();
  return stays ? withRollout(state, moved) : enterStage(state, moved, nowMs);
}
