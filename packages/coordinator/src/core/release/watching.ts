/**
 * What becomes of a tag that has moved: each new digest is released once, or proposed once, whoever leads meanwhile.
 *
 * - The record keeps the digest that was seen last, and that it is not decided yet, until the release of it has come back
 *   over the stream: whatever is cut off before is decided anew, and nothing after it.
 * - A digest is news once. What the fleet is on, was on, has given up or was halted on is none, and neither is what a person
 *   has refused: a tag that moves back and forth rolls nothing back and forth.
 * - Nothing is decided while a release is on its way whose digest is not known: it may be the same.
 */

import { type Digest, shortDigest } from '@swell/shared/domain/image.ts';
import type { Publishing } from '@swell/shared/domain/publishing.ts';
import type { Candidate } from '@swell/shared/domain/rollout.ts';
import { resolvedAlready } from '@swell/shared/domain/unit.ts';
import { describeTag, versionOf, type Watch, type WatchedTag } from '@swell/shared/domain/watch.ts';
import type { MissedTag, SeenTag } from '../events.ts';
import { presentNodes } from '../nodes/line.ts';
import { isCensusComplete } from '../nodes/look-out.ts';
import { type ServiceState, withRecord } from '../state.ts';
import { tell } from '../tell.ts';
import { dropCandidate } from './candidate.ts';
import { answered, lookingFor, unanswered, watchOf } from './looking.ts';

/** Of those that were released from a tag: who goes through more before the same one comes again means it. */
const KNOWN_MAX = 32;

/** How the releases that come of a tag are known again. */
const PUBLICATION = 'tag.';

/** The registry has answered. */
export function takeSight(
  state: ServiceState,
  { image, digest, restMs = 0 }: SeenTag,
  nowMs: number,
): ServiceState {
  const looking = lookingFor(state, describeTag(image));
  if (looking === undefined) return state;
  const heard = answered(state, looking, restMs, nowMs);
  const { failing, ...watched } = watchedTag(state, looking.image);
  if (watched.seen === digest) return failing === undefined ? heard : withWatched(heard, watched);
  return withWatched(heard, { ...watched, seen: digest, undecided: true });
}

/** It has not. That is told once, however often it is asked. */
export function missSight(
  state: ServiceState,
  { image, reason, retryAfterMs = 0 }: MissedTag,
  nowMs: number,
): ServiceState {
  const looking = lookingFor(state, describeTag(image));
  if (looking === undefined) return state;
  const heard = unanswered(state, looking, retryAfterMs, nowMs);
  const watched = watchedTag(state, looking.image);
  if (watched.failing !== undefined) return heard;
  return tell(withWatched(heard, { ...watched, failing: reason }), {
    name: 'tag-out-of-reach',
    line: `${looking.image}, which ${state.service} watches, is asked for again later: ${reason}`,
  });
}

/** What was remembered of it; of a tag that is watched for the first time, which digests are known. */
function watchedTag({ record: { watched } }: ServiceState, image: string): WatchedTag {
  return watched?.image === image ? watched : { image, known: watched?.known ?? [] };
}

function withWatched(state: ServiceState, watched: WatchedTag): ServiceState {
  return withRecord(state, { watched });
}

/** Decides what is to become of the digest that was seen last, as soon as that can be told. */
export function weighSight(state: ServiceState, nowMs: number): ServiceState {
  const { watched } = state.record;
  const watch = watchOf(state);
  if (watched === undefined) return state;
  if (watch === undefined || describeTag(watch.image) !== watched.image)
    return withdraw(state, watched, 'the policy watches its tag no more');
  if (!canDecide(state, nowMs)) return state;
  if (watched.undecided === true && watched.seen !== undefined)
    return decide(state, { ...watched, seen: watched.seen }, watch, nowMs);
  const { proposal } = watched;
  if (proposal === undefined) return state;
  if (isOn(state, proposal.digest, nowMs)) return withdraw(state, watched, 'it is released');
  return watch.mode === 'auto' ? releaseTag(state, watch, proposal.digest) : state;
}

function canDecide(state: ServiceState, nowMs: number): boolean {
  const { publishing, candidate } = state.record;
  const isUnknown = candidate !== undefined && digestOf(candidate) === undefined;
  return publishing === undefined && !isUnknown && isCensusComplete(state, nowMs);
}

function decide(
  state: ServiceState,
  watched: WatchedTag & { readonly seen: Digest },
  watch: Watch,
  nowMs: number,
): ServiceState {
  const { undecided: _, ...decided } = watched;
  const { seen, image } = watched;
  const back = `${image} names ${shortDigest(seen)} again`;
  if (isOn(state, seen, nowMs)) return retract(withdraw(withWatched(state, decided), decided, back), seen);
  if (isKnown(state, seen)) {
    const retracted = retract(withdraw(withWatched(state, decided), decided, back), seen);
    return tell(retracted, {
      name: 'tag-passed-over',
      digest: seen,
      line: `${image} names ${shortDigest(seen)}, which was released, halted or refused before: publish it, if the fleet is to have it again`,
    });
  }
  if (watch.mode === 'auto') return releaseTag(state, watch, seen);
  if (decided.proposal?.digest === seen) return withWatched(state, decided);
  const instead =
    decided.proposal === undefined ? '' : `, instead of ${shortDigest(decided.proposal.digest)}`;
  return tell(withWatched(state, { ...decided, proposal: { digest: seen, sinceMs: nowMs } }), {
    name: 'release-proposed',
    digest: seen,
    line: `${image} is ${shortDigest(seen)} and waits for approval${instead}: {"action":"approve","digest":"${seen}"}`,
  });
}

function withdraw(state: ServiceState, watched: WatchedTag, why: string): ServiceState {
  const { proposal, ...rest } = watched;
  if (proposal === undefined) return state;
  return tell(withWatched(state, rest), {
    name: 'proposal-withdrawn',
    digest: proposal.digest,
    line: `the proposal of ${shortDigest(proposal.digest)} for ${state.service} is withdrawn: ${why}`,
  });
}

/** A release of the tag that has not begun is none any more once the tag has moved back. */
function retract(state: ServiceState, seen: Digest): ServiceState {
  const { candidate } = state.record;
  const isOfTag = candidate?.publication?.startsWith(PUBLICATION) === true;
  if (candidate === undefined || !isOfTag || digestOf(candidate) === seen) return state;
  return dropCandidate(state, candidate, 'rollout-superseded', 'given up by its tag, which has moved back,');
}

/** Publishes a release of it; until that has come back over the stream nothing is forgotten. */
export function releaseTag(
  state: ServiceState,
  { image }: Pick<Watch, 'image'>,
  digest: Digest,
  asked?: Publishing['asked'],
): ServiceState {
  const version = versionOf(image, digest);
  return withRecord(state, {
    publishing: {
      publication: `${PUBLICATION}${shortDigest(digest)}.${state.record.releasesTaken.sequence}`,
      release: { image: `${describeTag(image)}@${digest}`, version },
      ...(asked !== undefined && { asked }),
      tagged: digest,
    },
  });
}

/** Its release has come back over the stream, whatever becomes of it there. */
export function keepTag(state: ServiceState, { tagged }: Publishing): ServiceState {
  return tagged === undefined ? state : withKnown(state, tagged);
}

/** The bus does not let us publish its release. */
export function giveUpTag(
  state: ServiceState,
  { tagged, release }: Publishing,
  reason: string,
): ServiceState {
  if (tagged === undefined) return state;
  return tell(withKnown(state, tagged), {
    name: 'tag-passed-over',
    digest: tagged,
    line: `${release.version} of ${state.service} cannot be published: ${reason}`,
  });
}

/** From now on it is no news. */
export function withKnown(state: ServiceState, digest: Digest): ServiceState {
  const { watched } = state.record;
  if (watched === undefined) return state;
  const { proposal, undecided, known, ...rest } = watched;
  return withWatched(state, {
    ...rest,
    ...(proposal !== undefined && proposal.digest !== digest && { proposal }),
    ...(undecided !== undefined && watched.seen !== digest && { undecided }),
    known: [digest, ...known.filter((one) => one !== digest)].slice(0, KNOWN_MAX),
  });
}

/** Is it what the fleet has, or is to have? */
function isOn(state: ServiceState, digest: Digest, nowMs: number): boolean {
  const { candidate, rollout, settled } = state.record;
  if (candidate !== undefined && digestOf(candidate) === digest) return true;
  if (rollout === undefined) return isRunEverywhere(state, digest, nowMs);
  const isGivenUp = rollout.phase.name === 'halting' || rollout.phase.name === 'rested';
  return (isGivenUp ? settled[0] : rollout.release)?.image.digest === digest;
}

/** Has it become a release, whatever came of it? */
export function isReleased({ record }: ServiceState, digest: Digest): boolean {
  const { publishing, candidate, rollout, settled } = record;
  return (
    publishing?.tagged === digest ||
    (candidate !== undefined && digestOf(candidate) === digest) ||
    rollout?.release.image.digest === digest ||
    settled.some(({ image }) => image.digest === digest)
  );
}

function isRunEverywhere({ census }: ServiceState, digest: Digest, nowMs: number): boolean {
  const nodes = [...census.keys()].flatMap((region) => presentNodes(census, region, nowMs));
  return nodes.length > 0 && nodes.every(({ running }) => running === digest);
}

function isKnown(state: ServiceState, digest: Digest): boolean {
  const { watched, halted } = state.record;
  return (
    isReleased(state, digest) ||
    watched?.known.includes(digest) === true ||
    halted.some((one) => one.digest === digest)
  );
}

function digestOf({ digest, image }: Candidate): Digest | undefined {
  return digest ?? resolvedAlready(image)?.digest;
}
