/**
 * The coordinator's core for one service.
 *
 *     step(state, event, nowMs) → { state, effects }
 *
 * The shell's order is: step, save `state.record` if it changed, acknowledge, perform the effects. `nowMs` is the bus's
 * clock. What is heard is folded in first; then the rollout is looked at until no further step is due; then the
 * difference between what ought to stand on the bus and what does becomes effects.
 */

import { unreachable } from '@swell/shared/kernel/unreachable.ts';
import { keepMinimumVersion } from './admission/minimum-version.ts';
import { advance } from './advance.ts';
import type { CoordinatorEvent } from './events.ts';
import { heedDependencies } from './limits/dependencies.ts';
import { askGates, takeAnswer } from './limits/gates.ts';
import { countOpenTime } from './limits/pace.ts';
import { keepWindows } from './limits/windows.ts';
import { withReports, withSightings } from './nodes/census.ts';
import { tellFailures } from './nodes/failures.ts';
import { loseSlots } from './nodes/losses.ts';
import { publishOrders, withSeen, withStored } from './orders.ts';
import type { Step } from './outcome.ts';
import { takePolicy, withoutPolicy } from './policy.ts';
import { delayCandidate, pinCandidate, resolveCandidate } from './release/candidate.ts';
import { beginDue, rejectCandidate, takeRelease } from './release/intake.ts';
import { lookAtTag, takeHint } from './release/looking.ts';
import { notPublished, overtakenBy, publishRelease } from './release/publishing.ts';
import { missSight, takeSight, weighSight } from './release/watching.ts';
import { begin } from './set-back.ts';
import { keepRegions, regroup } from './stage/stages.ts';
import { drawsOf, type ServiceState } from './state.ts';
import { told } from './tell.ts';
import { keepPast } from './view/past.ts';
import { takeControl } from './words/control.ts';
import { heedElsewhere } from './words/heeding.ts';

/** More steps than any rollout can have due at once: beyond it, two of them undo each other. */
const STEPS_MAX = 1_000;

export function step(state: ServiceState, event: CoordinatorEvent, nowMs: number): Step {
  const heard = hear(countOpenTime(state, nowMs), event, nowMs);
  if (!heard.ready) return heard.isSetBack === true ? publishSayings(heard) : { state: heard, effects: [] };
  const begun = keepRegions(regroup(beginDue(heedElsewhere(heard), nowMs), nowMs), nowMs);
  const named = keepMinimumVersion(heedDependencies(keepWindows(begun, nowMs), nowMs), nowMs);
  const { state: kept, effects: cleared } = loseSlots(named, nowMs);
  const advanced = keepPast(state, advanceAll(kept, nowMs), nowMs);
  const { state: ordered, effects: orders } = publishOrders(weighSight(advanced, nowMs));
  const { state: asked, effects: questions } = resolveCandidate(ordered, nowMs);
  const { state: published, effects: releases } = publishRelease(asked);
  const { state: watched, effects: gates } = askGates(published, nowMs);
  const { state: looking, effects: looks } = lookAtTag(watched, nowMs);
  const { state: said, effects: sayings } = publishSayings(tellFailures(looking));
  return {
    state: said,
    effects: [...orders, ...cleared, ...questions, ...releases, ...gates, ...looks, ...sayings],
  };
}

function hear(state: ServiceState, event: CoordinatorEvent, nowMs: number): ServiceState {
  switch (event.kind) {
    case 'bus-read':
      return begin(state, nowMs);
    case 'time-passed':
      return state;
    case 'release-published':
      return takeRelease(state, event.at, event.release);
    case 'control-given':
      return takeControl(state, event.at, event.control, nowMs);
    case 'policy-written':
      return takePolicy(state, event.at, event.policy);
    case 'policy-deleted':
      return withoutPolicy(state, event.at);
    case 'image-resolved':
      return pinCandidate(state, event.rollout, event);
    case 'image-not-resolved':
      return event.retrying
        ? delayCandidate(state, event.rollout, event, nowMs)
        : rejectCandidate(state, event.rollout, event.reason);
    case 'release-overtaken':
      return overtakenBy(state, event.publication, event.last);
    case 'release-not-published':
      return notPublished(state, event.publication, event.reason);
    case 'gate-answered':
      return takeAnswer(state, event.asking, event.answer);
    case 'tag-seen':
      return takeSight(state, event, nowMs);
    case 'tag-not-seen':
      return missSight(state, event, nowMs);
    case 'tag-hinted':
      return takeHint(state, event.hint);
    case 'nodes-seen':
      return { ...state, census: withSightings(state.census, event.nodes, drawsOf(state)) };
    case 'reports-read':
      return { ...state, census: withReports(state.census, event.reports, drawsOf(state)) };
    case 'slot-seen': {
      const known = state.slots.get(event.region) ?? new Map();
      const sighting = { entry: event.entry, heardAtMs: event.heardAtMs };
      return {
        ...state,
        slots: new Map(state.slots).set(event.region, new Map(known).set(event.slot, sighting)),
      };
    }
    case 'wave-seen':
    case 'wave-stored': {
      const place = (event.kind === 'wave-seen' ? withSeen : withStored)(
        state.waves.get(event.region),
        event.revision,
        event.wave,
      );
      return { ...state, waves: new Map(state.waves).set(event.region, place) };
    }
    case 'halt-seen':
      return { ...state, halt: withSeen(state.halt, event.revision, event.halt, event.unreadable) };
    case 'halt-stored':
      return { ...state, halt: withStored(state.halt, event.revision, event.halt) };
    case 'halt-elsewhere':
      return { ...state, elsewhere: new Map(state.elsewhere).set(event.halt.rollout, event.halt) };
    case 'event-stored':
      return told(state, event.id);
    default:
      return unreachable(event);
  }
}

function advanceAll(state: ServiceState, nowMs: number): ServiceState {
  let before = state;
  for (let steps = 0; steps < STEPS_MAX; steps += 1) {
    const after = advance(before, nowMs);
    if (after === before) return after;
    before = after;
  }
  throw new Error(`the rollout of ${state.service} finds no rest`);
}

function publishSayings(state: ServiceState): Step {
  const untold = state.record.outbox.filter(({ id }) => !state.telling.has(id));
  if (untold.length === 0) return { state, effects: [] };
  const telling = new Set([...state.telling, ...untold.map(({ id }) => id)]);
  return { state: { ...state, telling }, effects: untold.map((event) => ({ kind: 'tell', event })) };
}
