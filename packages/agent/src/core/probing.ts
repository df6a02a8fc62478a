/** The time in which the new container shows whether it is well. */

import { formatDuration } from '@swell/shared/kernel/units.ts';
import type { ProbeOutcome } from './container.ts';
import { type Effect, timer } from './effects.ts';
import { endingInTheMiddle, revert, settle, type Work } from './ending.ts';
import type { AgentEvent } from './events.ts';
import { giveWay, mustGiveWay, withUnhealthy } from './one-way.ts';
import type { Step } from './outcome.ts';
import { type Attempt, type Phase, type ServiceState, withJournal, withPhase } from './state.ts';

type Probing = Extract<Phase, { name: 'probing' }>;

function ask({ id, health }: Attempt): Effect {
  return { kind: 'probe', attempt: id, probe: health.probe, timeoutMs: health.probeTimeoutMs };
}

/**
 * The next container of the service, until so many are left; asked again, it is the same one. Where there is no way back
 * all go over at once: the old ones are not to work on what the new ones have made of it.
 */
export function goOver({ attempt, left }: Pick<Work, 'attempt' | 'left'>): Effect {
  const goal = attempt.irreversible === true ? 0 : left;
  return { kind: 'cut-over', ...(goal !== undefined && { left: goal }) };
}

/** What is known of it, as far as it is. */
type Begun = { readonly [Name in keyof Work]: Work[Name] | undefined } & Pick<Work, 'attempt'>;

/** The new container runs, and is asked from the beginning how it is. */
export function beginProbing(
  state: ServiceState,
  { attempt, lease, left, beside }: Begun,
  nowMs: number,
): Step {
  const probing: Phase = {
    name: 'probing',
    attempt,
    sinceMs: nowMs,
    ...(lease !== undefined && { lease }),
    ...(left !== undefined && { left }),
    ...(beside !== undefined && { beside }),
  };
  return { state: withPhase(state, probing), effects: [ask(attempt)] };
}

/** The next container of the service is started beside the one whose place it takes. */
export function surge(state: ServiceState, { attempt, lease, left }: Work): Step {
  const surging: Phase = {
    name: 'surging',
    attempt,
    ...(lease !== undefined && { lease }),
    ...(left !== undefined && { left }),
  };
  return { state: withPhase(state, surging), effects: [{ kind: 'start-beside' }] };
}

export function stepProbing(state: ServiceState, phase: Probing, event: AgentEvent, nowMs: number): Step {
  const { attempt } = phase;
  const ending = endingInTheMiddle(state, attempt);
  if (ending !== undefined) return revert(state, phase, ending);
  if (mustGiveWay(state, attempt)) return giveWay(state, phase);
  switch (event.kind) {
    case 'probed':
      return event.attempt === attempt.id
        ? judgeProbe(state, phase, event.outcome, nowMs)
        : { state, effects: [] };
    case 'timer-fired':
      return event.timer === 'probe' ? { state, effects: [ask(attempt)] } : { state, effects: [] };
    default:
      return { state, effects: [] };
  }
}

function confirm(state: ServiceState, { attempt, lease }: Probing): Step {
  const confirming: Phase = { name: 'confirming', attempt, ...(lease !== undefined && { lease }) };
  return { state: withPhase(state, confirming), effects: [{ kind: 'confirm' }] };
}

/** One container of several is well; while it serves, the next one goes over. */
function followUp(state: ServiceState, { attempt, lease }: Probing, left: number): Step {
  const next = { attempt, left: left - 1, ...(lease !== undefined && { lease }) };
  return attempt.surges === true ? surge(state, next) : takeOver(state, next);
}

/** The old container stops, the new one takes its place. */
export function takeOver(state: ServiceState, { attempt, lease, left }: Work): Step {
  const swapping: Extract<Phase, { name: 'swapping' }> = {
    name: 'swapping',
    attempt,
    ...(left !== undefined && { left }),
    ...(lease !== undefined && { lease }),
  };
  return { state: withPhase(state, swapping), effects: [goOver(swapping)] };
}

/** There is no way back from what has been started: the rest goes over, too. */
export function goOn(state: ServiceState, { attempt, lease }: Work): Step {
  const { ending: _, ...open } = attempt;
  const work = { attempt: open, left: 0, ...(lease !== undefined && { lease }) };
  return takeOver(withJournal(state, { attempt: open }), work);
}

function judgeProbe(state: ServiceState, phase: Probing, outcome: ProbeOutcome, nowMs: number): Step {
  const { attempt, sinceMs } = phase;
  const { minHealthyTimeMs, healthyDeadlineMs, intervalMs } = attempt.health;
  if (outcome.healthy) {
    const healthySinceMs = phase.healthySinceMs ?? nowMs;
    if (nowMs - healthySinceMs >= minHealthyTimeMs) {
      if (phase.beside === true) return takeOver(state, phase);
      if (phase.left !== undefined) return followUp(state, phase, phase.left);
      const isUpdate = attempt.kind === 'update';
      return isUpdate && state.observation?.asks?.after === true
        ? confirm(state, phase)
        : settle(state, phase, { result: isUpdate ? 'healthy' : 'returned', reason: '' });
    }
    const restMs = Math.min(intervalMs, healthySinceMs + minHealthyTimeMs - nowMs);
    return { state: withPhase(state, { ...phase, healthySinceMs }), effects: [timer('probe', restMs)] };
  }
  // A way back goes on all the same: to settle it is to start its container again.
  const undone = attempt.kind === 'update' && attempt.irreversible !== true ? whyUndone(outcome) : undefined;
  if (undone !== undefined)
    return revert(state, phase, { result: 'interrupted', reason: `${undone}: ${outcome.seen}` });
  const { healthySinceMs: _, ...unhealthy } = phase;
  // Its time begins anew once it can be asked: to go back takes an engine that answers, too.
  if (outcome.unasked === true) {
    return {
      state: withPhase(state, { ...unhealthy, sinceMs: nowMs }),
      effects: [timer('probe', intervalMs)],
    };
  }
  const late = nowMs - sinceMs + intervalMs > healthyDeadlineMs;
  if (late || outcome.ended === true) {
    const reason = late
      ? `not healthy within ${formatDuration(healthyDeadlineMs)}: ${outcome.seen}`
      : `its container ended: ${outcome.seen}`;
    if (attempt.irreversible === true) {
      const known = withUnhealthy(withPhase(state, unhealthy), unhealthy, reason);
      return { state: known, effects: [timer('probe', intervalMs)] };
    }
    if (attempt.kind === 'update') return revert(state, phase, { result: 'failed', reason });
    // The last good image stays, well or not: there is nothing better, and the halted one is worse.
    if (phase.beside === true) return takeOver(state, phase);
    if (phase.left !== undefined) return followUp(state, phase, phase.left);
    return settle(state, phase, { result: 'returned', reason });
  }
  return { state: withPhase(state, unhealthy), effects: [timer('probe', intervalMs)] };
}

/** What was done to the new container behind our back. */
function whyUndone({ gone, wentBack }: ProbeOutcome): string | undefined {
  if (gone === true) return 'the new container was taken away';
  return wentBack === true ? 'the old container runs again' : undefined;
}
