/** Is it a release? Releases from their publication to their place as the present rollout. */

import { type Digest, describeImage, shortDigest } from '@swell/shared/domain/image.ts';
import type { ReleaseIntent } from '@swell/shared/domain/intent.ts';
import { layeredPolicy, policyProblems } from '@swell/shared/domain/policy.ts';
import { type Candidate, isUnderWay, type Rollout } from '@swell/shared/domain/rollout.ts';
import type { Release } from '@swell/shared/domain/wave.ts';
import type { Parsed } from '@swell/shared/kernel/parsed.ts';
import { reranked } from './census.ts';
import { enterStage } from './stages.ts';
import { type ServiceState, withRecord } from './state.ts';
import { tell } from './tell.ts';

/** A message on the release subject. One that was taken before changes nothing. */
export function takeRelease(
  state: ServiceState,
  sequence: number,
  parsed: Parsed<ReleaseIntent>,
): ServiceState {
  if (sequence <= state.record.releasesTaken) return state;
  const taken = withRecord(state, { releasesTaken: sequence });
  const problems = parsed.ok ? releaseProblems(state, parsed.value) : parsed.problems;
  if (!parsed.ok || problems.length > 0) return reject(taken, sequence, problems);
  return withRecord(forgetCandidate(taken, sequence), { candidate: { rollout: sequence, ...parsed.value } });
}

/** What only the fleet can know to be wrong with a well-formed release. */
function releaseProblems(state: ServiceState, intent: ReleaseIntent): readonly string[] {
  const known = state.policyLayer !== undefined || [...state.census.values()].some((nodes) => nodes.size > 0);
  if (!known) {
    return [
      `service: no node runs "${state.service}" and it has no policy: check the subject, ` +
        'or put a policy into the bucket swell_policies first',
    ];
  }
  return policyProblems(layeredPolicy(state.policyLayer ?? {}, intent.overrides)).map(
    (problem) => `policy.${problem}`,
  );
}

function reject(state: ServiceState, rollout: number, problems: readonly string[]): ServiceState {
  const line = `release ${rollout} of ${state.service} is rejected: ${problems.join('; ')}`;
  return tell(state, { name: 'release-rejected', rollout, problems, line });
}

/** The registry said no: there is no such image, or nobody may have it. */
export function rejectCandidate(state: ServiceState, rollout: number, reason: string): ServiceState {
  if (state.record.candidate?.rollout !== rollout) return state;
  return reject(withoutCandidate(state), rollout, [`image: ${reason}`]);
}

export function delayCandidate(state: ServiceState, rollout: number, reason: string): ServiceState {
  if (state.record.candidate?.rollout !== rollout) return state;
  const line = `release ${rollout} of ${state.service} waits for its registry: ${reason}`;
  return tell(state, { name: 'release-delayed', rollout, line });
}

export function withoutCandidate(state: ServiceState): ServiceState {
  const { candidate: _, ...record } = state.record;
  const { resolving: __, ...rest } = state;
  return { ...rest, record };
}

function forgetCandidate(state: ServiceState, newer: number): ServiceState {
  const { candidate } = state.record;
  if (candidate === undefined) return state;
  const line = `release ${candidate.rollout} of ${state.service} is superseded by release ${newer} before it began`;
  return tell(withoutCandidate(state), { name: 'rollout-superseded', rollout: candidate.rollout, line });
}

/** The candidate's digest is known: it becomes the present rollout, or is refused because it was halted before. */
export function placeRollout(
  state: ServiceState,
  number: number,
  digest: Digest,
  nowMs: number,
): ServiceState {
  const { candidate, halted } = state.record;
  if (candidate?.rollout !== number) return state;
  const before = halted.find((one) => one.digest === digest);
  if (before !== undefined && !candidate.acceptHalted) {
    return reject(withoutCandidate(state), number, [
      `image: ${shortDigest(digest)} was halted as rollout ${before.rollout} (${before.reason}): ` +
        'publish another image, or say "acceptHalted": true',
    ]);
  }
  const release = pinned(state, candidate, digest);
  const rollout: Rollout = {
    release,
    seed: `${release.service}/${release.rollout}/${digest}`,
    overrides: candidate.overrides,
    phase: { name: 'staging' },
    group: 0,
    stage: 0,
    regions: {},
    lost: [],
  };
  const accepted = tell(supersede(withoutCandidate(state), number), {
    name: 'release-accepted',
    rollout: number,
    line: `release ${number} of ${state.service} is ${describeImage(release.image)}`,
  });
  const placed = withRecord(accepted, { rollout, halted: halted.filter((one) => one.digest !== digest) });
  const started = tell(
    { ...placed, census: reranked(placed.census, rollout.seed) },
    {
      name: 'rollout-started',
      rollout: number,
      line: `rollout ${number} of ${state.service} begins: ${release.version}`,
    },
  );
  return enterStage(started, rollout, nowMs);
}

function pinned(state: ServiceState, candidate: Candidate, digest: Digest): Release {
  const { repository, tag } = candidate.image;
  return {
    rollout: candidate.rollout,
    service: state.service,
    image: { repository, digest, ...(tag !== undefined && { tag }) },
    version: candidate.version ?? tag ?? shortDigest(digest),
  };
}

function supersede(state: ServiceState, newer: number): ServiceState {
  const { rollout } = state.record;
  if (rollout === undefined || !isUnderWay(rollout)) return state;
  const line = `rollout ${rollout.release.rollout} of ${state.service} is superseded by rollout ${newer}`;
  return tell(state, { name: 'rollout-superseded', rollout: rollout.release.rollout, line });
}
