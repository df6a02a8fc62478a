/** A tag that the coordinator watches for a service: a new digest behind it is a release, or the proposal of one. */

import { type Digest, shortDigest } from './image.ts';

/** A repository, with its registry, and the tag that moves in it. */
export interface TagReference {
  readonly repository: string;
  readonly tag: string;
}

export interface Watch {
  readonly image: TagReference;
  /** How often the registry is asked. */
  readonly everyMs: number;
  /** A new digest is released at once, or waits for a person. */
  readonly mode: 'auto' | 'propose';
}

/** What the coordinator remembers of the tag. */
export interface WatchedTag {
  /** Which one, {@link describeTag}. */
  readonly image: string;
  /** The digest behind it when it was last seen. */
  readonly seen?: Digest;
  /** What that means is not decided yet. */
  readonly undecided?: true;
  readonly proposal?: Proposal;
  /** What was released from a tag, or refused by a person: no news, whenever it is seen again. Newest first. */
  readonly known: readonly Digest[];
  /** Why the registry does not tell: told once. */
  readonly failing?: string;
}

/** Waits for a person. */
export interface Proposal {
  readonly digest: Digest;
  readonly sinceMs: number;
}

export function describeTag({ repository, tag }: TagReference): string {
  return `${repository}:${tag}`;
}

/** Of its version: as long as a version may be, with a digest behind it. */
const TAG_LENGTH_MAX = 100;

/** What people call a release of it: tags that move name many. No version of semver.org, so that nothing is older or newer. */
export function versionOf({ tag }: TagReference, digest: Digest): string {
  return `${tag.slice(0, TAG_LENGTH_MAX)}@${shortDigest(digest)}`;
}

/** Where somebody says that a tag has moved: its repository without the registry; without a tag any of them. */
export interface TagHint {
  readonly repository: string;
  readonly tag?: string;
}

/** Whoever says so may call the registry by another name than the policy does: only the rest is compared. */
export function isMeant({ repository, tag }: TagReference, hint: TagHint): boolean {
  const path = repository.slice(repository.indexOf('/') + 1);
  return hint.repository === path && (hint.tag ?? tag) === tag;
}
