/** The phases in which nothing has begun: idle, staging, staged, queued. */

import { rankOf } from '@swell/shared/domain/rank.ts';
import { freeSlots, type HeldSlot } from '@swell/shared/domain/slot.ts';
import type { Release } from '@swell/shared/domain/wave.ts';
import { unreachable } from '@swell/shared/kernel/unreachable.ts';
import { type Effect, timer } from './effects.ts';
import type { AgentEvent } from './events.ts';
import { holderOf } from './lease.ts';
import { objectionNow } from './leave.ts';
import { REREAD_SLOTS } from './look.ts';
import type { Step } from './outcome.ts';
import { say } from './say.ts';
import { type Attempt, type Goal, type ServiceState, withPhase } from './state.ts';
import { nextId, triedOf } from './tried.ts';
import { obstacleToStart, type Want, want } from './want.ts';

const STAGE_RETRY_MIN_MS = 2_000;
const STAGE_RETRY_MAX_MS = 120_000;
/** A claim that wakes with many others waits up to this long. */
const CLAIM_SPREAD_MAX_MS = 1_000;
const CLAIM_SPREAD_PER_WAITER_MS = 5;
/** By admission, no more nodes than this wait for each slot. */
const WAITERS_PER_SLOT = 4;

export function consider(state: ServiceState, event: AgentEvent, nowMs: number): Step {
  const wanted = want(state);
  switch (wanted.kind) {
    case 'rest':
      return rested(state);
    case 'refuse':
      return rested(sayRefused(state, wanted));
    case 'keep':
      return rested(say(state, { rollout: wanted.rollout, status: 'kept', reason: wanted.why }));
    case 'be-done':
      return rested(sayDone(state, wanted.release));
    case 'stage':
      return stage(state, event, wanted.release, wanted.soon);
    case 'stay-staged':
      return stayStaged(state, wanted.release);
    case 'go':
      return go(state, event, wanted.goal, nowMs);
    default:
      return unreachable(wanted);
  }
}

/** Once; and before it, once, that it stays on what was halted. */
function sayRefused(
  state: ServiceState,
  { release, why, kept }: Extract<Want, { kind: 'refuse' }>,
): ServiceState {
  const { said } = state.journal;
  const isKnown = said?.rollout === release.rollout && said.status === 'refused';
  const told =
    kept === undefined || isKnown
      ? state
      : say(state, { rollout: kept.rollout, status: 'kept', reason: kept.why });
  return say(told, { rollout: release.rollout, status: 'refused', reason: why });
}

/** N2. Already there: it says so once, and does nothing. One that somebody has stopped is not called well. */
function sayDone(state: ServiceState, release: Release): ServiceState {
  const { said } = state.journal;
  if (state.observation?.state !== 'running') return state;
  const known = said?.rollout === release.rollout && (said.status === 'healthy' || said.status === 'kept');
  return known
    ? state
    : say(state, {
        rollout: release.rollout,
        status: 'healthy',
        running: release.image.digest,
        reason: 'it was on this image already',
      });
}

function rested(state: ServiceState): Step {
  if (state.phase.name === 'idle') return { state, effects: [] };
  const effects: readonly Effect[] = [
    { kind: 'clear-timer', timer: 'stage' },
    { kind: 'clear-timer', timer: 'claim' },
  ];
  return { state: withPhase(state, { name: 'idle' }), effects };
}

function stage(state: ServiceState, event: AgentEvent, release: Release, soon: boolean): Step {
  const { phase } = state;
  if (phase.name !== 'staging' || phase.release.image.digest !== release.image.digest) {
    const spreadMs = soon ? 0 : (state.wave?.order.stagingSpreadMs ?? 0);
    const staging = withPhase(state, { name: 'staging', release, soon, isPulling: false, tries: 0 });
    return { state: staging, effects: [timer('stage', 0, spreadMs)] };
  }
  if (event.kind === 'timer-fired' && event.timer === 'stage' && !phase.isPulling) {
    const pulling = withPhase(state, { ...phase, isPulling: true });
    return { state: pulling, effects: [{ kind: 'stage-image', image: release.image }] };
  }
  if (event.kind === 'image-not-staged' && event.digest === release.image.digest) {
    const told = say(state, { rollout: release.rollout, status: 'stage-failed', reason: event.reason });
    const delayMs = Math.min(STAGE_RETRY_MAX_MS, STAGE_RETRY_MIN_MS * 2 ** phase.tries);
    // Many nodes stand behind one address, and are all told the same.
    const askedMs = event.retryAfterMs ?? 0;
    return {
      state: withPhase(told, { ...phase, isPulling: false, tries: phase.tries + 1 }),
      effects: [timer('stage', askedMs + delayMs / 2, askedMs + askedMs / 4 + delayMs)],
    };
  }
  if (!soon || phase.soon) return { state, effects: [] };
  // Its turn came while it still waited for its place in the downloads.
  const isWaiting = !phase.isPulling && phase.tries === 0;
  return { state: withPhase(state, { ...phase, soon }), effects: isWaiting ? [timer('stage', 0)] : [] };
}

function stayStaged(state: ServiceState, release: Release): Step {
  const told = say(state, { rollout: release.rollout, status: 'staged' });
  if (state.phase.name === 'staged') return { state: told, effects: [] };
  return { state: withPhase(told, { name: 'staged' }), effects: [{ kind: 'clear-timer', timer: 'claim' }] };
}

function go(state: ServiceState, event: AgentEvent, goal: Goal, nowMs: number): Step {
  const told = goal.kind === 'update' ? sayStaged(state, goal.release.rollout) : state;
  const closed = told.word === undefined ? undefined : objectionNow(told, nowMs);
  // Nobody waits for who may not stop his container now; he takes his turn when he may.
  if (closed !== undefined && goal.kind === 'update')
    return rested(sayRefused(state, { kind: 'refuse', release: goal.release, why: closed }));
  if (obstacleToStart(told, nowMs) !== undefined) {
    const waiting = withPhase(told, { name: 'staged' });
    const restMs = state.restUntilMs - nowMs;
    return { state: waiting, effects: restMs > 0 ? [timer('claim', restMs + 1)] : [] };
  }
  const { slots } = goal.wave.order;
  const { phase } = told;
  if (phase.name !== 'queued') {
    const queued = withPhase(told, { name: 'queued', slotsAreRead: false, claimIsTimed: false });
    return { state: queued, effects: [{ kind: 'read-slots' }, REREAD_SLOTS] };
  }
  // I1. Where a wave has fewer slots than the one before, those still held beyond its end have to be known.
  const slotsAreRead = phase.slotsAreRead || event.kind === 'slots-read';
  if (slotsAreRead && event.kind === 'timer-fired' && event.timer === 'claim')
    return claim(told, goal, nowMs);
  const claimIsTimed = phase.claimIsTimed || (slotsAreRead && freeSlots(told.slots, slots).length > 0);
  const queued = withPhase(told, { name: 'queued', slotsAreRead, claimIsTimed });
  return { state: queued, effects: claimIsTimed && !phase.claimIsTimed ? [claimTimer(slots)] : [] };
}

/** Nodes whose turn came before they had downloaded have staged as well. */
function sayStaged(state: ServiceState, rollout: number): ServiceState {
  const { said } = state.journal;
  const hasSpoken = said?.rollout === rollout && said.status !== 'stage-failed' && said.status !== 'refused';
  return hasSpoken || triedOf(state, rollout).update.begun > 0
    ? state
    : say(state, { rollout, status: 'staged' });
}

function claimTimer(slots: number): Effect {
  const waiters = WAITERS_PER_SLOT * slots;
  return timer('claim', 0, Math.min(CLAIM_SPREAD_MAX_MS, CLAIM_SPREAD_PER_WAITER_MS * waiters));
}

function claim(state: ServiceState, goal: Goal, nowMs: number): Step {
  const free = freeSlots(state.slots, goal.wave.order.slots);
  const chosen = choose(state, free);
  if (chosen === undefined) {
    const waiting = withPhase(state, { name: 'queued', slotsAreRead: true, claimIsTimed: false });
    return { state: waiting, effects: [REREAD_SLOTS] };
  }
  const attempt = attemptFor(state, goal);
  const claiming = withPhase(state, { name: 'claiming', attempt, slot: chosen.slot, sentAtMs: nowMs });
  const holder = holderOf(claiming, attempt);
  return {
    state: claiming,
    effects: [{ kind: 'claim-slot', slot: chosen.slot, expect: chosen.revision, holder }],
  };
}

/** Waiting nodes spread over the free slots by their rank, so that few try the same one. */
function choose(state: ServiceState, free: readonly HeldSlot[]): HeldSlot | undefined {
  const rank = rankOf(`${state.wave?.order.seed ?? ''}/slot`, state.self.node);
  return free[Math.floor(rank * free.length)];
}

function attemptFor(state: ServiceState, goal: Goal): Attempt {
  const { order } = goal.wave;
  const rollout = goal.kind === 'update' ? goal.release.rollout : goal.halt.rollout;
  return {
    id: nextId(state, rollout, goal.kind),
    kind: goal.kind,
    rollout,
    digest: goal.kind === 'update' ? goal.release.image.digest : goal.halt.digest,
    ...(goal.kind === 'update' && goal.release.retry !== undefined && { retry: goal.release.retry }),
    health: order.health,
    leaseMs: order.slotLeaseMs,
    ...(order.stopTimeoutMs !== undefined && { stopTimeoutMs: order.stopTimeoutMs }),
    ...(order.maxSurge === 1 && { surges: true }),
    ...(goal.kind === 'update' && goal.release.irreversible === true && { irreversible: true }),
    drain: order.drain,
    rejoin: order.rejoin,
  };
}
