/** The middle of an attempt: prepare, swap, probe, then settle or revert. It needs neither bus nor registry (I10). */

import type { Digest } from '@swell/shared/domain/image.ts';
import { unreachable } from '@swell/shared/kernel/unreachable.ts';
import { finish } from './attempt.ts';
import { timer } from './effects.ts';
import { endingInTheMiddle, isHaltedAttempt, revert, type Work } from './ending.ts';
import type { AgentEvent } from './events.ts';
import type { Step } from './outcome.ts';
import { ask, stepProbing } from './probing.ts';
import { type Phase, type ServiceState, withPhase } from './state.ts';

type SwapPhase = Extract<Phase, { name: 'preparing' | 'swapping' | 'probing' | 'settling' | 'reverting' }>;
type Of<Name extends SwapPhase['name']> = Extract<SwapPhase, { name: Name }>;

const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 4_000;
const RETRY = timer('retry', RETRY_MIN_MS, RETRY_MAX_MS);

export function stepSwap(state: ServiceState, phase: SwapPhase, event: AgentEvent, nowMs: number): Step {
  switch (phase.name) {
    case 'preparing':
      return stepPreparing(state, phase, event, nowMs);
    case 'swapping':
      return stepSwapping(state, phase, event, nowMs);
    case 'probing':
      return stepProbing(state, phase, event, nowMs);
    case 'settling':
      return stepSettling(state, phase, event, nowMs);
    case 'reverting':
      return stepReverting(state, phase, event, nowMs);
    default:
      return unreachable(phase);
  }
}

/** The new container is made beside the old one. Nothing has stopped yet, so any doubt ends it here. */
function stepPreparing(state: ServiceState, phase: Of<'preparing'>, event: AgentEvent, nowMs: number): Step {
  switch (event.kind) {
    case 'swap-prepared': {
      const { order: _, ...rest } = phase;
      const swapping = withPhase(state, { ...rest, name: 'swapping' });
      return unlessDoubted(state, phase, nowMs, { state: swapping, effects: [{ kind: 'cut-over' }] });
    }
    case 'swap-not-prepared':
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

/** Before each step that takes the old container further out: a halt, a lost slot or a stop ends it here. */
function unlessDoubted(
  state: ServiceState,
  phase: Of<'preparing' | 'swapping'>,
  nowMs: number,
  onward: Step,
): Step {
  const doubt = doubtBefore(state, phase, nowMs);
  return doubt === undefined ? onward : revert(state, phase, { result: 'interrupted', reason: doubt });
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
  switch (event.kind) {
    case 'swapped': {
      const { attempt, lease } = phase;
      const halted = endingInTheMiddle(state, attempt);
      if (halted !== undefined) return revert(state, phase, halted);
      const probing: Phase = {
        name: 'probing',
        attempt,
        sinceMs: nowMs,
        ...(lease !== undefined && { lease }),
      };
      return { state: withPhase(state, probing), effects: [ask(attempt)] };
    }
    case 'not-swapped':
      if (event.retryable) return unlessDoubted(state, phase, nowMs, { state, effects: [RETRY] });
      return phase.attempt.kind === 'update'
        ? revert(state, phase, { result: 'failed', reason: event.reason })
        : revert(state, phase, { result: 'interrupted', reason: event.reason });
    case 'timer-fired':
      return event.timer === 'retry'
        ? unlessDoubted(state, phase, nowMs, { state, effects: [{ kind: 'cut-over' }] })
        : stay(state);
    default:
      return stay(state);
  }
}

function stepSettling(state: ServiceState, phase: Of<'settling'>, event: AgentEvent, nowMs: number): Step {
  switch (event.kind) {
    case 'swap-committed':
      return finishSeen(state, phase, event.digests, nowMs);
    case 'swap-not-committed':
      return { state, effects: [RETRY] };
    case 'timer-fired':
      return event.timer === 'retry' ? { state, effects: [{ kind: 'commit-swap' }] } : stay(state);
    default:
      return stay(state);
  }
}

/** What was found well was perhaps another container, which somebody put there while it was probed. */
function finishSeen(
  state: ServiceState,
  { attempt, lease, ending }: Of<'settling'>,
  digests: readonly Digest[],
  nowMs: number,
): Step {
  const { digest, kind } = attempt;
  if (digest === undefined || digests.includes(digest) === (kind === 'update'))
    return finish(state, attempt, lease, ending, nowMs);
  const { observation } = state;
  const seen = { ...state, ...(observation !== undefined && { observation: { ...observation, digests } }) };
  const reason = 'another container was put in its place';
  return finish(seen, attempt, lease, { result: 'interrupted', reason }, nowMs);
}

function stepReverting(state: ServiceState, phase: Of<'reverting'>, event: AgentEvent, nowMs: number): Step {
  switch (event.kind) {
    case 'swap-undone':
      return finish(state, phase.attempt, phase.lease, phase.ending, nowMs);
    case 'swap-not-undone':
      return { state, effects: [RETRY] };
    case 'timer-fired':
      return event.timer === 'retry' ? { state, effects: [{ kind: 'undo-swap' }] } : stay(state);
    default:
      return stay(state);
  }
}

function stay(state: ServiceState): Step {
  return { state, effects: [] };
}
