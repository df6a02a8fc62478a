/** Where a rollout stands among its region groups and stages, and how it enters the next one. */

import type { Region } from '@swell/shared/domain/names.ts';
import { type Policy, stageSize, unavailableLimit } from '@swell/shared/domain/policy.ts';
import { cursorBehind, FIRST } from '@swell/shared/domain/rank.ts';
import type { RegionProgress, Rollout } from '@swell/shared/domain/rollout.ts';
import { ranksOf } from './admission.ts';
import { inLine } from './census.ts';
import { regionGroups } from './regions.ts';
import { policyOf, type ServiceState, withRollout } from './state.ts';
import { tell } from './tell.ts';

/** Every region where a node of the service has been seen, or where the rollout has been. */
export function knownRegions(state: ServiceState): readonly Region[] {
  const seen = [...state.census].filter(([, nodes]) => nodes.size > 0).map(([region]) => region);
  return [...new Set([...seen, ...Object.keys(state.record.rollout?.regions ?? {})])].sort();
}

/** The regions whose turn it is. */
export function activeRegions(state: ServiceState, rollout: Rollout): readonly Region[] {
  return regionGroups(policyOf(state), knownRegions(state))[rollout.group] ?? [];
}

/** The stage's share of each region is drawn as its nodes stand now; the slots are counted anew. */
export function enterStage(state: ServiceState, rollout: Rollout, nowMs: number): ServiceState {
  const entered = withRollout(state, { ...rollout, phase: { name: 'staging' } });
  const policy = policyOf(entered);
  const active = new Set(activeRegions(entered, rollout));
  const regions = Object.fromEntries(
    knownRegions(entered).map((region) => [
      region,
      drawn(entered, rollout, region, active.has(region), policy, nowMs),
    ]),
  );
  const placed = { ...rollout, phase: { name: 'staging' } as const, regions };
  const percent = policy.stagesPercent[rollout.stage] ?? 100;
  return tell(
    { ...withRollout(entered, placed), progress: { steps: -1, sinceMs: nowMs } },
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
  policy: Policy,
  nowMs: number,
): RegionProgress {
  const line = inLine(state.census, region, nowMs);
  const before = rollout.regions[region] ?? { cursor: FIRST, stageBelow: FIRST, slots: 1 };
  const slots = unavailableLimit(policy.maxUnavailable, line.length);
  if (!active) return { ...before, slots };
  const end = stageSize(policy.stagesPercent[rollout.stage] ?? 100, line.length);
  return { ...before, slots, stageBelow: Math.max(before.stageBelow, cursorBehind(ranksOf(line), end)) };
}

/**
 * The place after this one; `end`: there is none. Stages that would take in no further node are passed over: two nodes
 * have two stages, whatever the policy lists.
 */
export function nextPlace(
  state: ServiceState,
  rollout: Rollout,
  nowMs: number,
): { readonly group: number; readonly stage: number } | 'end' {
  const policy = policyOf(state);
  const sizes = activeRegions(state, rollout).map((region) => inLine(state.census, region, nowMs).length);
  const takesIn = (percent: number): number => sizes.reduce((sum, size) => sum + stageSize(percent, size), 0);
  const present = takesIn(policy.stagesPercent[rollout.stage] ?? 100);
  const stage = policy.stagesPercent.findIndex(
    (percent, index) => index > rollout.stage && takesIn(percent) > present,
  );
  if (stage >= 0) return { group: rollout.group, stage };
  const groups = regionGroups(policy, knownRegions(state));
  const group = groups.findIndex((regions, index) => index > rollout.group && regions.length > 0);
  return group < 0 ? 'end' : { group, stage: 0 };
}

/** A place in words that never mean two: `0-2` is the third stage of the first group. */
export function placeMark(rollout: Rollout): string {
  return `${rollout.group}-${rollout.stage}`;
}

/** The stage for a person to read. */
export function describePlace(state: ServiceState, rollout: Rollout): string {
  const { stagesPercent, regions } = policyOf(state);
  const percent = stagesPercent[rollout.stage] ?? 100;
  const stage = `stage ${rollout.stage + 1} of ${stagesPercent.length} (${percent} %)`;
  return regions === 'parallel' ? stage : `${stage} in ${activeRegions(state, rollout).join(', ')}`;
}

/** Regions that turned up after the stage was entered get their slots, and their share of the stage if it is their turn. */
export function admitRegions(state: ServiceState, nowMs: number): ServiceState {
  const { rollout } = state.record;
  if (rollout === undefined) return state;
  const fresh = knownRegions(state).filter((region) => rollout.regions[region] === undefined);
  if (fresh.length === 0) return state;
  const active = new Set(activeRegions(state, rollout));
  const added = fresh.map((region) => [
    region,
    drawn(state, rollout, region, active.has(region), policyOf(state), nowMs),
  ]);
  return withRollout(state, { ...rollout, regions: { ...rollout.regions, ...Object.fromEntries(added) } });
}

/** A changed policy holds at once: slots are counted anew, cursors stay where they are (I4). */
export function resizeSlots(state: ServiceState, nowMs: number): ServiceState {
  const { rollout } = state.record;
  if (rollout === undefined || !state.ready) return state;
  const { maxUnavailable } = policyOf(state);
  const resized = Object.entries(rollout.regions).map(([region, progress]) => [
    region,
    { ...progress, slots: unavailableLimit(maxUnavailable, inLine(state.census, region, nowMs).length) },
  ]);
  return withRollout(state, { ...rollout, regions: Object.fromEntries(resized) });
}
