/** Claiming a slot, and the look at the orders that follows it before anything starts (I2). */

import { swapOrder } from './attempt.ts';
import type { AgentEvent } from './events.ts';
import { freeSlot, renewTimer } from './lease.ts';
import { readOrders } from './look.ts';
import type { Step } from './outcome.ts';
import { say } from './say.ts';
import {
  type Attempt,
  type Goal,
  type Lease,
  type Phase,
  type ServiceState,
  withJournal,
  withPhase,
} from './state.ts';
import { withBegun } from './tried.ts';
import { obstacleToStart, want } from './want.ts';

type Claiming = Extract<Phase, { name: 'claiming' }>;
type Checking = Extract<Phase, { name: 'checking' }>;

export function stepClaim(
  state: ServiceState,
  phase: Claiming | Checking,
  event: AgentEvent,
  nowMs: number,
): Step {
  if (phase.name === 'claiming') return stepClaiming(state, phase, event);
  switch (event.kind) {
    case 'orders-read':
      // An answer to what was asked before the claim may be older than a halt that the claim came after.
      return event.asked.fence === phase.fence ? check(state, phase, nowMs) : { state, effects: [] };
    case 'orders-not-read':
      return event.asked.fence === phase.fence
        ? giveUp(state, phase.attempt, phase.lease)
        : { state, effects: [] };
    case 'disconnected':
      return giveUp(state, phase.attempt, phase.lease);
    default:
      return { state, effects: [] };
  }
}

function stepClaiming(state: ServiceState, phase: Claiming, event: AgentEvent): Step {
  if (event.kind === 'slot-claimed' && event.slot === phase.slot) {
    const lease = {
      slot: event.slot,
      revision: event.revision,
      untilMs: phase.sentAtMs + phase.attempt.leaseMs,
    };
    const fence = event.revision;
    const checking = withPhase(state, { name: 'checking', attempt: phase.attempt, lease, fence });
    return { state: checking, effects: [readOrders(state, fence), renewTimer(phase.attempt)] };
  }
  if (event.kind === 'slot-not-claimed' && event.slot === phase.slot) {
    // The next look tells whether another one is free; its entry came with the refusal.
    const seen = event.entry === undefined ? state.slots : new Map(state.slots).set(event.slot, event.entry);
    const waiting = withPhase({ ...state, slots: seen }, { name: 'queued', claimIsTimed: false });
    return { state: waiting, effects: event.entry === undefined ? [{ kind: 'read-slots' }] : [] };
  }
  return { state, effects: [] };
}

/** I2. Admitted, slot held, wave re-read after the claim, wave fresh: then, and only then, it begins. */
function check(state: ServiceState, { attempt, lease, fence }: Checking, nowMs: number): Step {
  const wanted = want(state);
  const meant = wanted.kind === 'go' && isStillMeant(wanted.goal, attempt) ? wanted.goal : undefined;
  if (meant === undefined || obstacleToStart(state, nowMs) !== undefined || nowMs >= lease.untilMs) {
    return giveUp(state, attempt, lease);
  }
  const { pulse } = state;
  const told = say(withBegun(withJournal(state, { attempt }), attempt), {
    rollout: attempt.rollout,
    status: attempt.kind === 'update' ? 'updating' : 'returning',
    attempt: attempt.id,
    warrant: {
      waveRevision: meant.wave.revision,
      slot: lease.slot,
      fence,
      ...(pulse !== undefined &&
        meant.wave.order.phase !== 'settled' && { pulseAgeMs: Math.round(nowMs - pulse.atMs) }),
    },
  });
  const order = swapOrder(state, meant, attempt);
  return {
    state: withPhase(told, { name: 'preparing', attempt, order, lease }),
    effects: [{ kind: 'prepare-swap', order }],
  };
}

function isStillMeant(goal: Goal, attempt: Attempt): boolean {
  if (goal.kind === 'return') return attempt.kind === 'return' && goal.halt.rollout === attempt.rollout;
  return attempt.kind === 'update' && goal.release.rollout === attempt.rollout;
}

function giveUp(state: ServiceState, attempt: Attempt, lease: Lease): Step {
  return {
    state: withPhase(state, { name: 'idle' }),
    effects: [freeSlot(state, attempt, lease), { kind: 'observe' }],
  };
}
