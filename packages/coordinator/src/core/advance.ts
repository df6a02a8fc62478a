/**
 * May it go on? Looks at a rollout as it stands and takes every step that is due: this is asked after each event, so no
 * transition depends on which one was heard, and one that a crash swallowed is taken at the next.
 */

import { LAST } from '@swell/shared/domain/rank.ts';
import { type Rollout, SETTLED_KEPT } from '@swell/shared/domain/rollout.ts';
import { formatDuration } from '@swell/shared/kernel/units.ts';
import { unreachable } from '@swell/shared/kernel/unreachable.ts';
import { moveCursor } from './admission/admission.ts';
import { hasExpired } from './limits/cool-down.ts';
import { areOthersKnown, isShut } from './limits/dependencies.ts';
import { holdForGates, judgeGates, tellPassed } from './limits/gates.ts';
import { pacedCount } from './limits/pace.ts';
import { lineOf } from './nodes/line.ts';
import { isCensusComplete } from './nodes/look-out.ts';
import { countAttempts } from './nodes/tally.ts';
import { describePlace, firstPercent, nextPlace } from './stage/places.ts';
import { activeRegions, isWaitedFor, nextGroup, regionGroups } from './stage/regions.ts';
import { soakOf } from './stage/soak.ts';
import { enterStage } from './stage/stages.ts';
import { type ActiveRegion, judgeStage, judgeStaging, type StageVerdict } from './stage/verdict.ts';
import { policyOf, type ServiceState, withRecord, withRollout } from './state.ts';
import { tell } from './tell.ts';
import { abort } from './words/aborting.ts';
import { isApproved } from './words/approving.ts';
import { advanceHalting, halt } from './words/halting.ts';
import { watchProgress } from './words/pausing.ts';

/** Takes one step if one is due; the same state if none is. */
export function advance(state: ServiceState, nowMs: number): ServiceState {
  const { rollout } = state.record;
  if (rollout === undefined) return state;
  const { phase } = rollout;
  switch (phase.name) {
    case 'staging':
    case 'rolling':
    case 'soaking':
    case 'gated':
      return advanceUnderWay(state, rollout, nowMs);
    case 'halting':
      return isCensusComplete(state, nowMs) ? advanceHalting(state, rollout, phase.reason, nowMs) : state;
    case 'settled':
    case 'rested':
    case 'aborted':
      return state;
    default:
      return unreachable(phase);
  }
}

/** What has failed halts it, paused or not; whatever else is due waits for the operator and for the whole fleet's word. */
function advanceUnderWay(state: ServiceState, rollout: Rollout, nowMs: number): ServiceState {
  const regions = activeLines(state, rollout, nowMs);
  const verdict = judgeStage(rollout, regions, countAttempts(rollout, state.census), policyOf(state));
  if (verdict.is === 'lost')
    return halt(state, rollout, `${verdict.failed} of ${verdict.attempted} nodes failed`);
  if (hasExpired(rollout, nowMs)) return abort(state, rollout, 'it has expired');
  if (rollout.paused !== undefined || !isCensusComplete(state, nowMs)) return state;
  if (!areOthersKnown(state, rollout)) return state;
  const { phase } = rollout;
  if (phase.name === 'staging' || phase.name === 'rolling') {
    const elsewhere = leaveVoid(state, rollout, nowMs);
    if (elsewhere !== undefined) return elsewhere;
  }
  switch (phase.name) {
    case 'staging':
      return advanceStaging(state, rollout, regions, nowMs);
    case 'rolling':
      return advanceRolling(state, rollout, regions, verdict, nowMs);
    case 'soaking':
      return advanceSoaking(state, rollout, phase.sinceMs + soakOf(state, rollout), nowMs);
    case 'gated':
      // The policy asks for no approval any more, or there is nothing left that one could be given for.
      return policyOf(state).approval === 'automatic' || nextPlace(state, rollout, nowMs) === 'end'
        ? finishStage(state, rollout, nowMs)
        : state;
    default:
      return state;
  }
}

/** Nobody is in this group's regions, and no policy names them as a step of its own: it is passed over. */
function leaveVoid(state: ServiceState, rollout: Rollout, nowMs: number): ServiceState | undefined {
  const { grouping, group, regions } = rollout;
  const present = regionGroups(state, grouping)[group];
  if (present !== undefined && isWaitedFor(state, present, nowMs)) return undefined;
  const next = nextGroup(state, grouping, group + 1, nowMs);
  if (next !== undefined)
    return enterStage(
      state,
      { ...rollout, group: next, percent: firstPercent(state, policyOf(state), grouping, next, nowMs) },
      nowMs,
    );
  return Object.values(regions).some(({ cursor }) => cursor === LAST) ? settle(state, rollout) : undefined;
}

/** The regions whose turn it is, as they stand. */
export function activeLines(state: ServiceState, rollout: Rollout, nowMs: number): readonly ActiveRegion[] {
  return activeRegions(state, rollout).flatMap((region) => {
    const progress = rollout.regions[region];
    if (progress === undefined) return [];
    const line = lineOf(state.census, rollout, region, nowMs);
    return [{ line, progress, isClosed: isShut(rollout, region) }];
  });
}

function advanceStaging(
  state: ServiceState,
  rollout: Rollout,
  regions: readonly ActiveRegion[],
  nowMs: number,
): ServiceState {
  const verdict = judgeStaging(regions, policyOf(state));
  if (verdict.is === 'pending') return watchProgress(state, rollout, regions, verdict.steps, nowMs);
  const rolling: ServiceState = {
    ...withRollout(state, { ...rollout, phase: { name: 'rolling' } }),
    progress: { steps: -1, sinceMs: nowMs },
  };
  return tell(rolling, {
    name: 'stage-opened',
    rollout: rollout.release.rollout,
    line: `rollout ${rollout.release.rollout} of ${state.service}: ${describePlace(state, rollout)} opens`,
  });
}

function advanceRolling(
  state: ServiceState,
  rollout: Rollout,
  regions: readonly ActiveRegion[],
  verdict: Exclude<StageVerdict, { is: 'lost' }>,
  nowMs: number,
): ServiceState {
  const moved = withCursorsMoved(state, rollout, nowMs);
  if (moved !== state) return moved;
  if (verdict.is === 'pending') return watchProgress(state, rollout, regions, verdict.steps, nowMs);
  if (verdict.is === 'void') return passOver(state, rollout, regions, nowMs);
  const soaking = withRollout(state, { ...rollout, phase: { name: 'soaking', sinceMs: nowMs } });
  return tell(soaking, {
    name: 'stage-finished',
    rollout: rollout.release.rollout,
    line:
      `rollout ${rollout.release.rollout} of ${state.service}: ${describePlace(state, rollout)} is through, ` +
      `watched for ${formatDuration(soakOf(state, rollout))}`,
  });
}

/** There is nobody to be watched: the next stage has its turn. It settles only where somebody runs it. */
function passOver(
  state: ServiceState,
  rollout: Rollout,
  regions: readonly ActiveRegion[],
  nowMs: number,
): ServiceState {
  const isEnd = nextPlace(state, rollout, nowMs) === 'end';
  return isEnd && !isSomewhere(state, rollout, nowMs)
    ? watchProgress(state, rollout, regions, 0, nowMs)
    : finishStage(state, rollout, nowMs);
}

function isSomewhere(state: ServiceState, rollout: Rollout, nowMs: number): boolean {
  return Object.keys(rollout.regions).some((region) =>
    lineOf(state.census, rollout, region, nowMs).standings.includes('updated'),
  );
}

function withCursorsMoved(state: ServiceState, rollout: Rollout, nowMs: number): ServiceState {
  const moved = activeRegions(state, rollout).flatMap((region) => {
    const progress = rollout.regions[region];
    if (progress === undefined || isShut(rollout, region)) return [];
    const line = lineOf(state.census, rollout, region, nowMs);
    const cursor = moveCursor(progress, line, rollout.percent, pacedCount(state, rollout, region, line));
    return cursor === progress.cursor ? [] : [[region, { ...progress, cursor }] as const];
  });
  if (moved.length === 0) return state;
  return withRollout(state, { ...rollout, regions: { ...rollout.regions, ...Object.fromEntries(moved) } });
}

function advanceSoaking(
  state: ServiceState,
  rollout: Rollout,
  endsAtMs: number,
  nowMs: number,
): ServiceState {
  const gates = judgeGates(state, rollout, endsAtMs, nowMs);
  if (gates.is === 'lost') return halt(state, rollout, gates.why);
  if (nowMs < endsAtMs) return state;
  if (gates.is === 'pending') return holdForGates(state, rollout, { ...gates, endsAtMs }, nowMs);
  return finishStage(tellPassed(state, rollout), rollout, nowMs);
}

/** The stage was watched for long enough: the next one, the question for it, or the end. */
function finishStage(state: ServiceState, rollout: Rollout, nowMs: number): ServiceState {
  const next = nextPlace(state, rollout, nowMs);
  if (next === 'end') return settle(state, rollout);
  if (isApproved(state, rollout, next)) return enterStage(state, { ...rollout, ...next }, nowMs);
  return tell(withRollout(state, { ...rollout, phase: { name: 'gated' } }), {
    name: 'approval-awaited',
    rollout: rollout.release.rollout,
    line:
      `rollout ${rollout.release.rollout} of ${state.service} waits after ${describePlace(state, rollout)}: ` +
      'the word "approve" opens the next stage',
  });
}

function settle(state: ServiceState, rollout: Rollout): ServiceState {
  const { release } = rollout;
  // One that it comes back to is not kept twice: so many others are known.
  const others = state.record.settled.filter(
    ({ image, version }) => image.digest !== release.image.digest || version !== release.version,
  );
  const settled = [release, ...others].slice(0, SETTLED_KEPT);
  return tell(withRecord(state, { settled, rollout: { ...rollout, phase: { name: 'settled' } } }), {
    name: 'rollout-settled',
    rollout: release.rollout,
    line: `rollout ${release.rollout} of ${state.service} has settled: the fleet is on ${release.version}`,
  });
}
