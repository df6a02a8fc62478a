/** A release that the coordinator publishes itself: remembered until the stream shows it, so that it is published once. */

import { sameValue } from '../kernel/equal.ts';
import { type Digest, pullReference } from './image.ts';
import type { ByPart, ReleaseImage } from './unit.ts';

/** A release as it is written into a message. */
export type WrittenRelease = WrittenImage & {
  readonly version: string;
  readonly allowDowngrade?: true;
  readonly urgent?: true;
  readonly irreversible?: true;
};

/** With digests: what is published has been decided on. */
export type WrittenImage = { readonly image: string } | { readonly images: ByPart<string> };

export function writtenImage(image: ReleaseImage): WrittenImage {
  if (!('parts' in image)) return { image: pullReference(image) };
  const parts = Object.entries(image.parts).map(([part, one]) => [part, pullReference(one)]);
  return { images: Object.fromEntries(parts) };
}

/** Is that image what is written there? */
export function isWritten(image: ReleaseImage, release: WrittenRelease): boolean {
  const written = 'images' in release ? { images: release.images } : { image: release.image };
  return sameValue(written, writtenImage(image));
}

export interface Publishing {
  /** The message bears it, and so it is known again. No two messages of a service share one. */
  readonly publication: string;
  readonly release: WrittenRelease;
  /** The operator's word that asked for it, by its mark: answered once it is known what has become of it. */
  readonly asked?: { readonly action: string; readonly mark: string };
  /** What the tag names that is watched, and is released by this. */
  readonly tagged?: Digest;
}
