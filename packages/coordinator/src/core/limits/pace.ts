/**
 * May it go on by its safe rate? Within a stage a cursor moves along a line, from where it stood, by time that counts. That
 * time is added up from look to look and saved, so that whoever leads next goes on along the same line.
 */

import type { Region } from '@swell/shared/domain/names.ts';
import { msUntilPaced, nodesPaced } from '@swell/shared/domain/pace.ts';
import { FIRST } from '@swell/shared/domain/rank.ts';
import type { Paced, Rollout } from '@swell/shared/domain/rollout.ts';
import { PULSE_FRESH_MS } from '@swell/shared/domain/wave.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import { countBelow, type Line } from '../nodes/line.ts';
import { activeRegions } from '../stage/regions.ts';
import { policyOf, type ServiceState, withRollout } from '../state.ts';
import { isShut } from './dependencies.ts';

/** Counted by so much: a rollout that waits for time alone is saved six times a minute, not sixty. */
const COUNTED_MS = 10_000;

/**
 * Counts the time since the last look by how things stood until now, so before anything is heard. Without a look for so
 * long that no agent would have started, there was no leader: that adds nothing, and neither does a clock that jumped.
 */
export function countOpenTime(state: ServiceState, nowMs: number): ServiceState {
  const passedMs = nowMs - state.lookedAtMs;
  const looked: ServiceState = { ...state, lookedAtMs: nowMs };
  const { rollout } = state.record;
  if (!state.ready || rollout?.phase.name !== 'rolling' || rollout.paused !== undefined) return looked;
  if (passedMs <= 0 || passedMs > PULSE_FRESH_MS || policyOf(state).safeRate === undefined) return looked;
  const uncounted = new Map(state.uncounted);
  const counted: [Region, Paced][] = [];
  for (const region of activeRegions(state, rollout)) {
    if (isShut(rollout, region)) continue;
    const openMs = (uncounted.get(region) ?? 0) + passedMs;
    uncounted.set(region, openMs < COUNTED_MS ? openMs : 0);
    if (openMs < COUNTED_MS) continue;
    const before = pacedIn(rollout, region);
    counted.push([region, { ...before, openMs: before.openMs + openMs }]);
  }
  const waiting: ServiceState = { ...looked, uncounted };
  if (counted.length === 0) return waiting;
  return withRollout(waiting, { ...rollout, pace: { ...rollout.pace, ...Object.fromEntries(counted) } });
}

/** Of a region's line, how many the safe rate has let through by now. */
export function pacedCount(state: ServiceState, rollout: Rollout, region: Region, line: Line): number {
  const { safeRate } = policyOf(state);
  if (safeRate === undefined) return line.nodes.length;
  const { from, openMs } = pacedIn(rollout, region);
  return countBelow(line, from) + nodesPaced(safeRate, line.nodes.length, openMs);
}

/** When the safe rate lets one more of a region's line start than are admitted, if time counts from now on. */
export function nextPacedMs(
  state: ServiceState,
  rollout: Rollout,
  region: Region,
  line: Line,
  nowMs: number,
): number | undefined {
  const { safeRate } = policyOf(state);
  const admitted = countBelow(line, rollout.regions[region]?.cursor ?? FIRST);
  if (safeRate === undefined || admitted >= line.nodes.length) return undefined;
  const { from, openMs } = pacedIn(rollout, region);
  const dueMs = msUntilPaced(safeRate, line.nodes.length, admitted + 1 - countBelow(line, from));
  return nowMs + Math.max(0, dueMs - openMs - (state.uncounted.get(region) ?? 0));
}

/** Until time has been counted in a stage, the line begins where the cursor stands. */
function pacedIn({ pace, regions }: Rollout, region: Region): Paced {
  return pace[region] ?? { from: regions[region]?.cursor ?? FIRST, openMs: 0 };
}

/** After a policy with another rate the line begins anew where the cursor stands: nothing jumps, nothing goes back. */
export function keepPace(before: ServiceState, after: ServiceState): ServiceState {
  const { rollout } = after.record;
  if (rollout === undefined || sameValue(policyOf(before).safeRate, policyOf(after).safeRate)) return after;
  return withRollout({ ...after, uncounted: new Map() }, { ...rollout, pace: {} });
}
