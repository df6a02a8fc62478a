/**
 * What the fleet had settled on is what it trusts. Where a rollout that brings it once more (an undo, a rollback, a release of
 * the same image) turns out bad, that rollout is stopped, and nobody leaves the image for what he had before it: whoever has it
 * all along would be sent to what the fleet had left long ago, and whoever has just come back, to what a person wanted left.
 */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { ServiceRecord } from '@swell/shared/domain/rollout.ts';

/** The rollout as which the fleet had settled on a release's image before; none where it has settled on that very release. */
export function settledBefore(
  { settled }: Pick<ServiceRecord, 'settled'>,
  { rollout, image }: { readonly rollout: number; readonly image: { readonly digest: Digest } },
): number | undefined {
  const same = settled.filter((one) => one.image.digest === image.digest);
  return same.some((one) => one.rollout === rollout) ? undefined : same[0]?.rollout;
}
