/** Words of the operator: each one message, each answered by an event, harmless when repeated. */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { ControlIntent } from '@swell/shared/domain/intent.ts';
import type { Place } from '@swell/shared/domain/place.ts';
import { isUnderWay, type Rollout } from '@swell/shared/domain/rollout.ts';
import type { Parsed } from '@swell/shared/kernel/parsed.ts';
import { unreachable } from '@swell/shared/kernel/unreachable.ts';
import { unheeding } from '../limits/dependencies.ts';
import { dropCandidate } from '../release/candidate.ts';
import { approveProposal, rejectProposal } from '../release/proposals.ts';
import { type ServiceState, withRecord } from '../state.ts';
import { isNew, markOf, withTaken } from '../taken.ts';
import { abort } from './aborting.ts';
import { type Asked, applied, refused } from './answering.ts';
import { approve } from './approving.ts';
import { haltBy } from './halting.ts';
import { describeHeld, hold, unhold } from './holding.ts';
import { pause, resume } from './pausing.ts';
import { retry } from './retrying.ts';
import { rollBack, undo } from './undoing.ts';

export function takeControl(
  state: ServiceState,
  at: Place,
  parsed: Parsed<ControlIntent>,
  nowMs: number,
): ServiceState {
  const { controlsTaken } = state.record;
  if (!isNew(at, controlsTaken)) return state;
  const taken = withRecord(state, { controlsTaken: withTaken(controlsTaken, at) });
  const asked = { action: parsed.ok ? parsed.value.action : 'control', mark: markOf(at) };
  if (!parsed.ok) return refused(taken, asked, parsed.problems);
  const intent = parsed.value;
  if ('digest' in intent)
    return (intent.action === 'reject' ? rejectProposal : approveProposal)(taken, intent.digest, asked);
  if (intent.action === 'hold')
    return answer(taken, asked, hold(taken, intent.hold), describeHeld(taken, intent.hold));
  if (intent.action === 'unhold') return answer(taken, asked, unhold(taken, intent.nodes));
  const { rollout, candidate, publishing } = state.record;
  const number = rollout?.release.rollout;
  // It stands on the stream in a moment, or does already: only then can it be stopped with the rest.
  if (intent.action === 'abort' && intent.rollout === undefined && publishing !== undefined)
    return refused(taken, asked, [`${publishing.release.version} is just being published: say it again`]);
  if (candidate !== undefined && stops(intent, candidate.rollout)) {
    const dropped = dropCandidate(taken, candidate, 'rollout-aborted', 'aborted');
    const present = rollout !== undefined && intent.rollout === undefined && isUnderWay(rollout);
    return applied(present ? abort(dropped, rollout, because(intent)) : dropped, asked);
  }
  if (rollout === undefined) {
    const yet =
      candidate === undefined ? '' : `: release ${candidate.rollout} has not begun, and "abort" drops it`;
    return refused(taken, asked, [`there is no rollout yet${yet}`]);
  }
  if (intent.rollout !== undefined && intent.rollout !== number) {
    return refused(taken, asked, [`rollout: the present rollout is ${number}, not ${intent.rollout}`]);
  }
  // These are answered once their release is known to be published.
  if (intent.action === 'undo') return undo(taken, rollout, asked);
  if (intent.action === 'rollback') return rollBack(taken, rollout, intent.version, asked);
  return answer(taken, asked, obey(taken, rollout, intent, nowMs));
}

type OfRollout = Exclude<ControlIntent, { action: 'hold' | 'unhold' } | { digest: Digest }>;
type Obeyed = Exclude<OfRollout, { action: 'undo' | 'rollback' }>;

/** What was done, or why nothing. */
function answer(state: ServiceState, asked: Asked, done: ServiceState | string, what?: string): ServiceState {
  return typeof done === 'string' ? refused(state, asked, [done]) : applied(done, asked, what);
}

/** Does the word stop a release that has not begun? A halt has to name it: else it means what the fleet is on. */
function stops({ action, rollout }: OfRollout, candidate: number): boolean {
  return action === 'abort'
    ? rollout === undefined || rollout === candidate
    : action === 'halt' && rollout === candidate;
}

function because({ reason }: OfRollout): string {
  return reason ?? 'by an operator';
}

/** The state after the word, or why it does not apply. */
function obey(state: ServiceState, rollout: Rollout, intent: Obeyed, nowMs: number): ServiceState | string {
  const reason = because(intent);
  const is = `rollout ${rollout.release.rollout} is ${rollout.paused === undefined ? rollout.phase.name : 'paused'}`;
  switch (intent.action) {
    case 'approve':
      return approve(state, rollout, intent.toPercent, nowMs) ?? `nothing waits for approval: ${is}`;
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
      return haltBy(state, rollout, reason, intent.stay);
    case 'abort':
      if (rollout.phase.name === 'aborted') return state;
      return isUnderWay(rollout) ? abort(state, rollout, reason) : `there is nothing to abort: ${is}`;
    case 'retry':
      return retry(state, rollout, nowMs);
    default:
      return unreachable(intent);
  }
}
