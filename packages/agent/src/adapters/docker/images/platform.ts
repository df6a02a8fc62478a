/** What an image is built for, and whether a node that runs one for an emulated machine gets the same kind again. */

import type { InspectedContainer, InspectedImage, Platform } from '../inspected.ts';

/** `undefined` where Docker does not know. */
export function platformOf({ Os, Architecture, Variant }: InspectedImage): Platform | undefined {
  if (!Os || !Architecture) return undefined;
  return { os: Os, architecture: Architecture, ...(Variant ? { variant: Variant } : {}) };
}

/** As Docker takes it: `linux/arm64/v8`. */
export function spellPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
}

/** Many an image does not say of which variant it is. */
export function isFor(image: InspectedImage, wanted: Platform | undefined): boolean {
  const found = platformOf(image);
  return wanted === undefined || found === undefined || isSame(found, wanted);
}

/**
 * Why its successor would be for another kind of machine. containerd's store has an image for several under one digest, and
 * shows and starts this machine's own where nobody says which.
 */
export function otherMachine(
  { ImageManifestDescriptor: runs }: Pick<InspectedContainer, 'ImageManifestDescriptor'>,
  next: Platform | undefined,
): string | undefined {
  const now = runs?.platform;
  if (!now || next === undefined || isSame(now, next)) return undefined;
  return `runs for ${spellPlatform(now)}, and dockerd would start the release for ${spellPlatform(next)}`;
}

function isSame(one: Platform, other: Platform): boolean {
  const isVariant = !one.variant || !other.variant || one.variant === other.variant;
  return one.os === other.os && one.architecture === other.architecture && isVariant;
}
