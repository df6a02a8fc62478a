/** What a node says that it runs. */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { ServiceState } from './state.ts';

/** An image may be known by several digests, a unit of equal images by theirs too: by the wave's, where that is one of them. */
export function runningOf({ observation, wave }: ServiceState): Digest | undefined {
  const { digests = [] } = observation ?? {};
  const wanted = wave?.order.release.image.digest;
  return digests.find((digest) => digest === wanted) ?? digests[0];
}
