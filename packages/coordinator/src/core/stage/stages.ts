/** How a rollout enters a stage, and keeps its regions in step with what is there. */

import type { Region } from '@swell/shared/domain/names.ts';
import { stageSize, unavailableLimit } from '@swell/shared/domain/policy.ts';
import { FIRST, LAST, type Rank } from '@swell/shared/domain/rank.ts';
import { isUnderWay, type RegionProgress, type Rollout } from '@swell/shared/domain/rollout.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import { cursorAt } from '../admission/admission.ts';
import { CANARIES_PERCENT, canariesOf } from '../admission/canary.ts';
import { countSlots } from '../admission/slots.ts';
import { type NodeFacts, reranked } from '../nodes/census.ts';
import { countBelow, presentNodes } from '../nodes/line.ts';
import { isCensusComplete } from '../nodes/look-out.ts';
import { drawsOf, policyOf, type ServiceState, withRollout } from '../state.ts';
import { tell } from '../tell.ts';
import { placeAfterRegrouping } from './places.ts';
import { activeRegions, knownRegions } from './regions.ts';

/** A stage that has fewer of its nodes than this share has missed somebody when it was drawn. */
const REDRAWN_BELOW = 0.8;

/** The stage's share of each region is drawn as its nodes stand now; the slots are counted anew. */
export function enterStage(state: ServiceState, entering: Rollout, nowMs: number): ServiceState {
  const rollout: Rollout = { ...entering, phase: { name: 'staging' }, pace: {} };
  const entered = withRollout(state, rollout);
  const active = activeRegions(entered, rollout);
  const regions = Object.fromEntries(
    knownRegions(entered).map((region) => [
      region,
      drawn(entered, rollout, region, active.includes(region), nowMs),
    ]),
  );
  const { percent } = rollout;
  const whom = percent === CANARIES_PERCENT ? 'canaries' : `nodes up to ${percent} %`;
  return tell(
    {
      ...withLines(withRollout(entered, { ...rollout, regions })),
      progress: { steps: -1, sinceMs: nowMs },
      uncounted: new Map(),
    },
    {
      name: 'stage-staging',
      rollout: rollout.release.rollout,
      line: `rollout ${rollout.release.rollout} of ${state.service}: ${whom} download ${rollout.release.version}`,
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
  const before = rollout.regions[region];
  const counted: RegionProgress = {
    cursor: FIRST,
    stageBelow: FIRST,
    ...before,
    slots: unavailableLimit(policy.maxUnavailable, nodes.length),
    nodes: nodes.length,
  };
  if (!active) return counted;
  const stageBelow = Math.max(counted.stageBelow, endOfStage(rollout, nodes));
  if (rollout.percent !== CANARIES_PERCENT || before?.canaries !== undefined)
    return { ...counted, stageBelow };
  const canaries = canariesOf(state, policy, region, nowMs);
  return { ...counted, stageBelow, ...(canaries.length > 0 && { canaries }) };
}

/** Where canaries were drawn, they stand before everybody else from now on. */
function withLines(state: ServiceState): ServiceState {
  const { rollout } = state.record;
  if (rollout?.percent !== CANARIES_PERCENT) return state;
  return { ...state, census: reranked(state.census, drawsOf(state)) };
}

function endOfStage({ percent }: Rollout, nodes: readonly NodeFacts[]): Rank {
  return cursorAt({ nodes }, stageSize(percent, nodes.length), percent);
}

/** Who was not there when the stage was entered is taken into it, once it is about more than a few. */
function redrawn(
  state: ServiceState,
  rollout: Rollout,
  region: Region,
  before: RegionProgress,
  nowMs: number,
): RegionProgress {
  const nodes = presentNodes(state.census, region, nowMs);
  const size = stageSize(rollout.percent, nodes.length);
  if (countBelow({ nodes }, before.stageBelow) >= size * REDRAWN_BELOW) return before;
  const stageBelow = Math.max(before.stageBelow, endOfStage(rollout, nodes));
  return stageBelow === before.stageBelow ? before : { ...before, stageBelow };
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
    const itsTurn = isUnderWay(rollout) && active.includes(region);
    if (before === undefined) return [[region, drawn(state, rollout, region, itsTurn, nowMs)] as const];
    const counted = countSlots(state, region, before, nowMs);
    const after = itsTurn ? redrawn(state, rollout, region, counted, nowMs) : counted;
    return after === before ? [] : [[region, after] as const];
  });
  if (changed.length === 0) return state;
  return withLines(
    withRollout(state, { ...rollout, regions: { ...rollout.regions, ...Object.fromEntries(changed) } }),
  );
}

/** A policy that groups the regions anew holds at once: nobody's turn depends on a group that is no more. */
export function regroup(state: ServiceState, nowMs: number): ServiceState {
  const { rollout } = state.record;
  if (rollout === undefined || !isUnderWay(rollout) || !isCensusComplete(state, nowMs)) return state;
  const { regions: grouping } = policyOf(state);
  if (sameValue(grouping, rollout.grouping)) return state;
  // Which group a word was about nobody can tell any more.
  const { approved: _, ...unapproved } = rollout;
  const place = placeAfterRegrouping(state, rollout, grouping, nowMs);
  const isBetween =
    (rollout.phase.name === 'soaking' || rollout.phase.name === 'gated') &&
    activeRegions(state, rollout).every((region) => rollout.regions[region]?.cursor === LAST);
  // Between two groups it stays before the next one, watched or waiting for a word as it was.
  if (isBetween && place.group > 0)
    return withRollout(state, { ...unapproved, grouping, group: place.group - 1 });
  const moved: Rollout = { ...unapproved, grouping, ...place };
  const stays =
    place.percent === rollout.percent &&
    activeRegions(state, moved).join() === activeRegions(state, rollout).join();
  return stays ? withRollout(state, moved) : enterStage(state, moved, nowMs);
}
