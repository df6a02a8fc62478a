/** Claiming a slot, and the look at the orders that follows it before anything starts (I2). */

import { type SlotEntry, type SlotView, slotsBeyond } from '@swell/shared/domain/slot.ts';
import { swapOrder } from './attempt.ts';
import { consider } from './consider.ts';
import type { AgentEvent } from './events.ts';
import { freeSlot, renewTimer } from './lease.ts';
import { observe, REREAD_SLOTS, readBehind } from './look.ts';
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

/** Where nothing came of a claim, whatever the cause, the bus is left alone for a moment. */
const REST_MS = 5_000;

export function stepClaiming(state: ServiceState, phase: Claiming, event: AgentEvent, nowMs: number): Step {
  if (event.kind === 'slot-claimed' && event.slot === phase.slot)
    return claimed(state, phase, event.revision);
  if (event.kind !== 'slot-not-claimed' || event.slot !== phase.slot) return { state, effects: [] };
  const waiting = withPhase(state, { name: 'queued', slotsAreRead: true, claimIsTimed: false });
  return event.entry === undefined
    ? claimUnknown(waiting, event, nowMs)
    : claimRefused(waiting, event, event.entry, nowMs);
}

function claimed(state: ServiceState, { attempt, slot, sentAtMs }: Claiming, fence: number): Step {
  const lease = { slot, revision: fence, untilMs: sentAtMs + attempt.leaseMs };
  const checking = withPhase(state, { name: 'checking', attempt, lease, fence });
  return { state: checking, effects: [readBehind(state, { slot, revision: fence }), renewTimer(attempt)] };
}

/** It may have been stored: then the slots show it, and it is given back. */
function claimUnknown(state: ServiceState, event: AgentEvent, nowMs: number): Step {
  const { state: next, effects } = consider({ ...state, restUntilMs: nowMs + REST_MS }, event, nowMs);
  return { state: next, effects: [{ kind: 'read-slots' }, ...effects] };
}

/** The refusal came with the leader's word on that slot, which stands even where it is older: a bucket made anew. */
function claimRefused(
  state: ServiceState,
  event: Extract<AgentEvent, { kind: 'slot-not-claimed' }>,
  entry: SlotEntry,
  nowMs: number,
): Step {
  const slots = new Map(state.slots).set(event.slot, entry);
  const { state: next, effects } = consider({ ...state, slots }, event, nowMs);
  return { state: next, effects: [REREAD_SLOTS, ...effects] };
}

export function stepChecking(state: ServiceState, phase: Checking, event: AgentEvent, nowMs: number): Step {
  const { attempt, lease } = phase;
  switch (event.kind) {
    case 'orders-read':
      // An answer to what was asked before the claim may be older than a halt that the claim came after.
      return event.asked.fence === phase.fence
        ? check(state, phase, event.beyond ?? new Map(), nowMs)
        : { state, effects: [] };
    case 'orders-not-read':
      return event.asked.fence === phase.fence
        ? giveUp(state, attempt, lease, nowMs)
        : { state, effects: [] };
    case 'disconnected':
      return giveUp(state, attempt, lease, nowMs);
    case 'slot-not-renewed':
      return event.lost && event.slot === lease.slot
        ? giveUp(state, attempt, undefined, nowMs)
        : { state, effects: [] };
    default:
      return { state, effects: [] };
  }
}

/** I2. Admitted, slot held (and the wave still has it), wave re-read after the claim, wave fresh: then it begins. */
function check(
  state: ServiceState,
  { attempt, lease, fence }: Checking,
  beyond: SlotView,
  nowMs: number,
): Step {
  const wanted = want(state);
  const meant = wanted.kind === 'go' && isStillMeant(wanted.goal, attempt) ? wanted.goal : undefined;
  const { slots = 0 } = meant?.wave.order ?? {};
  const isOurs = lease.slot < slots && nowMs < lease.untilMs && isDrained(state, slots, beyond);
  if (meant === undefined || !isOurs || obstacleToStart(state, nowMs) !== undefined)
    return giveUp(state, attempt, lease, nowMs);
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
    state: withPhase({ ...told, era: told.era + 1 }, { name: 'preparing', attempt, order, lease }),
    effects: [{ kind: 'prepare-swap', order }],
  };
}

/** Are the slots that the wave has lost known to be free, as of our claim? Who claims one of them later looks behind it. */
function isDrained({ slots: view }: ServiceState, slots: number, read: SlotView): boolean {
  return slotsBeyond(view, slots).every((slot) => read.has(slot) && view.get(slot)?.holder === undefined);
}

function isStillMeant(goal: Goal, attempt: Attempt): boolean {
  if (goal.kind === 'return') return attempt.kind === 'return' && goal.halt.rollout === attempt.rollout;
  return attempt.kind === 'update' && goal.release.rollout === attempt.rollout;
}

function giveUp(state: ServiceState, attempt: Attempt, lease: Lease | undefined, nowMs: number): Step {
  const idle = withPhase({ ...state, restUntilMs: nowMs + REST_MS }, { name: 'idle' });
  const freed = lease === undefined ? [] : [freeSlot(state, attempt, lease)];
  return { state: idle, effects: [{ kind: 'clear-timer', timer: 'renew' }, ...freed, observe(idle)] };
}
