/** Words about what is proposed. They name its digest: one that comes late cannot mean another. */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { ServiceState } from '../state.ts';
import { type Asked, applied, refused } from '../words/answering.ts';
import { watchOf } from './looking.ts';
import { isReleased, releaseTag, withKnown } from './watching.ts';

/** Makes it a release; answered once that stands on the stream. */
export function approveProposal(state: ServiceState, digest: Digest, asked: Asked): ServiceState {
  if (isReleased(state, digest)) return applied(state, asked, 'it is released already');
  const { watched, publishing } = state.record;
  const watch = watchOf(state);
  if (watch === undefined || watched?.proposal?.digest !== digest) return refuseOther(state, digest, asked);
  if (publishing !== undefined)
    return refused(state, asked, [`${publishing.release.version} is just being published: say it again`]);
  return releaseTag(state, watch, digest, asked);
}

/** Nobody is asked about it again. */
export function rejectProposal(state: ServiceState, digest: Digest, asked: Asked): ServiceState {
  if (isReleased(state, digest))
    return refused(state, asked, ['digest: it is released: halt or abort its rollout']);
  const { watched } = state.record;
  if (watched?.proposal?.digest === digest) return applied(withKnown(state, digest), asked);
  // Said again.
  return watched?.known.includes(digest) === true ? applied(state, asked) : refuseOther(state, digest, asked);
}

function refuseOther(state: ServiceState, digest: Digest, asked: Asked): ServiceState {
  const { proposal } = state.record.watched ?? {};
  return refused(state, asked, [
    proposal === undefined
      ? 'digest: nothing is proposed'
      : `digest: what is proposed is ${proposal.digest}, not ${digest}`,
  ]);
}
