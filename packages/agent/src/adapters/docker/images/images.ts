/** An image on the node is known by the digest that a registry gave it (I11). */

import {
  type Digest,
  type PinnedImage,
  parseImageReference,
  pullReference,
} from '@swell/shared/domain/image.ts';
import type { Dockerd } from '../dockerd.ts';
import type { InspectedImage } from '../inspected.ts';

/** Every digest under which a registry gave this image. */
export function digestsOf(image: InspectedImage): readonly Digest[] {
  const digests = (image.RepoDigests ?? []).map((reference) => parseImageReference(reference)?.digest);
  return [...new Set(digests.filter((digest) => digest !== undefined))];
}

/** Has the image come from this repository under this digest? Docker writes its own registry's names short. */
export function isPinned(image: InspectedImage, pinned: PinnedImage): boolean {
  return (image.RepoDigests ?? []).some((text) => {
    const reference = parseImageReference(text);
    return reference?.repository === pinned.repository && reference.digest === pinned.digest;
  });
}

/** Where a service's image is known by a tag, the repository and the tag: only that can be moved to another image. */
export function movableReference(
  reference: string,
): { readonly repository: string; readonly tag: string } | undefined {
  // An image's id is no name, and neither are its first digits; the name of a repository can look like either.
  if (/^(?:sha256:)?[0-9a-f]{12,64}$/.test(reference)) return undefined;
  const parsed = parseImageReference(reference);
  if (parsed === undefined || parsed.digest !== undefined) return undefined;
  return { repository: parsed.repository, tag: parsed.tag ?? 'latest' };
}

/** The image as it lies on the node; `undefined` where it does not, or is not what it says. */
export async function stagedImage(
  dockerd: Dockerd,
  pinned: PinnedImage,
): Promise<InspectedImage | undefined> {
  const image = await dockerd.image(pullReference(pinned));
  return image !== undefined && isPinned(image, pinned) ? image : undefined;
}
