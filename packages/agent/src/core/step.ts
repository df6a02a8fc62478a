/**
 * The agent's core for one service on one node.
 *
 *     step(state, event, nowMs) → { state, effects }
 *
 * The shell's order is: step, save `state.journal` if it changed, perform the effects. `nowMs` is a monotonic clock.
 * What is heard is folded in; if the service rests, {@link consider} asks what it ought to do; in the middle of an
 * attempt the phase's own function answers; reports and orphaned slots are seen to at every step.
 */

import { unreachable } from '@swell/shared/kernel/unreachable.ts';
import { stepClaim } from './claim.ts';
import { consider } from './consider.ts';
import { type Effect, type Timer, timer } from './effects.ts';
import type { AgentEvent } from './events.ts';
import { hear } from './hear.ts';
import { renew, seeLease } from './lease.ts';
import type { Step } from './outcome.ts';
import { recover } from './recover.ts';
import { sendNext } from './say.ts';
import { type ServiceState, work } from './state.ts';
import { stepSwap } from './swap.ts';

/** What might have been missed is read again this often. */
const LOOK_MIN_MS = 45_000;
const LOOK_MAX_MS = 75_000;
const RESEND_MIN_MS = 1_000;
const RESEND_MAX_MS = 5_000;

export function begin(state: ServiceState): Step {
  return { state, effects: [{ kind: 'observe' }, timer('look', LOOK_MIN_MS, LOOK_MAX_MS)] };
}

export function step(state: ServiceState, event: AgentEvent, nowMs: number): Step {
  const heard = hear(state, event, nowMs);
  const effects = [...onEveryPhase(state, event)];
  const leased = seeLease(heard, event, nowMs);
  const acted = act(leased.state, event, nowMs);
  const sent = sendNext(acted.state);
  return { state: sent.state, effects: [...effects, ...leased.effects, ...acted.effects, ...sent.effects] };
}

function act(state: ServiceState, event: AgentEvent, nowMs: number): Step {
  if (!state.recovered)
    return event.kind === 'observed' ? recover(state, event.observation, nowMs) : { state, effects: [] };
  const { phase } = state;
  switch (phase.name) {
    case 'idle':
    case 'staging':
    case 'staged':
    case 'queued':
      return consider(state, event, nowMs);
    case 'claiming':
    case 'checking':
      return stepClaim(state, phase, event, nowMs);
    case 'preparing':
    case 'swapping':
    case 'probing':
    case 'settling':
    case 'reverting':
      return stepSwap(state, phase, event, nowMs);
    default:
      return unreachable(phase);
  }
}

/** What an event asks for whatever the phase. */
function onEveryPhase(state: ServiceState, event: AgentEvent): readonly Effect[] {
  switch (event.kind) {
    case 'connected':
      return [{ kind: 'read-orders' }, { kind: 'read-slots' }];
    case 'pulse-heard': {
      const behind =
        event.wave > (state.wave?.revision ?? 0) ||
        event.halt > (state.halt?.revision ?? state.journal.highest.halt);
      return behind ? [{ kind: 'read-orders' }] : [];
    }
    case 'report-not-stored':
      return [timer('resend', RESEND_MIN_MS, RESEND_MAX_MS)];
    case 'container-changed':
      return isAtRest(state) ? [{ kind: 'observe' }] : [];
    case 'timer-fired':
      return onTimer(state, event.timer);
    case 'not-observed':
      return [timer('retry', RESEND_MIN_MS, RESEND_MAX_MS)];
    default:
      return [];
  }
}

/** Nothing is being done to the service's container, so that it may be looked at. */
function isAtRest(state: ServiceState): boolean {
  return work(state.phase) === undefined;
}

function onTimer(state: ServiceState, name: Timer): readonly Effect[] {
  switch (name) {
    case 'look':
      return look(state);
    case 'renew':
      return renew(state);
    case 'retry':
      return isAtRest(state) ? [{ kind: 'observe' }] : [];
    default:
      return [];
  }
}

function look(state: ServiceState): readonly Effect[] {
  const again = timer('look', LOOK_MIN_MS, LOOK_MAX_MS);
  const orders: readonly Effect[] = state.connected ? [{ kind: 'read-orders' }, { kind: 'read-slots' }] : [];
  return isAtRest(state) ? [{ kind: 'observe' }, ...orders, again] : [...orders, again];
}
