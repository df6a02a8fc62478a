/** A release that the coordinator publishes itself: remembered until the stream shows it, so that it is published once. */

import type { Digest } from './image.ts';

/** A release as it is written into a message. */
export interface WrittenRelease {
  /** With its digest: what is published has been decided on. */
  readonly image: string;
  readonly version: string;
  readonly allowDowngrade?: true;
  readonly urgent?: true;
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
