/** Folds what was heard into what is known, whatever the phase. */

import { type SlotView, seenSlot, withFallen } from '@swell/shared/domain/slot.ts';
import { type Halt, PULSE_FRESH_MS, type Standing, type Wave } from '@swell/shared/domain/wave.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import type { AgentEvent, Told } from './events.ts';
import { reportStored } from './say.ts';
import { type ServiceState, withJournal } from './state.ts';

export function hear(state: ServiceState, event: AgentEvent, nowMs: number): ServiceState {
  switch (event.kind) {
    case 'observed':
      return event.era === state.era ? { ...state, observation: event.observation } : state;
    case 'connected':
      // Perhaps to another bus, or one made anew: what was known of slots is read again.
      return { ...state, connected: true, slots: new Map() };
    case 'disconnected':
      return { ...withoutSending(state), connected: false };
    case 'wave-heard':
      return hearWave(state, event.told);
    case 'halt-heard':
      return hearHalt(state, event.told);
    case 'orders-read':
      return hearTruth(state, event, nowMs);
    case 'pulse-heard':
      return hearPulse(state, event, nowMs);
    case 'slot-heard':
      return { ...state, slots: seenSlot(state.slots, event.slot, event.entry) };
    case 'slots-read':
      return { ...state, slots: readSlots(state.slots, event) };
    case 'image-staged':
      return { ...state, staged: event.digest };
    case 'report-stored':
      return reportStored(state, event.id);
    case 'report-not-stored':
      return state;
    case 'timer-fired':
      return event.timer === 'resend' ? withoutSending(state) : state;
    case 'stop-requested':
      return { ...state, stopping: true };
    default:
      return state;
  }
}

function readSlots(
  before: SlotView,
  { entries, fallen = new Map() }: Extract<AgentEvent, { kind: 'slots-read' }>,
): SlotView {
  const seen = [...entries].reduce<SlotView>((view, [slot, entry]) => seenSlot(view, slot, entry), before);
  return [...fallen].reduce<SlotView>((view, [slot, one]) => withFallen(view, slot, one), seen);
}

function withoutSending(state: ServiceState): ServiceState {
  const { sending: _, ...rest } = state;
  return rest;
}

/** The very same; another one of the same revision is what stands since the bus was set back. */
function isKnown<Order>(known: Standing<Order> | undefined, told: Told<Order>): boolean {
  return told.revision === known?.revision && sameValue(told.order, known.order);
}

/** I6. What is older than the newest that was ever seen is late, and says nothing. */
function hearWave(state: ServiceState, told: Told<Wave>): ServiceState {
  const { highest } = state.journal;
  if (told.revision < highest.wave || isKnown(state.wave, told)) return state;
  const known = withHighest(state, { ...highest, wave: told.revision });
  const { wave: _, ...rest } = known;
  return told.order === undefined ? rest : { ...known, wave: { order: told.order, revision: told.revision } };
}

function hearHalt(state: ServiceState, told: Told<Halt>): ServiceState {
  const { highest } = state.journal;
  if (told.revision < highest.halt || isKnown(state.halt, told)) return state;
  const known = withHighest(state, { ...highest, halt: told.revision });
  const { halt: _, ...rest } = known;
  return told.order === undefined ? rest : { ...known, halt: { order: told.order, revision: told.revision } };
}

/** A journal that says the same is the same one, and is not written to the disk again. */
function withHighest(state: ServiceState, highest: ServiceState['journal']['highest']): ServiceState {
  return sameValue(highest, state.journal.highest) ? state : withJournal(state, { highest });
}

/**
 * The leader's answer was the truth when it was asked: if even that is older than what had been seen by then, the bus has
 * gone back in time. What was heard while the answer was on its way may be newer, and proves nothing.
 */
function hearTruth(
  state: ServiceState,
  { asked, wave, halt, beyond = new Map(), word }: Extract<AgentEvent, { kind: 'orders-read' }>,
  nowMs: number,
): ServiceState {
  const known = { ...state, word: { read: word.read, wallOffsetMs: word.wallMs - nowMs } };
  if (wave.revision < asked.wave || halt.revision < asked.halt) return { ...known, frozen: true };
  const slots = readSlots(state.slots, { kind: 'slots-read', entries: beyond });
  return { ...hearHalt(hearWave({ ...known, slots }, wave), halt), frozen: false };
}

/** A leader that has been replaced may not know it yet; where the newer one has fallen silent, terms began anew. */
function hearPulse(
  state: ServiceState,
  { term, wave, halt }: { readonly term: number; readonly wave: number; readonly halt: number },
  nowMs: number,
): ServiceState {
  const { pulse } = state;
  const isReplaced = pulse !== undefined && term < pulse.term && nowMs - pulse.atMs < PULSE_FRESH_MS;
  return isReplaced ? state : { ...state, pulse: { atMs: nowMs, term, wave, halt } };
}
