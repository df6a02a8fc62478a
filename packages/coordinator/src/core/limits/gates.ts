/** May it go on by what Prometheus says? Gates are asked while a stage is watched, and stand before what follows it. */

import {
  type Gate,
  type GateAnswer,
  type GateSubject,
  isAskedByRegion,
  queryFor,
  queryForOthers,
} from '@swell/shared/domain/gate.ts';
import type { Region } from '@swell/shared/domain/names.ts';
import type { Candidate, Rollout } from '@swell/shared/domain/rollout.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import { formatDuration } from '@swell/shared/kernel/units.ts';
import { presentNodes } from '../nodes/line.ts';
import { isCensusComplete } from '../nodes/look-out.ts';
import type { Step } from '../outcome.ts';
import { describePlace } from '../stage/places.ts';
import { activeRegions, knownRegions } from '../stage/regions.ts';
import { soakOf } from '../stage/soak.ts';
import { policyOf, policyUnder, type ServiceState } from '../state.ts';
import { tell } from '../tell.ts';
import { pause } from '../words/pausing.ts';
import {
  type Asking,
  answered,
  describeRun,
  type GateQuestion,
  type GateRun,
  type GateWatch,
  hasPassed,
  isDue,
  runKey,
  type WatchedStage,
} from './gate-watch.ts';

export type GatesVerdict =
  | { readonly is: 'won' }
  | { readonly is: 'lost'; readonly why: string }
  | { readonly is: 'pending'; readonly why: string };

/** One gate where it is asked. */
interface Place {
  readonly gate: Gate;
  readonly region: Region | undefined;
}

/** The questions that are due; outside of a soak, and while it is paused, none is, and what was answered is forgotten. */
export function askGates(state: ServiceState, nowMs: number): Step {
  const { rollout } = state.record;
  const stage = rollout === undefined ? undefined : watchedStage(rollout);
  if (rollout === undefined || stage === undefined) return { state: unwatched(state), effects: [] };
  const { gates = [] } = policyOf(state);
  if (gates.length === 0) return { state: unwatched(state), effects: [] };
  if (!isCensusComplete(state, nowMs)) return { state, effects: [] };
  const kept = watchOf(state, stage, gates);
  const runs = new Map(kept?.runs);
  const endsAtMs = stage.sinceMs + soakOf(state, rollout);
  const effects: GateQuestion[] = [];
  let { gatesAsked } = state;
  for (const { gate, region } of places(state, rollout, gates, nowMs)) {
    const key = runKey(gate.name, region);
    const run = runs.get(key);
    if (!isDue(run, gate, endsAtMs, nowMs)) continue;
    gatesAsked += 1;
    runs.set(key, { failures: 0, ...run, askedAtMs: nowMs, number: gatesAsked });
    const asking = { ...stage, gate: gate.name, number: gatesAsked, ...(region !== undefined && { region }) };
    effects.push(question(state, rollout, gate, asking, nowMs));
  }
  if (kept !== undefined && effects.length === 0) return { state, effects };
  const next: GateWatch = { stage, gates, begunMs: kept?.begunMs ?? nowMs, runs };
  return { state: { ...state, gates: next, gatesAsked }, effects };
}

function watchedStage({ release, group, percent, phase, paused }: Rollout): WatchedStage | undefined {
  if (phase.name !== 'soaking' || paused !== undefined) return undefined;
  return { rollout: release.rollout, group, percent, sinceMs: phase.sinceMs };
}

/** What was answered so far, if it was to these gates and in this stage. */
function watchOf(
  { gates: watch }: ServiceState,
  stage: WatchedStage,
  gates: readonly Gate[],
): GateWatch | undefined {
  const isOf = watch !== undefined && sameValue(watch.stage, stage) && sameValue(watch.gates, gates);
  return isOf ? watch : undefined;
}

function unwatched(state: ServiceState): ServiceState {
  if (state.gates === undefined) return state;
  const { gates: _, ...rest } = state;
  return rest;
}

/** Where each gate is asked: in every region of the stage in which a node is on the release, or once. */
function places(
  state: ServiceState,
  rollout: Rollout,
  gates: readonly Gate[],
  nowMs: number,
): readonly Place[] {
  const active = activeRegions(state, rollout);
  const updated = active.filter((region) => isOnRelease(state, rollout, region, nowMs));
  const regions = updated.length > 0 ? updated : active;
  return gates.flatMap((gate): readonly Place[] =>
    isAskedByRegion(gate) ? regions.map((region) => ({ gate, region })) : [{ gate, region: undefined }],
  );
}

function isOnRelease({ census }: ServiceState, { release }: Rollout, region: Region, nowMs: number): boolean {
  return presentNodes(census, region, nowMs).some(({ running }) => running === release.image.digest);
}

function question(
  state: ServiceState,
  rollout: Rollout,
  gate: Gate,
  asking: Asking,
  nowMs: number,
): GateQuestion {
  const { region } = asking;
  const { service, version } = rollout.release;
  const subject: GateSubject = { service, version, ...(region !== undefined && { region }) };
  const compares = gate.compare !== undefined && hasOthers(state, rollout, region, nowMs);
  return {
    kind: 'ask-gate',
    asking,
    query: queryFor(gate, subject),
    ...(compares && { others: queryForOthers(gate, subject) }),
  };
}

/** Once everybody who is there is on the release, there is nobody to be compared with. */
function hasOthers(
  state: ServiceState,
  { release }: Rollout,
  region: Region | undefined,
  nowMs: number,
): boolean {
  const regions = region === undefined ? knownRegions(state) : [region];
  return regions.some((one) =>
    presentNodes(state.census, one, nowMs).some(({ running }) => running !== release.image.digest),
  );
}

/** An answer. One to a question that is not open any more, of another stage or of before a pause, changes nothing. */
export function takeAnswer(state: ServiceState, asking: Asking, answer: GateAnswer): ServiceState {
  const { gates: watch } = state;
  const { gate: name, region, number } = asking;
  const key = runKey(name, region);
  const run = watch?.runs.get(key);
  const gate = watch?.gates.find((one) => one.name === name);
  if (watch === undefined || gate === undefined || run?.number !== number) return state;
  const next = answered(run, gate, answer);
  return tellAnswer(
    { ...state, gates: { ...watch, runs: new Map(watch.runs).set(key, next) } },
    watch,
    asking,
    next,
  );
}

/** The first of a gate's answers that is not good is told, and no other one until it has been good everywhere. */
function tellAnswer(state: ServiceState, before: GateWatch, asking: Asking, run: GateRun): ServiceState {
  const { verdict } = run;
  const { gate, region, rollout } = asking;
  if (verdict === undefined || verdict.is === 'good') return state;
  const isTold = [...before.runs].some(
    ([key, { verdict: known }]) => known?.is === verdict.is && key.split('/')[0] === gate,
  );
  if (isTold) return state;
  const says = verdict.is === 'bad' ? 'is bad' : 'says nothing';
  return tell(state, {
    name: verdict.is === 'bad' ? 'gate-failed' : 'gate-inconclusive',
    rollout,
    ...(region !== undefined && { region }),
    line: `rollout ${rollout} of ${state.service}: ${describeRun(gate, region)} ${says}: ${verdict.seen}`,
  });
}

/** Have all of them passed, has one failed too often, or is there something to wait for? */
export function judgeGates(
  state: ServiceState,
  rollout: Rollout,
  endsAtMs: number,
  nowMs: number,
): GatesVerdict {
  const { gates = [] } = policyOf(state);
  if (gates.length === 0) return { is: 'won' };
  const stage = watchedStage(rollout);
  const watch = stage && watchOf(state, stage, gates);
  const asked = places(state, rollout, gates, nowMs).map((place) => ({
    ...place,
    run: watch?.runs.get(runKey(place.gate.name, place.region)),
  }));
  for (const { gate, region, run } of asked) {
    if (run === undefined || run.failures < gate.failuresMax) continue;
    const times = run.failures === 1 ? '' : `, ${run.failures} times in a row`;
    return { is: 'lost', why: `${describeRun(gate.name, region)}: ${run.verdict?.seen ?? ''}${times}` };
  }
  if (asked.length < gates.length) return { is: 'pending', why: 'there is no region to ask about' };
  const waits = asked.filter(({ gate, run }) => !hasPassed(run, gate, endsAtMs));
  const [first] = waits;
  if (first === undefined) return { is: 'won' };
  const more = waits.length > 1 ? ` (and ${waits.length - 1} more)` : '';
  return { is: 'pending', why: `${describeWait(first.gate, first.region, first.run)}${more}` };
}

function describeWait(gate: Gate, region: Region | undefined, run: GateRun | undefined): string {
  const who = describeRun(gate.name, region);
  const { verdict } = run ?? {};
  if (verdict === undefined) return `${who} has not answered`;
  if (verdict.is === 'inconclusive') return `${who} says nothing: ${verdict.seen}`;
  const long = gate.forMs > 0 ? ` for ${formatDuration(gate.forMs)}` : '';
  return `${who} has not been good${long}: ${verdict.seen}`;
}

/** Nobody can tell whether it may go on: a person has to look. */
export function holdForGates(
  state: ServiceState,
  rollout: Rollout,
  { why, endsAtMs }: { readonly why: string; readonly endsAtMs: number },
  nowMs: number,
): ServiceState {
  const { progressDeadlineMs } = policyOf(state);
  const sinceMs = Math.max(endsAtMs, state.gates?.begunMs ?? nowMs);
  if (nowMs < sinceMs + progressDeadlineMs) return state;
  const remedy = '"resume" asks again, a policy without the gate goes on without it';
  return pause(state, rollout, `${why}; ${remedy}`, nowMs);
}

export function tellPassed(state: ServiceState, rollout: Rollout): ServiceState {
  const { gates = [] } = policyOf(state);
  if (gates.length === 0) return state;
  const { rollout: number } = rollout.release;
  const seen = [...(state.gates?.runs ?? [])].flatMap(([key, { verdict }]) =>
    verdict?.is === 'good' ? [`${key} (${verdict.seen})`] : [],
  );
  seen.sort();
  return tell(state, {
    name: 'gates-passed',
    rollout: number,
    line: `rollout ${number} of ${state.service}: after ${describePlace(state, rollout)} all gates are good: ${seen.join(', ')}`,
  });
}

/** For the event that accepts a release: its gates will say nothing here. */
export function describeUnasked(state: ServiceState, { overrides }: Candidate): string {
  const { gates = [] } = policyUnder(state.record, overrides);
  if (state.hasNoPrometheus !== true || gates.length === 0) return '';
  return `; ${NO_PROMETHEUS}, so it will be held before its gates: ${gates.map(({ name }) => name).join(', ')}`;
}

/** The reason and the remedy, in every place where it is told. */
export const NO_PROMETHEUS = 'this coordinator knows no Prometheus (SWELL_PROMETHEUS_URL)';
