/**
 * Releases that we publish ourselves, each exactly once. The record names one until the stream shows it, and it is stored
 * only behind the last release that we have taken: whatever was in between, a crash or a long time, finds that message
 * there, and what is stored twice is stored once. The number of its rollout is its sequence, as with everybody's.
 */

import type { ReleaseIntent } from '@swell/shared/domain/intent.ts';
import type { Place } from '@swell/shared/domain/place.ts';
import type { Publishing } from '@swell/shared/domain/publishing.ts';
import type { Parsed } from '@swell/shared/kernel/parsed.ts';
import type { Step } from '../outcome.ts';
import type { ServiceState } from '../state.ts';
import { applied, refused } from '../words/answering.ts';
import { giveUpTag, keepTag } from './watching.ts';

/** The publication that is due. */
export function publishRelease(state: ServiceState): Step {
  const { publishing, releasesTaken } = state.record;
  if (publishing === undefined) return { state, effects: [] };
  const { publication } = publishing;
  const known = state.releasing?.publication === publication ? state.releasing : undefined;
  // What came between has to be taken first: it may be this very one, or a newer word.
  const isDue = known === undefined || (known.last !== undefined && known.last <= releasesTaken.sequence);
  if (!isDue) return { state, effects: [] };
  const expect = known?.last ?? releasesTaken.sequence;
  return {
    state: { ...state, releasing: { publication } },
    effects: [{ kind: 'publish-release', publishing, expect }],
  };
}

/** Is it the message that we have published? Its digest is known: no registry has to be asked, and it may be away. */
export function isOurs({ record: { publishing } }: ServiceState, { publication }: ReleaseIntent): boolean {
  return publishing !== undefined && publication === publishing.publication;
}

export function overtakenBy(state: ServiceState, publication: string, last: number): ServiceState {
  return state.record.publishing?.publication === publication
    ? { ...state, releasing: { publication, last } }
    : state;
}

export function notPublished(state: ServiceState, publication: string, reason: string): ServiceState {
  const { publishing } = state.record;
  if (publishing?.publication !== publication) return state;
  return fail(giveUpTag(state, publishing, reason), publishing, `its release cannot be published: ${reason}`);
}

/**
 * A message on the release subject has been taken. Ours has come; another one that was accepted is the newer word, and ours
 * is given up for it. One that was refused changes nothing: ours is published behind it.
 */
export function keepPublishing(
  before: ServiceState,
  state: ServiceState,
  { sequence }: Place,
  parsed: Parsed<ReleaseIntent>,
): ServiceState {
  const { publishing } = state.record;
  if (publishing === undefined || state === before) return state;
  const isAccepted = state.record.candidate !== before.record.candidate;
  if (parsed.ok && isOurs(state, parsed.value)) {
    const known = keepTag(state, publishing);
    return isAccepted
      ? succeed(known, publishing, `release ${sequence} is ${publishing.release.version}`)
      : fail(known, publishing, `release ${sequence}, which it led to, is rejected`);
  }
  return isAccepted
    ? fail(state, publishing, `release ${sequence} came first: say it again if it still holds`)
    : state;
}

function succeed(state: ServiceState, { asked }: Publishing, what: string): ServiceState {
  const ended = withoutPublishing(state);
  return asked === undefined ? ended : applied(ended, asked, what);
}

function fail(state: ServiceState, { asked }: Publishing, problem: string): ServiceState {
  const ended = withoutPublishing(state);
  return asked === undefined ? ended : refused(ended, asked, [problem]);
}

function withoutPublishing(state: ServiceState): ServiceState {
  const { publishing: _, ...record } = state.record;
  const { releasing: __, ...rest } = state;
  return { ...rest, record };
}
