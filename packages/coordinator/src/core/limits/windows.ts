/** May it go on by the clock on a region's wall? Outside its windows nobody there starts; who has begun ends it. */

import type { Region } from '@swell/shared/domain/names.ts';
import { describeOpenTimes, isOpenIn, nextOpenIn, type Policy } from '@swell/shared/domain/policy.ts';
import { isUnderWay, type Rollout } from '@swell/shared/domain/rollout.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import { knownRegions } from '../stage/regions.ts';
import { policyOf, type ServiceState, withRollout } from '../state.ts';
import { tell } from '../tell.ts';
import { timeOf } from './cool-down.ts';

/** The record says which regions are closed, so that each change is told once, whoever leads. */
export function keepWindows(state: ServiceState, nowMs: number): ServiceState {
  const { rollout } = state.record;
  if (rollout === undefined || !isUnderWay(rollout)) return state;
  const policy = policyOf(state);
  const closed = knownRegions(state).filter((region) => !isOpenIn(policy, region, nowMs));
  if (sameValue(closed, rollout.closed)) return state;
  const shut = closed.filter((region) => !rollout.closed.includes(region));
  const opened = rollout.closed.filter((region) => !closed.includes(region));
  const kept = withRollout(state, { ...rollout, closed });
  const told = shut.length === 0 ? kept : tellClosed(kept, rollout, shut, policy);
  return opened.length === 0 ? told : tellOpened(told, rollout, opened);
}

/** For whoever asks why nobody starts there. */
export function describeClosed(policy: Policy, region: Region, nowMs: number): string {
  const untilMs = nextOpenIn(policy, region, nowMs);
  return `the window of ${region} is closed${untilMs === undefined ? '' : ` until ${timeOf(untilMs)}`}`;
}

function tellClosed(
  state: ServiceState,
  { release }: Rollout,
  regions: readonly Region[],
  policy: Policy,
): ServiceState {
  const times = regions.map((region) => describeOpenTimes(policy, region));
  return tell(state, {
    name: 'window-closed',
    rollout: release.rollout,
    line: `rollout ${release.rollout} of ${state.service}: nobody starts in ${times.join(', ')}`,
  });
}

function tellOpened(state: ServiceState, { release }: Rollout, regions: readonly Region[]): ServiceState {
  return tell(state, {
    name: 'window-opened',
    rollout: release.rollout,
    line: `rollout ${release.rollout} of ${state.service}: the window of ${regions.join(', ')} is open`,
  });
}
