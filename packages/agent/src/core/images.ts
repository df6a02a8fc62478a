/** Which of the images that Swell brought to a node may go again. Every engine asks here. */

import type { Digest } from '@swell/shared/domain/image.ts';

/** An image that Swell brought to the node for a service, as its engine finds it. */
export interface BroughtImage {
  readonly digests: readonly Digest[];
  /** A container has it, of whatever service, running or not. */
  readonly isUsed: boolean;
  /** A container tells that its service goes back to it. */
  readonly isLastGood: boolean;
  /** Somebody gave it a name of his own. */
  readonly isNamed: boolean;
}

/**
 * I5, I10. What a node may have to go back to needs no registry: it stays, whoever says what about the rollout.
 *
 * @param wanted what the node's orders are about
 */
export function mayGo(
  { digests, isUsed, isLastGood, isNamed }: BroughtImage,
  wanted: readonly Digest[] = [],
): boolean {
  const isWanted = digests.some((digest) => wanted.includes(digest));
  return !isUsed && !isLastGood && !isNamed && !isWanted;
}
