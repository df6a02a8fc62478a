/** What is looked at again, since it might have been missed; and how the answers are told from late ones. */

import { type HeldSlot, slotsBeyond } from '@swell/shared/domain/slot.ts';
import { type Effect, type Timer, timer } from './effects.ts';
import type { AgentEvent } from './events.ts';
import { renew } from './lease.ts';
import { objectionTo } from './leave.ts';
import { type ServiceState, work } from './state.ts';

const LOOK_MIN_MS = 45_000;
const LOOK_MAX_MS = 75_000;
const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 5_000;

/** A freed slot whose message was lost is found by looking again. */
export const REREAD_SLOTS = timer('slots', 15_000, 45_000);
export const LOOK_AGAIN = timer('look', LOOK_MIN_MS, LOOK_MAX_MS);

export function observe({ era }: ServiceState): Effect {
  return { kind: 'observe', era };
}

export function readOrders({ journal }: ServiceState): Effect {
  return { kind: 'read-orders', asked: journal.highest };
}

/** The look behind a claim: at the orders, and at slots that the wave has lost, which somebody may hold still (I1). */
export function readBehind({ journal, wave, slots: view }: ServiceState, ours: HeldSlot): Effect {
  const slots = slotsBeyond(view, wave?.order.slots ?? 0);
  const asked = { ...journal.highest, fence: ours.revision };
  return { kind: 'read-orders', asked, ...(slots.length > 0 && { beyond: { ours, slots } }) };
}

/** What an event asks for whatever the phase. */
export function look(state: ServiceState, event: AgentEvent): readonly Effect[] {
  switch (event.kind) {
    case 'connected':
      return [readOrders(state), { kind: 'read-slots' }];
    case 'wave-heard':
      return isHeldBack(state) ? [readOrders(state)] : [];
    case 'pulse-heard':
      return isBehind(state, event) ? [readOrders(state)] : [];
    case 'report-not-stored':
      return [timer('resend', RETRY_MIN_MS, RETRY_MAX_MS)];
    case 'container-changed':
      return isAtRest(state) ? [observe(state)] : [];
    case 'not-observed':
      return [timer('observe', RETRY_MIN_MS, RETRY_MAX_MS)];
    case 'timer-fired':
      return onTimer(state, event.timer);
    default:
      return [];
  }
}

/** The operator may have taken back what holds this node: with a new wave he is asked again. */
function isHeldBack(state: ServiceState): boolean {
  const { wave, connected } = state;
  return connected && wave !== undefined && objectionTo(state, wave.order.release) !== undefined;
}

function isBehind(
  { wave, halt, journal }: ServiceState,
  pulse: { readonly wave: number; readonly halt: number },
): boolean {
  return pulse.wave > (wave?.revision ?? 0) || pulse.halt > (halt?.revision ?? journal.highest.halt);
}

/** Nothing is being done to the service's container, so that it may be looked at. */
function isAtRest(state: ServiceState): boolean {
  return work(state.phase) === undefined;
}

function onTimer(state: ServiceState, name: Timer): readonly Effect[] {
  switch (name) {
    case 'look': {
      const orders: readonly Effect[] = state.connected ? [readOrders(state), { kind: 'read-slots' }] : [];
      return isAtRest(state) ? [observe(state), ...orders, LOOK_AGAIN] : [...orders, LOOK_AGAIN];
    }
    case 'slots':
      return state.phase.name === 'queued' && state.connected ? [{ kind: 'read-slots' }, REREAD_SLOTS] : [];
    case 'renew':
      return renew(state);
    case 'observe':
      return isAtRest(state) ? [observe(state)] : [];
    default:
      return [];
  }
}
