/** Is it a release? Releases from their publication to their place as the present rollout. */

import { type Digest, shortDigest } from '@swell/shared/domain/image.ts';
import type { ReleaseIntent } from '@swell/shared/domain/intent.ts';
import type { Region, ServiceName } from '@swell/shared/domain/names.ts';
import type { Place } from '@swell/shared/domain/place.ts';
import { policyProblems } from '@swell/shared/domain/policy.ts';
import {
  type Candidate,
  hasBegun,
  isUnderWay,
  type Rollout,
  type ServiceRecord,
} from '@swell/shared/domain/rollout.ts';
import { describeReleaseImage, pinReference, resolvedAlready, tagOf } from '@swell/shared/domain/unit.ts';
import type { Release } from '@swell/shared/domain/wave.ts';
import type { Parsed } from '@swell/shared/kernel/parsed.ts';
import { tellHolds } from '../admission/holds.ts';
import { expiryProblems, hasExpired, timeOf, type Wait, waitOf } from '../limits/cool-down.ts';
import {
  awaitedBy,
  beganBehind,
  canJudgeBegin,
  cycleProblems,
  noteDependencies,
  tellAwaited,
} from '../limits/dependencies.ts';
import { describeUnasked } from '../limits/gates.ts';
import { reranked } from '../nodes/census.ts';
import { isCensusComplete } from '../nodes/look-out.ts';
import { firstPercent } from '../stage/places.ts';
import { nextGroup } from '../stage/regions.ts';
import { enterStage } from '../stage/stages.ts';
import { drawIn, policyUnder, type ServiceState, withRecord } from '../state.ts';
import { hasFreeNumber, isNew, markOf, withTaken } from '../taken.ts';
import { tell } from '../tell.ts';
import { isStaying } from '../words/staying.ts';
import { dropCandidate, withoutCandidate } from './candidate.ts';
import { isOurs, keepPublishing } from './publishing.ts';
import { versionProblems } from './versions.ts';

/** A message on the release subject. One that was taken before changes nothing. */
export function takeRelease(state: ServiceState, at: Place, parsed: Parsed<ReleaseIntent>): ServiceState {
  return keepPublishing(state, weighRelease(state, at, parsed), at, parsed);
}

function weighRelease(state: ServiceState, at: Place, parsed: Parsed<ReleaseIntent>): ServiceState {
  const { releasesTaken } = state.record;
  if (!isNew(at, releasesTaken)) return state;
  const taken = withRecord(state, { releasesTaken: withTaken(releasesTaken, at) });
  if (!hasFreeNumber(at, releasesTaken)) return rejectReused(taken, at);
  const { sequence } = at;
  const problems = parsed.ok ? releaseProblems(state, parsed.value, at) : parsed.problems;
  if (!parsed.ok || problems.length > 0) return reject(taken, sequence, problems);
  const { candidate } = taken.record;
  const free =
    candidate === undefined
      ? taken
      : dropCandidate(taken, candidate, 'rollout-superseded', `superseded by release ${sequence}`);
  return withRecord(free, {
    candidate: {
      rollout: sequence,
      ...parsed.value,
      publishedAtMs: at.storedAtMs,
      ...(isOurs(state, parsed.value) && resolvedAlready(parsed.value.image)),
    },
  });
}

/** What only the fleet can know to be wrong with a well-formed release. */
function releaseProblems(
  state: ServiceState,
  intent: ReleaseIntent,
  { storedAtMs }: Place,
): readonly string[] {
  const { service, record, census } = state;
  const hasNodes = [...census.values()].some((nodes) => nodes.size > 0);
  const known = hasNodes || record.policy?.layer !== undefined || record.rollout !== undefined;
  if (!known) {
    return [
      `service: no node runs "${service}" and it has no policy: check the subject, ` +
        'or put a policy into the bucket swell_policies first',
    ];
  }
  const policy = policyUnder(record, intent.overrides);
  return [
    ...[...policyProblems(policy), ...cycleProblems(state, policy)].map((problem) => `policy.${problem}`),
    ...trainProblems(service, intent),
    ...versionProblems(record, intent),
    ...expiryProblems(record, { ...intent, publishedAtMs: storedAtMs }),
  ];
}

/** Who lists the train's services has seen that he is right when he finds the release's own among them. */
function trainProblems(service: ServiceName, { trainOf }: ReleaseIntent): readonly string[] {
  if (trainOf === undefined || trainOf.includes(service)) return [];
  return [`trainOf: does not name ${service}, of which this is a release: name every service of the train`];
}

function reject(state: ServiceState, rollout: number, problems: readonly string[]): ServiceState {
  const line = `release ${rollout} of ${state.service} is rejected: ${problems.join('; ')}`;
  return tell(state, { name: 'release-rejected', rollout, problems, line });
}

/** Nodes remember what they have tried under each number. The rollout that had this one is not what is spoken of. */
function rejectReused(state: ServiceState, at: Place): ServiceState {
  const problem =
    `its number ${at.sequence} was used before the stream of releases was put back: ` +
    `fill the stream beyond ${state.record.releasesTaken.sequence}, and publish it again`;
  const line = `a release of ${state.service} is rejected: ${problem}`;
  return tell(state, { name: 'release-rejected', mark: markOf(at), problems: [problem], line });
}

/** The registry said no: there is no such image, or nobody may have it. */
export function rejectCandidate(state: ServiceState, rollout: number, reason: string): ServiceState {
  if (state.record.candidate?.rollout !== rollout) return state;
  return reject(withoutCandidate(state), rollout, [`image: ${reason}`]);
}

/**
 * A candidate whose digest is known becomes the present rollout once nothing is left to wait for; or it is refused because
 * it was halted before, or dropped because it has expired.
 */
export function beginDue(heard: ServiceState, nowMs: number): ServiceState {
  const state = noteDependencies(heard);
  const { candidate, halted } = state.record;
  if (candidate === undefined || !isCensusComplete(state, nowMs)) return state;
  // Also where its registry has not answered by then.
  if (hasExpired(candidate, nowMs)) return dropCandidate(state, candidate, 'rollout-aborted', 'expired');
  const { rollout: number, digest } = candidate;
  if (digest === undefined) return state;
  const before = halted.find((one) => one.digest === digest);
  if (before !== undefined && !candidate.acceptHalted) {
    return reject(withoutCandidate(state), number, [
      `image: ${shortDigest(digest)} was halted as rollout ${before.rollout} (${before.reason}): ` +
        'publish another image, or say "acceptHalted": true',
    ]);
  }
  // Policies that were written at the same moment may have closed it since.
  const cycle = cycleProblems(state, policyUnder(state.record, candidate.overrides));
  if (cycle.length > 0)
    return reject(
      withoutCandidate(state),
      number,
      cycle.map((problem) => `policy.${problem}`),
    );
  const wait = waitOf(state.record, candidate);
  if (wait !== undefined && nowMs < wait.untilMs) return tellWait(state, candidate, wait);
  if (!canJudgeBegin(state, candidate, nowMs)) return state;
  const awaited = awaitedBy(state, candidate);
  return awaited === undefined
    ? place(state, candidate, digest, nowMs)
    : tellAwaited(state, candidate, awaited);
}

/** Told once, and again where a changed policy makes it another time. */
function tellWait(state: ServiceState, candidate: Candidate, { untilMs, why }: Wait): ServiceState {
  if (candidate.waitsUntilMs === untilMs) return state;
  const { rollout } = candidate;
  return tell(withRecord(state, { candidate: { ...candidate, waitsUntilMs: untilMs } }), {
    name: 'release-delayed',
    rollout,
    line: `release ${rollout} of ${state.service} begins at ${timeOf(untilMs)}, after ${why}`,
  });
}

function place(state: ServiceState, candidate: Candidate, digest: Digest, nowMs: number): ServiceState {
  const { rollout: number } = candidate;
  const release = pinned(state, candidate, digest);
  const accepted = tell(supersede(withoutCandidate(state), number), {
    name: 'release-accepted',
    rollout: number,
    line: `release ${number} of ${state.service} is ${describeReleaseImage(release.image)}${describeUnasked(state, candidate)}`,
  });
  const started = tell(accepted, {
    name: 'rollout-started',
    rollout: number,
    line: `rollout ${number} of ${state.service} begins: ${release.version}`,
  });
  const halted = state.record.halted.filter((one) => one.digest !== digest);
  const known = withRecord(started, {
    halted,
    ...(release.irreversible === true && { irreversible: { rollout: number, version: release.version } }),
  });
  return begin(known, release, candidate, nowMs);
}

function begin(state: ServiceState, release: Release, candidate: Candidate, nowMs: number): ServiceState {
  const { overrides } = candidate;
  const policy = policyUnder(state.record, overrides, release);
  const group = nextGroup(state, policy.regions, 0, nowMs) ?? 0;
  const rollout: Rollout = {
    release,
    seed: `${release.service}/${release.rollout}/${release.image.digest}`,
    overrides,
    phase: { name: 'staging' },
    grouping: policy.regions,
    group,
    percent: firstPercent(state, policy, policy.regions, group, nowMs),
    regions: {},
    pace: {},
    closed: [],
    ...(candidate.expiresMs !== undefined && { expiresMs: candidate.expiresMs }),
    ...(candidate.publication !== undefined && { publication: candidate.publication }),
    ...beganBehind(state, candidate),
    halfway: halfwayRegions(state.record),
    lost: [],
  };
  const lined = { ...state, census: reranked(state.census, (region) => drawIn(rollout, region)) };
  return tellHolds(enterStage(lined, rollout, nowMs));
}

/** Where the rollout before this one was on its way, and neither arrived nor was taken back. */
function halfwayRegions(record: ServiceRecord): readonly Region[] {
  const { rollout: before } = record;
  if (before === undefined) return [];
  const isLeft = isUnderWay(before) || before.phase.name === 'aborted' || isStaying(record, before);
  if (!isLeft) return [];
  const begun = Object.entries(before.regions).filter(([, progress]) => hasBegun(progress));
  return [...new Set([...before.halfway, ...begun.map(([region]) => region)])].sort();
}

function pinned(state: ServiceState, candidate: Candidate, digest: Digest): Release {
  const { image, parts, version = tagOf(image) ?? shortDigest(digest) } = candidate;
  return {
    rollout: candidate.rollout,
    service: state.service,
    image: pinReference(image, { digest, ...(parts !== undefined && { parts }) }),
    version,
    ...(candidate.from !== undefined && { from: candidate.from }),
    ...(candidate.train !== undefined && { train: candidate.train }),
    ...(candidate.irreversible === true && { irreversible: true }),
  };
}

/** Whoever waits for a rollout's end hears of it, also where the rollout was just going back. */
function supersede(state: ServiceState, newer: number): ServiceState {
  const { rollout } = state.record;
  if (rollout === undefined || !(isUnderWay(rollout) || rollout.phase.name === 'halting')) return state;
  const line = `rollout ${rollout.release.rollout} of ${state.service} is superseded by rollout ${newer}`;
  return tell(state, { name: 'rollout-superseded', rollout: rollout.release.rollout, line });
}
