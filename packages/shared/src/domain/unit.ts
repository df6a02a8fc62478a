/**
 * What a release brings: one image for all containers of its service, or, as a *unit*, one for each *part*. A part is those
 * containers of a service that have one name in their stack. Wherever a digest stands for a release (what runs, what was
 * halted, what a node goes back to), a unit's own stands for all its parts.
 */

import { createHash } from 'node:crypto';
import {
  type Digest,
  describeImage,
  type ImageReference,
  type PinnedImage,
  pullReference,
  shortDigest,
} from './image.ts';

/** What Compose calls a service of its stack, or an operator by a label. */
export type PartName = string;
export type ByPart<Value> = Readonly<Record<PartName, Value>>;

export const PART_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;

/** As a person writes it. */
export type ReleaseReference = ImageReference | { readonly parts: ByPart<ImageReference> };

export interface PinnedUnit {
  /** Of its parts' digests. */
  readonly digest: Digest;
  readonly parts: ByPart<PinnedImage>;
}

/** The same bytes on every node. */
export type ReleaseImage = PinnedImage | PinnedUnit;

/** The digests that a registry gave for a reference. */
export interface Resolved {
  readonly digest: Digest;
  /** Of a unit. */
  readonly parts?: ByPart<Digest>;
}

/** One digest for all of them: the same parts with the same images have the same, whoever reckons it. */
export function unitDigest(digests: ByPart<Digest>): Digest {
  const lines = Object.entries(digests).map(([part, digest]) => `${part}=${digest}\n`);
  return `sha256:${createHash('sha256').update(lines.sort().join('')).digest('hex')}`;
}

/** What a reference is that names digests alone; `undefined`: a registry has to be asked. */
export function resolvedAlready(reference: ReleaseReference): Resolved | undefined {
  if (!('parts' in reference))
    return reference.digest === undefined ? undefined : { digest: reference.digest };
  const parts = Object.entries(reference.parts).flatMap(([part, { digest }]) =>
    digest === undefined ? [] : [[part, digest] as const],
  );
  if (parts.length < Object.keys(reference.parts).length) return undefined;
  const digests = Object.fromEntries(parts);
  return { digest: unitDigest(digests), parts: digests };
}

export function pinReference(reference: ReleaseReference, { digest, parts }: Resolved): ReleaseImage {
  if (!('parts' in reference)) return pin(reference, digest);
  const pinned = Object.entries(reference.parts).map(([part, image]) => [
    part,
    pin(image, parts?.[part] ?? digest),
  ]);
  return { digest, parts: Object.fromEntries(pinned) };
}

function pin({ repository, tag }: ImageReference, digest: Digest): PinnedImage {
  return { repository, digest, ...(tag !== undefined && { tag }) };
}

/** What has to be brought to a node. */
export function imagesOf(image: ReleaseImage): readonly PinnedImage[] {
  return 'parts' in image ? Object.values(image.parts) : [image];
}

/** The tag that stands for the whole: of a unit, the one that all its parts have. */
export function tagOf(reference: ReleaseReference | ReleaseImage): string | undefined {
  if (!('parts' in reference)) return reference.tag;
  const [tag, ...others] = new Set(Object.values(reference.parts).map((image) => image.tag));
  return others.length === 0 ? tag : undefined;
}

/** Exactly what is rolled out: `registry.example/web@sha256:…`, or `db=…, web=…`. */
export function releaseReference(image: ReleaseImage): string {
  if (!('parts' in image)) return pullReference(image);
  const parts = Object.entries(image.parts).map(([part, one]) => `${part}=${pullReference(one)}`);
  return parts.sort().join(', ');
}

/** For people: `registry.example/web:v2 (3f2a9c…)`, or `db registry.example/db:v2 (…), web …`. */
export function describeReleaseImage(image: ReleaseImage): string {
  if (!('parts' in image)) return describeImage(image);
  const parts = Object.entries(image.parts).map(([part, one]) => `${part} ${describeImage(one)}`);
  return `${parts.sort().join(', ')}: unit ${shortDigest(image.digest)}`;
}

/**
 * Why a unit does not fit the containers of a node. All of its parts have to be there, and no other ones: one that no
 * release names would stay on whatever it runs, and nobody could say what the node is on.
 *
 * @param parts what there is; missing: a container belongs to no part
 */
export function misfit(image: ReleaseImage, parts: readonly PartName[] | undefined): string | undefined {
  if (!('parts' in image)) return undefined;
  if (parts === undefined)
    return 'one of its containers is no part of a stack: Compose names parts, and so does the label swell.part';
  const missing = Object.keys(image.parts).filter((part) => !parts.includes(part));
  if (missing.length > 0) return `it has no part ${missing.sort().join(', ')}, which the release brings`;
  const unnamed = parts.filter((part) => !Object.hasOwn(image.parts, part));
  if (unnamed.length > 0) return `the release brings no image for its part ${unnamed.join(', ')}`;
  return undefined;
}
