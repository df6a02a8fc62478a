/** Words of the operator: each one message, each answered by an event, harmless when repeated. */

import type { ControlIntent } from '@swell/shared/domain/intent.ts';
import type { Place } from '@swell/shared/domain/place.ts';
import { isUnderWay, type Rollout } from '@swell/shared/domain/rollout.ts';
import type { Parsed } from '@swell/shared/kernel/parsed.ts';
import { unreachable } from '@swell/shared/kernel/unreachable.ts';
import { abort } from './aborting.ts';
import { dropCandidate } from './candidate.ts';
import { unheeding } from './dependencies.ts';
import { halt } from './halting.ts';
import { pause, resume } from './pausing.ts';
import { describePlace, nextPlace } from './places.ts';
import { enterStage } from './stages.ts';
import { type ServiceState, withRecord } from './state.ts';
import { isNew, markOf, withTaken } from './taken.ts';
import { tell } from './tell.ts';

export function takeControl(
  state: ServiceState,
  at: Place,
  parsed: Parsed<ControlIntent>,
  nowMs: number,
): ServiceState {
  const { controlsTaken } = state.record;
  if (!isNew(at, controlsTaken)) return state;
  const taken = withRecord(state, { controlsTaken: withTaken(controlsTaken, at) });
  if (!parsed.ok) return refuse(taken, at, 'control', parsed.problems);
  const intent = parsed.value;
  const { rollout, candidate } = state.record;
  const number = rollout?.release.rollout;
  if (candidate !== undefined && stops(intent, candidate.rollout)) {
    const dropped = dropCandidate(taken, candidate, 'rollout-aborted', 'aborted');
    const present = rollout !== undefined && intent.rollout === undefined && isUnderWay(rollout);
    return apply(present ? abort(dropped, rollout, because(intent)) : dropped, at, intent);
  }
  if (rollout === undefined) return refuse(taken, at, intent.action, ['there is no rollout yet']);
  if (intent.rollout !== undefined && intent.rollout !== number) {
    return refuse(taken, at, intent.action, [
      `rollout: the present rollout is ${number}, not ${intent.rollout}`,
    ]);
  }
  const done = obey(taken, rollout, intent, nowMs);
  return typeof done === 'string' ? refuse(taken, at, intent.action, [done]) : apply(done, at, intent);
}

/** Does the word stop a release that has not begun? A halt has to name it: else it means what the fleet is on. */
function stops({ action, rollout }: ControlIntent, candidate: number): boolean {
  return action === 'abort'
    ? rollout === undefined || rollout === candidate
    : action === 'halt' && rollout === candidate;
}

function because({ reason }: ControlIntent): string {
  return reason ?? 'by an operator';
}

/** The state after the word, or why it does not apply. */
function obey(
  state: ServiceState,
  rollout: Rollout,
  intent: ControlIntent,
  nowMs: number,
): ServiceState | string {
  const reason = because(intent);
  const is = `rollout ${rollout.release.rollout} is ${rollout.paused === undefined ? rollout.phase.name : 'paused'}`;
  switch (intent.action) {
    case 'approve':
      return rollout.phase.name === 'gated' && rollout.paused === undefined
        ? approve(state, rollout, nowMs)
        : `nothing waits for approval: ${is}`;
    case 'pause':
      if (!isUnderWay(rollout)) return `there is nothing to pause: ${is}`;
      return rollout.paused === undefined || rollout.paused.byDependency === true
        ? pause(state, rollout, reason, nowMs)
        : state;
    case 'resume':
      if (!isUnderWay(rollout)) return `there is nothing to resume: ${is}`;
      return rollout.paused === undefined
        ? state
        : resume(state, { ...unheeding(rollout), paused: rollout.paused }, nowMs);
    case 'halt':
      if (rollout.phase.name === 'halting' || rollout.phase.name === 'rested') return state;
      return halt(state, rollout, reason);
    case 'abort':
      if (rollout.phase.name === 'aborted') return state;
      return isUnderWay(rollout) ? abort(state, rollout, reason) : `there is nothing to abort: ${is}`;
    default:
      return unreachable(intent.action);
  }
}

function approve(state: ServiceState, rollout: Rollout, nowMs: number): ServiceState {
  const approved = tell(state, {
    name: 'stage-approved',
    rollout: rollout.release.rollout,
    line: `rollout ${rollout.release.rollout} of ${state.service}: ${describePlace(state, rollout)} is approved`,
  });
  const next = nextPlace(state, rollout, nowMs);
  // A policy that lost its later stages meanwhile: what was waited for is the end.
  return next === 'end' ? approved : enterStage(approved, { ...rollout, ...next }, nowMs);
}

function apply(state: ServiceState, at: Place, { action }: ControlIntent): ServiceState {
  return tell(state, {
    name: 'control-applied',
    mark: markOf(at),
    line: `${action} of ${state.service}: done`,
  });
}

function refuse(state: ServiceState, at: Place, action: string, problems: readonly string[]): ServiceState {
  const line = `${action} of ${state.service} is refused: ${problems.join('; ')}`;
  return tell(state, { name: 'control-rejected', mark: markOf(at), problems, line });
}
