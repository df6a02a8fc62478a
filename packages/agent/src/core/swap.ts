/** The middle of an attempt: prepare, ask, drain, swap, probe, confirm, settle or revert, rejoin. It needs neither bus nor registry (I10). */

import type { Digest } from '@swell/shared/domain/image.ts';
import { unreachable } from '@swell/shared/kernel/unreachable.ts';
import { finish } from './attempt.ts';
import { timer } from './effects.ts';
import { endingInTheMiddle, isHaltedAttempt, revert, settle, type Work } from './ending.ts';
import type { AgentEvent } from './events.ts';
import { objectionNow, objectionTo, objectionToChange } from './leave.ts';
import { giveWay, mustGiveWay, withUnhealthy } from './one-way.ts';
import type { Step } from './outcome.ts';
import { beginProbing, goOn, goOver, stepProbing, surge, takeOver } from './probing.ts';
import { type Ending, type Phase, type ServiceState, withJournal, withPhase } from './state.ts';
import { tryAgain } from './stuck.ts';
import { drain, isDrained, rejoin, stepDraining, stepRejoining } from './traffic.ts';

type SwapPhase = Extract<
  Phase,
  {
    name:
      | 'preparing'
      | 'asking'
      | 'draining'
      | 'surging'
      | 'swapping'
      | 'probing'
      | 'confirming'
      | 'settling'
      | 'reverting'
      | 'rejoining';
  }
>;
type Of<Name extends SwapPhase['name']> = Extract<SwapPhase, { name: Name }>;

const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 4_000;
const RETRY = timer('retry', RETRY_MIN_MS, RETRY_MAX_MS);

export function stepSwap(state: ServiceState, phase: SwapPhase, event: AgentEvent, nowMs: number): Step {
  switch (phase.name) {
    case 'preparing':
      return stepPreparing(state, phase, event, nowMs);
    case 'asking':
      return stepAsking(state, phase, event, nowMs);
    case 'draining':
      return stepDrained(state, phase, event, nowMs);
    case 'swapping':
      return stepSwapping(state, phase, event, nowMs);
    case 'surging':
      return stepSurging(state, phase, event, nowMs);
    case 'probing':
      return stepProbingOf(state, phase, event, nowMs);
    case 'confirming':
      return stepConfirming(state, phase, event, nowMs);
    case 'settling':
      return stepSettling(state, phase, event, nowMs);
    case 'reverting':
      return stepReverting(state, phase, event, nowMs);
    case 'rejoining':
      return stepRejoining(state, phase, event, nowMs);
    default:
      return unreachable(phase);
  }
}

/** The new container is made beside the old one. Nothing has stopped yet, so any doubt ends it here. */
function stepPreparing(state: ServiceState, phase: Of<'preparing'>, event: AgentEvent, nowMs: number): Step {
  switch (event.kind) {
    case 'swap-prepared': {
      // A way back is not asked for: what runs was halted.
      const isAsked = phase.attempt.kind === 'update' && state.observation?.asks?.before === true;
      const onward = isAsked ? askLeave(state, phase) : leaveGiven(state, phase, nowMs);
      return unlessDoubted(state, phase, nowMs, onward);
    }
    case 'swap-not-prepared':
      // It may last: somebody else has the slot meanwhile.
      if (event.lacksRoom === true)
        return revert(state, phase, { result: 'interrupted', reason: event.reason, deferred: true });
      return event.retryable
        ? unlessDoubted(state, phase, nowMs, { state, effects: [RETRY] })
        : refused(state, phase, event);
    case 'timer-fired': {
      if (event.timer !== 'retry') return stay(state);
      return unlessDoubted(state, phase, nowMs, {
        state,
        effects: [{ kind: 'prepare-swap', order: phase.order }],
      });
    }
    default:
      return stay(state);
  }
}

function askLeave(state: ServiceState, { attempt, lease }: Work): Step {
  const asking: Phase = { name: 'asking', attempt, ...(lease !== undefined && { lease }) };
  return { state: withPhase(state, asking), effects: [{ kind: 'ask-leave', attempt: attempt.id }] };
}

/** The application has the last word on whether its container may stop (B6). */
function stepAsking(state: ServiceState, phase: Of<'asking'>, event: AgentEvent, nowMs: number): Step {
  // A hook may run for an hour: what it says in the end is no answer to the attempt that came after.
  if (event.kind !== 'leave-answered' || event.attempt !== phase.attempt.id)
    return unlessDoubted(state, phase, nowMs, stay(state));
  const { leave } = event;
  switch (leave.is) {
    case 'given':
      return unlessDoubted(state, phase, nowMs, leaveGiven(state, phase, nowMs));
    case 'deferred':
      return revert(state, phase, { result: 'interrupted', reason: leave.why, deferred: true });
    case 'vetoed':
      return revert(state, phase, { result: 'interrupted', reason: leave.why, final: true });
    default:
      return unreachable(leave);
  }
}

function leaveGiven(state: ServiceState, phase: Work, nowMs: number): Step {
  if (phase.attempt.surges === true) return surge(state, phase);
  return isDrained(phase.attempt) ? drain(state, phase, nowMs) : takeOver(state, phase);
}

/** The new container starts while the old one serves. */
function stepSurging(state: ServiceState, phase: Of<'surging'>, event: AgentEvent, nowMs: number): Step {
  switch (event.kind) {
    case 'started-beside':
      return unlessEnded(
        state,
        phase,
        nowMs,
        event.isBeside
          ? beginProbing(state, { ...phase, beside: true }, nowMs)
          : stopFirst(state, phase, nowMs),
      );
    case 'not-swapped':
      if (event.retryable) return unlessEnded(state, phase, nowMs, { state, effects: [RETRY] });
      return notSwapped(state, phase, event);
    case 'timer-fired':
      return event.timer === 'retry' ? unlessEnded(state, phase, nowMs, surge(state, phase)) : stay(state);
    default:
      return unlessEnded(state, phase, nowMs, stay(state));
  }
}

/** The two cannot run side by side: from here on it is an attempt like any other. */
function stopFirst(state: ServiceState, phase: Of<'surging'>, nowMs: number): Step {
  const { surges: _, ...attempt } = phase.attempt;
  const known = withJournal(state, { attempt });
  return leaveGiven(known, { ...phase, attempt }, nowMs);
}

/** While the old container serves, whatever speaks against its stop ends the attempt. */
function stepProbingOf(state: ServiceState, phase: Of<'probing'>, event: AgentEvent, nowMs: number): Step {
  const onward = stepProbing(state, phase, event, nowMs);
  const isServing = phase.beside === true && phase.left === undefined;
  return isServing && onward.state.phase.name !== 'reverting'
    ? unlessDoubted(state, phase, nowMs, onward)
    : onward;
}

/** The old container serves those who are on it, and nobody comes any more. */
function stepDrained(state: ServiceState, phase: Of<'draining'>, event: AgentEvent, nowMs: number): Step {
  const drained = stepDraining(phase, event, nowMs);
  const onward =
    drained === 'over'
      ? takeOver(state, phase)
      : { state: withPhase(state, drained.phase), effects: drained.effects };
  return unlessDoubted(state, phase, nowMs, onward);
}

/** Before each step that takes the old container further out: a halt, a lost slot or a stop ends it here. */
function unlessDoubted(
  state: ServiceState,
  phase: Of<'preparing' | 'asking' | 'draining' | 'surging' | 'swapping' | 'probing'>,
  nowMs: number,
  onward: Step,
): Step {
  const doubt = doubtBefore(state, phase, nowMs);
  if (doubt !== undefined) return revert(state, phase, { result: 'interrupted', reason: doubt });
  const objection = objectionBefore(state, phase, nowMs);
  return objection === undefined
    ? onward
    : revert(state, phase, { result: 'interrupted', reason: objection, deferred: true });
}

/** I12. What the operator has said since it began, or a window that has closed meanwhile. */
function objectionBefore(state: ServiceState, { attempt }: Work, nowMs: number): string | undefined {
  const { release } = state.wave?.order ?? {};
  const isMeant = attempt.kind === 'update' && release?.rollout === attempt.rollout;
  return objectionNow(state, nowMs) ?? (isMeant ? objectionTo(state, release) : objectionToChange(state));
}

function doubtBefore(state: ServiceState, { attempt, lease }: Work, nowMs: number): string | undefined {
  if (state.stopping) return 'the agent is stopping';
  if (lease === undefined || nowMs >= lease.untilMs) return 'its slot was lost before the swap';
  if (isHaltedAttempt(state, attempt)) return 'the rollout was halted before the swap';
  return undefined;
}

/** The engine will not carry this over next time either, which says nothing about the release. */
function refused(
  state: ServiceState,
  phase: Of<'preparing'>,
  { reason, imageIsGone }: Extract<AgentEvent, { kind: 'swap-not-prepared' }>,
): Step {
  if (phase.attempt.kind === 'return') return revert(state, phase, { result: 'kept', reason });
  if (imageIsGone !== true) return revert(state, phase, { result: 'interrupted', reason, final: true });
  // Pruned since it was staged, as by a nightly clean-up: it is brought here once more.
  const { staged: _, ...unstaged } = state;
  return revert(unstaged, phase, { result: 'interrupted', reason });
}

function stepSwapping(state: ServiceState, phase: Of<'swapping'>, event: AgentEvent, nowMs: number): Step {
  if (mustGiveWay(state, phase.attempt)) return giveWay(state, phase);
  switch (event.kind) {
    case 'swapped': {
      const { attempt, lease } = phase;
      const halted = endingInTheMiddle(state, attempt);
      if (halted !== undefined) return revert(state, phase, halted);
      return beginProbing(state, { attempt, lease, left: event.left }, nowMs);
    }
    case 'not-swapped':
      if (event.retryable) return unlessEnded(state, phase, nowMs, { state, effects: [RETRY] });
      return notSwapped(state, phase, event);
    case 'timer-fired':
      return event.timer === 'retry'
        ? unlessEnded(state, phase, nowMs, { state, effects: [goOver(phase)] })
        : stay(state);
    default:
      return stay(state);
  }
}

/** The new container does not start: a word on the image, where it is a new one and nobody took it away. */
function notSwapped(
  state: ServiceState,
  phase: Of<'surging' | 'swapping'>,
  { reason, isGone }: Extract<AgentEvent, { kind: 'not-swapped' }>,
): Step {
  if (phase.attempt.irreversible === true && phase.left !== undefined)
    return { state: withUnhealthy(state, phase, reason), effects: [RETRY] };
  const result = phase.attempt.kind === 'update' && isGone !== true ? 'failed' : 'interrupted';
  return revert(state, phase, { result, reason });
}

/** With its first container gone over, a node is out: from then on only a halt turns it back. */
function unlessEnded(
  state: ServiceState,
  phase: Of<'surging' | 'swapping'>,
  nowMs: number,
  onward: Step,
): Step {
  if (phase.left === undefined) return unlessDoubted(state, phase, nowMs, onward);
  const ending = endingInTheMiddle(state, phase.attempt);
  return ending === undefined ? onward : revert(state, phase, ending);
}

/** What its own hook finds after the update counts like a probe. */
function stepConfirming(
  state: ServiceState,
  phase: Of<'confirming'>,
  event: AgentEvent,
  nowMs: number,
): Step {
  const ending = endingInTheMiddle(state, phase.attempt);
  if (ending !== undefined) return revert(state, phase, ending);
  switch (event.kind) {
    case 'confirmed':
      return event.why === undefined
        ? settle(state, phase, { result: 'healthy', reason: '' })
        : notConfirmed(state, phase, event.why, nowMs);
    case 'not-confirmed':
      return { state, effects: [RETRY] };
    case 'timer-fired':
      return event.timer === 'retry' ? { state, effects: [{ kind: 'confirm' }] } : stay(state);
    default:
      return stay(state);
  }
}

function notConfirmed(state: ServiceState, phase: Of<'confirming'>, why: string, nowMs: number): Step {
  if (phase.attempt.irreversible !== true) return revert(state, phase, { result: 'failed', reason: why });
  const known = withUnhealthy(state, phase, why);
  const { attempt = phase.attempt } = known.journal;
  const probing = beginProbing(known, { ...phase, attempt }, nowMs);
  return { state: probing.state, effects: [timer('probe', attempt.health.intervalMs)] };
}

function stepSettling(state: ServiceState, phase: Of<'settling'>, event: AgentEvent, nowMs: number): Step {
  switch (event.kind) {
    case 'swap-committed':
      return finishSeen(state, phase, event.digests, nowMs);
    case 'swap-not-committed':
      return tryAgain(state, phase, event.reason, nowMs);
    case 'timer-fired':
      return event.timer === 'retry' ? { state, effects: [{ kind: 'commit-swap' }] } : stay(state);
    default:
      return stay(state);
  }
}

/** What was found well was perhaps another container, which somebody put there while it was probed. */
function finishSeen(
  state: ServiceState,
  phase: Of<'settling'>,
  digests: readonly Digest[],
  nowMs: number,
): Step {
  const { digest, kind } = phase.attempt;
  // Not well, it does not come back into rotation.
  if (phase.ending.stays === true) return finish(state, phase.attempt, phase.lease, phase.ending, nowMs);
  if (digest === undefined || digests.includes(digest) === (kind === 'update'))
    return rejoin(state, phase, phase.ending, nowMs);
  const { observation } = state;
  const seen = { ...state, ...(observation !== undefined && { observation: { ...observation, digests } }) };
  const ending: Ending = { result: 'interrupted', reason: 'another container was put in its place' };
  return rejoin(seen, phase, ending, nowMs);
}

function stepReverting(state: ServiceState, phase: Of<'reverting'>, event: AgentEvent, nowMs: number): Step {
  switch (event.kind) {
    case 'swap-undone':
      return rejoin(state, phase, phase.ending, nowMs);
    case 'swap-not-undone':
      return event.isOneWay === true ? goOn(state, phase) : tryAgain(state, phase, event.reason, nowMs);
    case 'timer-fired':
      return event.timer === 'retry' ? { state, effects: [{ kind: 'undo-swap' }] } : stay(state);
    default:
      return stay(state);
  }
}

function stay(state: ServiceState): Step {
  return { state, effects: [] };
}
