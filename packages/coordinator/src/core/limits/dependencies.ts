/**
 * May it begin, and may it go on, by how the services stand that it depends on? It begins when none of them has a rollout
 * under way, or one that comes first and has not begun; and it goes on while they are on what it began on. What is not
 * known never lets anybody go on.
 *
 * Nobody waits in a circle: each waits only for services below him, and a release that would close one is refused.
 */

import {
  allDependencies,
  cycleProblems as cycleProblemsOf,
  type Dependency,
} from '@swell/shared/domain/dependency.ts';
import type { Region, ServiceName } from '@swell/shared/domain/names.ts';
import type { PolicyLayer } from '@swell/shared/domain/policy.ts';
import { type Behind, type Candidate, isUnderWay, type Rollout } from '@swell/shared/domain/rollout.ts';
import { sameValue } from '@swell/shared/kernel/equal.ts';
import { LOOK_OUT_MS } from '../nodes/look-out.ts';
import { knownRegions } from '../stage/regions.ts';
import { policyOf, policyUnder, type ServiceState, withRecord, withRollout } from '../state.ts';
import { tell } from '../tell.ts';
import { pause, resume } from '../words/pausing.ts';
import type { Numbered, Others, ServiceStanding } from './others.ts';

/** What stands in the way. */
interface Hindrance {
  readonly why: string;
  /** Regions in which it does not any more; missing: it does as a whole. */
  readonly through?: readonly Region[];
}

type Knowledge = Pick<ServiceState, 'service' | 'others'>;

function reached({ service, others }: Knowledge, own: readonly Dependency[] = []): readonly Dependency[] {
  if (own.length === 0) return [];
  return allDependencies(own, (one) => others.get(one)?.dependsOn).filter((one) => one.service !== service);
}

export function cycleProblems(
  { service, others }: Knowledge,
  { dependsOn = [] }: Pick<PolicyLayer, 'dependsOn'>,
): readonly string[] {
  return cycleProblemsOf(service, dependsOn, (one) => others.get(one)?.dependsOn);
}

/** Remembers what comes first: whatever becomes of that, the release goes on from there. */
export function noteDependencies(state: ServiceState): ServiceState {
  const { candidate } = state.record;
  if (candidate === undefined) return state;
  const ahead = dependenciesOf(state, candidate).flatMap(({ service }) => {
    const { waiting, rollout } = state.others.get(service) ?? {};
    const first = [waiting, rollout?.is === 'under way' ? rollout : undefined].filter((one) =>
      comesFirst(one, candidate),
    );
    const numbers = [candidate.behind?.[service], ...first.map((one) => one?.number)];
    return first.length === 0 ? [] : [[service, Math.max(...numbers.map((one) => one ?? 0))] as const];
  });
  const behind = { ...candidate.behind, ...Object.fromEntries(ahead) };
  if (ahead.length === 0 || sameValue(behind, candidate.behind)) return state;
  return withRecord(state, { candidate: { ...candidate, behind } });
}

function dependenciesOf(state: ServiceState, { overrides }: Candidate): readonly Dependency[] {
  return reached(state, policyUnder(state.record, overrides).dependsOn);
}

/** Was it published earlier, or is it of the same train? */
function comesFirst(one: Numbered | undefined, { rollout, train }: Candidate): boolean {
  return one !== undefined && (one.number < rollout || (train !== undefined && one.train === train));
}

/** Is enough known to decide, or to say that it is not? A leader that has just begun may not have read the others yet. */
export function canJudgeBegin(state: ServiceState, candidate: Candidate, nowMs: number): boolean {
  const isKnown =
    areKnown(state, dependenciesOf(state, candidate)) && strangersIn(state, candidate).length === 0;
  return isKnown || nowMs - state.readAtMs >= LOOK_OUT_MS;
}

/** Services that its train names and of which nothing is known: a name that is misspelt would let it begin before the one that is meant. */
function strangersIn({ service, others }: Knowledge, { trainOf = [] }: Candidate): readonly ServiceName[] {
  return trainOf.filter((one) => one !== service && !others.has(one));
}

function areKnown({ others }: Knowledge, all: readonly Dependency[]): boolean {
  return all.every(({ service }) => others.has(service));
}

/** Why a release does not begin, in words; undefined: nothing stands in its way. */
export function awaitedBy(state: ServiceState, candidate: Candidate): string | undefined {
  const strangers = strangersIn(state, candidate);
  const hindrances = [
    ...strangers.map((service) => unknown(service)),
    ...dependenciesOf(state, candidate)
      .filter(({ service }) => !strangers.includes(service))
      .flatMap((one) => hindranceOfBegin(state.others.get(one.service), one, candidate) ?? []),
  ];
  const isHindered = hindrances.some(({ through = [] }) => through.length === 0);
  return isHindered ? describe(hindrances) : undefined;
}

function hindranceOfBegin(
  other: ServiceStanding | undefined,
  { service, per }: Dependency,
  candidate: Candidate,
): Hindrance | undefined {
  if (other === undefined) return unknown(service);
  const { waiting, rollout } = other;
  if (waiting !== undefined && comesFirst(waiting, candidate))
    return { why: `release ${waiting.number} of ${service}, which has not begun` };
  if (misses(service, other, candidate))
    return { why: `a release of ${service} in train ${candidate.train}` };
  const lag = lagOf(other, service, candidate.behind);
  if (lag !== undefined) return lag;
  if (rollout?.is === 'halting') return { why: `rollout ${rollout.number} of ${service}, which goes back` };
  if (rollout?.is !== 'under way') return undefined;
  const why = `rollout ${rollout.number} of ${service}, which is under way`;
  return { why, ...(per === 'region' && { through: rollout.through }) };
}

/** Has it to have a release in the train, and has none that is on its way, or has settled? */
function misses(
  service: ServiceName,
  { rollout, settled }: ServiceStanding,
  { train, trainOf = [] }: Candidate,
): boolean {
  if (train === undefined || settled.some((one) => one.train === train)) return false;
  const isIn = rollout?.train === train;
  return isIn ? rollout.is !== 'under way' : trainOf.includes(service);
}

/** What it was to settle on was stopped, or is no more. */
function lagOf(
  { rollout, settled }: ServiceStanding,
  service: ServiceName,
  behind: Behind = {},
): Hindrance | undefined {
  const number = behind[service] ?? 0;
  if ((settled[0]?.number ?? 0) >= number) return undefined;
  if (rollout?.is === 'under way' && rollout.number >= number) return undefined;
  const reason = rollout?.number === number ? rollout.reason : undefined;
  const stopped = reason === undefined ? '' : ` (it was stopped: ${reason})`;
  return { why: `${service}, which has not settled on rollout ${number}${stopped} or a later one` };
}

function unknown(service: ServiceName): Hindrance {
  return { why: `${service}, of which nothing is known` };
}

function describe(hindrances: readonly Hindrance[]): string {
  return hindrances.map(({ why }) => why).join('; ');
}

/** Told once for each reason. */
export function tellAwaited(state: ServiceState, candidate: Candidate, waitsFor: string): ServiceState {
  if (candidate.waitsFor === waitsFor) return state;
  const { rollout } = candidate;
  return tell(withRecord(state, { candidate: { ...candidate, waitsFor } }), {
    name: 'release-delayed',
    rollout,
    line: `release ${rollout} of ${state.service} waits for ${waitsFor}`,
  });
}

/** What a rollout begins on: the others have to be on that, or on something later, for as long as it is under way. */
export function beganBehind(state: ServiceState, candidate: Candidate): Pick<Rollout, 'behind'> {
  const entries = dependenciesOf(state, candidate).flatMap(({ service }) => {
    const { rollout, settled = [] } = state.others.get(service) ?? {};
    const number = rollout?.is === 'under way' ? rollout.number : settled[0]?.number;
    return number === undefined ? [] : [[service, number] as const];
  });
  return entries.length === 0 ? {} : { behind: Object.fromEntries(entries) };
}

/** Is enough known to take a step? */
export function areOthersKnown(state: ServiceState, { heedless }: Rollout): boolean {
  return heedless === true || areKnown(state, reached(state, policyOf(state).dependsOn));
}

/** Pauses a rollout that has lost what it began on, lets it go on again, and keeps regions shut until it is their turn. */
export function heedDependencies(state: ServiceState, nowMs: number): ServiceState {
  const { rollout } = state.record;
  if (rollout === undefined || !isUnderWay(rollout)) return state;
  const isKnown = areOthersKnown(state, rollout);
  if (!isKnown && nowMs - state.readAtMs < LOOK_OUT_MS) return state;
  const hindrances =
    rollout.heedless === true
      ? []
      : reached(state, policyOf(state).dependsOn).flatMap(
          (one) => hindranceOnTheWay(state.others, one, rollout) ?? [],
        );
  const isFree = rollout.awaiting === undefined && rollout.paused?.byDependency !== true;
  if (isFree && hindrances.length === 0) return state;
  const stops = hindrances.filter(({ through }) => through === undefined);
  // What was stopped is through nowhere: regions that wait go on waiting.
  const kept = stops.length > 0 ? state : keepAwaiting(state, rollout, hindrances);
  return keepPause(kept, kept.record.rollout ?? rollout, stops, nowMs);
}

function hindranceOnTheWay(
  others: Others,
  { service, per }: Dependency,
  { behind = {} }: Rollout,
): Hindrance | undefined {
  const other = others.get(service);
  if (other === undefined) return unknown(service);
  const lag = lagOf(other, service, behind);
  if (lag !== undefined) return lag;
  const { rollout, settled } = other;
  if (rollout?.is === 'halting') return { why: `rollout ${rollout.number} of ${service}, which goes back` };
  if (rollout?.is !== 'under way' || (settled[0]?.number ?? 0) >= (behind[service] ?? 0)) return undefined;
  const why = `rollout ${rollout.number} of ${service}, which is under way`;
  return { why, ...(per === 'region' && { through: rollout.through }) };
}

function keepPause(
  state: ServiceState,
  rollout: Rollout,
  stops: readonly Hindrance[],
  nowMs: number,
): ServiceState {
  const { paused } = rollout;
  if (paused !== undefined && paused.byDependency !== true) return state;
  if (stops.length === 0) return paused === undefined ? state : resume(state, { ...rollout, paused }, nowMs);
  const reason = `it waits for ${describe(stops)}`;
  if (paused?.reason === reason) return state;
  return pause(state, rollout, reason, nowMs, { byDependency: true });
}

/** The record says which regions are shut, so that each change is told once, whoever leads. */
function keepAwaiting(state: ServiceState, rollout: Rollout, hindrances: readonly Hindrance[]): ServiceState {
  const regions = knownRegions(state).filter((region) =>
    hindrances.some(({ through }) => through?.includes(region) === false),
  );
  const { awaiting: before, ...others } = rollout;
  const awaiting = regions.length === 0 ? undefined : { regions, reason: describe(hindrances) };
  if (sameValue(awaiting, before)) return state;
  const kept = withRollout(state, { ...others, ...(awaiting !== undefined && { awaiting }) });
  return tellAwaiting(kept, rollout, awaiting);
}

function tellAwaiting(
  state: ServiceState,
  { release, awaiting: before }: Rollout,
  awaiting: Rollout['awaiting'],
): ServiceState {
  const [were, are] = [before?.regions ?? [], awaiting?.regions ?? []];
  const shut = are.filter((region) => !were.includes(region));
  const opened = were.filter((region) => !are.includes(region));
  const which = `rollout ${release.rollout} of ${state.service}`;
  const told =
    shut.length === 0
      ? state
      : tell(state, {
          name: 'dependency-awaited',
          rollout: release.rollout,
          line: `${which}: nobody starts in ${shut.join(', ')} before it is through there: ${awaiting?.reason}`,
        });
  if (opened.length === 0) return told;
  return tell(told, {
    name: 'dependency-settled',
    rollout: release.rollout,
    line: `${which}: no other service is waited for in ${opened.join(', ')}`,
  });
}

/** By the clock, or for what it depends on: nobody starts in the region now. */
export function isShut({ closed, awaiting }: Rollout, region: Region): boolean {
  return closed.includes(region) || awaiting?.regions.includes(region) === true;
}

/** A person lets it go on: that holds for the whole rollout. */
export function unheeding<Stopped extends Rollout>(rollout: Stopped): Stopped {
  return rollout.paused?.byDependency === true ? { ...rollout, heedless: true } : rollout;
}
