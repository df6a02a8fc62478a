/**
 * May it go on? Looks at a rollout as it stands and takes every step that is due: this is asked after each event, so no
 * transition depends on which one was heard, and one that a crash swallowed is taken at the next.
 */

import type { FleetEvent } from '@swell/shared/domain/event.ts';
import { shortDigest } from '@swell/shared/domain/image.ts';
import type { Policy } from '@swell/shared/domain/policy.ts';
import type { Rollout } from '@swell/shared/domain/rollout.ts';
import { formatDuration } from '@swell/shared/kernel/units.ts';
import { unreachable } from '@swell/shared/kernel/unreachable.ts';
import { moveCursor } from './admission.ts';
import { everybody, hasToReturn, inLine, isPresent } from './census.ts';
import { activeRegions, describePlace, enterStage, nextPlace, placeMark } from './stages.ts';
import { policyOf, type ServiceState, withRecord, withRollout } from './state.ts';
import { tell } from './tell.ts';
import { type ActiveRegion, judgeStage, judgeStaging, type StageVerdict } from './verdict.ts';

const SETTLED_KEPT = 8;
const HALTED_KEPT = 64;

/** Takes one step if one is due; the same state if none is. */
export function advance(state: ServiceState, nowMs: number): ServiceState {
  const { rollout } = state.record;
  if (rollout === undefined) return state;
  const { phase } = rollout;
  switch (phase.name) {
    case 'staging':
      return rollout.paused === undefined ? advanceStaging(state, rollout, nowMs) : state;
    case 'rolling':
      return rollout.paused === undefined
        ? advanceRolling(state, rollout, nowMs)
        : haltIfLost(state, rollout, nowMs);
    case 'soaking':
      return advanceSoaking(state, rollout, phase.untilMs, nowMs);
    case 'gated':
      return haltIfLost(state, rollout, nowMs);
    case 'halting':
      return advanceHalting(state, rollout, phase.reason, nowMs);
    case 'settled':
    case 'rested':
    case 'aborted':
      return state;
    default:
      return unreachable(phase);
  }
}

function advanceStaging(state: ServiceState, rollout: Rollout, nowMs: number): ServiceState {
  const judged = haltIfLost(state, rollout, nowMs);
  if (judged !== state) return judged;
  const verdict = judgeStaging(rollout, activeLines(state, rollout, nowMs), policyOf(state));
  if (verdict.is !== 'won') return watchProgress(state, rollout, verdict, nowMs, 'has the image');
  const rolling: ServiceState = {
    ...withRollout(state, { ...rollout, phase: { name: 'rolling' } }),
    progress: { steps: -1, sinceMs: nowMs },
  };
  return tell(rolling, {
    name: 'stage-opened',
    mark: placeMark(rollout),
    rollout: rollout.release.rollout,
    line: `rollout ${rollout.release.rollout} of ${state.service}: ${describePlace(state, rollout)} opens`,
  });
}

function advanceRolling(state: ServiceState, rollout: Rollout, nowMs: number): ServiceState {
  const policy = policyOf(state);
  const verdict = judge(state, rollout, nowMs, policy);
  if (verdict.is === 'lost') return haltForFailures(state, rollout, verdict);
  const moved = withCursorsMoved(state, rollout, nowMs, policy);
  if (moved !== state) return moved;
  if (verdict.is === 'pending') return watchProgress(state, rollout, verdict, nowMs, 'is healthy');
  const soaking = withRollout(state, {
    ...rollout,
    phase: { name: 'soaking', untilMs: nowMs + policy.soakMs },
  });
  return tell(soaking, {
    name: 'stage-finished',
    mark: placeMark(rollout),
    rollout: rollout.release.rollout,
    line:
      `rollout ${rollout.release.rollout} of ${state.service}: ${describePlace(state, rollout)} is through, ` +
      `watched for ${formatDuration(policy.soakMs)}`,
  });
}

function withCursorsMoved(
  state: ServiceState,
  rollout: Rollout,
  nowMs: number,
  policy: Policy,
): ServiceState {
  const percent = policy.stagesPercent[rollout.stage] ?? 100;
  const moved = activeRegions(state, rollout).flatMap((region) => {
    const progress = rollout.regions[region];
    if (progress === undefined) return [];
    const cursor = moveCursor(rollout, progress, inLine(state.census, region, nowMs), percent);
    return cursor === progress.cursor ? [] : [[region, { ...progress, cursor }] as const];
  });
  if (moved.length === 0) return state;
  return withRollout(state, { ...rollout, regions: { ...rollout.regions, ...Object.fromEntries(moved) } });
}

function advanceSoaking(state: ServiceState, rollout: Rollout, untilMs: number, nowMs: number): ServiceState {
  const judged = haltIfLost(state, rollout, nowMs);
  if (judged !== state || rollout.paused !== undefined || nowMs < untilMs) return judged;
  const next = nextPlace(state, rollout, nowMs);
  if (next === 'end') return settle(state, rollout);
  if (policyOf(state).approval === 'automatic') return enterStage(state, { ...rollout, ...next }, nowMs);
  return tell(withRollout(state, { ...rollout, phase: { name: 'gated' } }), {
    name: 'approval-awaited',
    mark: placeMark(rollout),
    rollout: rollout.release.rollout,
    line:
      `rollout ${rollout.release.rollout} of ${state.service} waits after ${describePlace(state, rollout)}: ` +
      'the word "approve" opens the next stage',
  });
}

function settle(state: ServiceState, rollout: Rollout): ServiceState {
  const { release } = rollout;
  const settled = [release, ...state.record.settled].slice(0, SETTLED_KEPT);
  return tell(withRecord(state, { settled, rollout: { ...rollout, phase: { name: 'settled' } } }), {
    name: 'rollout-settled',
    rollout: release.rollout,
    line: `rollout ${release.rollout} of ${state.service} has settled: the fleet is on ${release.version}`,
  });
}

/** K4. Nobody waits for the silent; but where nobody at all gets further, a person must look. */
function watchProgress(
  state: ServiceState,
  rollout: Rollout,
  verdict: StageVerdict,
  nowMs: number,
  what: string,
): ServiceState {
  const steps = verdict.is === 'pending' ? verdict.steps : 0;
  if (steps > state.progress.steps) return { ...state, progress: { steps, sinceMs: nowMs } };
  const { progressDeadlineMs } = policyOf(state);
  if (nowMs - state.progress.sinceMs < progressDeadlineMs) return state;
  return pause(state, rollout, `no further node ${what} for ${formatDuration(progressDeadlineMs)}`, nowMs);
}

export function pause(state: ServiceState, rollout: Rollout, reason: string, nowMs: number): ServiceState {
  return tell(withRollout(state, { ...rollout, paused: { sinceMs: nowMs, reason } }), {
    name: 'rollout-paused',
    mark: nowMs,
    rollout: rollout.release.rollout,
    line: `rollout ${rollout.release.rollout} of ${state.service} is paused: ${reason}`,
  });
}

function haltIfLost(state: ServiceState, rollout: Rollout, nowMs: number): ServiceState {
  const verdict = judge(state, rollout, nowMs, policyOf(state));
  return verdict.is === 'lost' ? haltForFailures(state, rollout, verdict) : state;
}

function judge(state: ServiceState, rollout: Rollout, nowMs: number, policy: Policy): StageVerdict {
  return judgeStage(rollout, activeLines(state, rollout, nowMs), everybody(state.census), policy);
}

function activeLines(state: ServiceState, rollout: Rollout, nowMs: number): readonly ActiveRegion[] {
  return activeRegions(state, rollout).flatMap((region) => {
    const progress = rollout.regions[region];
    return progress === undefined ? [] : [{ line: inLine(state.census, region, nowMs), progress }];
  });
}

function haltForFailures(
  state: ServiceState,
  rollout: Rollout,
  { failed, attempted }: { readonly failed: number; readonly attempted: number },
): ServiceState {
  return halt(state, rollout, `${failed} of ${attempted} nodes failed`);
}

/** From now on the digest is known as bad (B12), and what the fleet has settled on is what it was before. */
export function halt(state: ServiceState, rollout: Rollout, reason: string): ServiceState {
  const { rollout: number, image, version } = rollout.release;
  const { paused: _, ...unpaused } = rollout;
  const halted = [{ rollout: number, digest: image.digest, version, reason }, ...state.record.halted];
  const stopped = withRecord(state, {
    rollout: { ...unpaused, phase: { name: 'halting', reason } },
    halted: halted.slice(0, HALTED_KEPT),
    settled: state.record.settled.filter((release) => release.image.digest !== image.digest),
  });
  const event: Omit<FleetEvent, 'id' | 'service'> = {
    name: 'rollout-halted',
    rollout: number,
    line: `rollout ${number} of ${state.service} (${version}, ${shortDigest(image.digest)}) is halted: ${reason}`,
  };
  return tell(stopped, event);
}

/** The rollout rests once no present node has anything left to return from. */
function advanceHalting(state: ServiceState, rollout: Rollout, reason: string, nowMs: number): ServiceState {
  const waiting = everybody(state.census).some(
    (facts) => isPresent(facts, nowMs) && hasToReturn(facts, rollout),
  );
  if (waiting) return state;
  return tell(withRollout(state, { ...rollout, phase: { name: 'rested', reason } }), {
    name: 'rollout-rested',
    rollout: rollout.release.rollout,
    line: `rollout ${rollout.release.rollout} of ${state.service} rests: every node that is there has gone back`,
  });
}
