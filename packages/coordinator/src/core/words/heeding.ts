/**
 * B12. What is bad in one scope is bad in all: a halt that another one's leader has ordered is taken up here, of the rollout
 * that is present or still to come. An older one says nothing about what has taken its place, and what is halted here already
 * is: two leaders never answer each other.
 */

import type { HaltedRelease, ServiceRecord } from '@swell/shared/domain/rollout.ts';
import type { Halt } from '@swell/shared/domain/wave.ts';
import { dropCandidate } from '../release/candidate.ts';
import { type ServiceState, withRecord } from '../state.ts';
import { haltBy } from './halting.ts';
import { settledBefore } from './sparing.ts';

export function heedElsewhere(state: ServiceState): ServiceState {
  return [...state.elsewhere.values()].reduce(heed, state);
}

function heed(state: ServiceState, { service: _service, ...halted }: Halt): ServiceState {
  const { record } = state;
  const { rollout: number, reason, stay } = halted;
  if (record.halted.some(({ rollout }) => rollout === number)) return state;
  const because = `in another scope: ${reason}`;
  if (record.rollout?.release.rollout === number) return haltBy(state, record.rollout, because, stay);
  const isCandidate = record.candidate?.rollout === number;
  if (!isCandidate && number <= record.releasesTaken.sequence) return state;
  const known = withRecord(state, {
    halted: [{ ...asHere(record, halted), reason: because }, ...record.halted],
  });
  return record.candidate !== undefined && isCandidate
    ? dropCandidate(known, record.candidate, 'rollout-aborted', `halted ${because}, and dropped`)
    : known;
}

/** What a scope trusts is what has settled there; nobody there is on that rollout yet. */
function asHere(record: ServiceRecord, elsewhere: HaltedRelease): HaltedRelease {
  const { settledAs: _, ...halted } = elsewhere;
  const settledAs = settledBefore(record, { rollout: halted.rollout, image: { digest: halted.digest } });
  return settledAs === undefined ? halted : { ...halted, stay: true, settledAs };
}
