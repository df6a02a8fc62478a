/** What an image is built for, and whether a node that runs one for an emulated machine gets the same kind again. */

import type { InspectedImage } from '../inspected.ts';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** `v7` of `arm`; most have none. */
  readonly variant?: string;
}

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
  if (wanted === undefined || found === undefined) return true;
  const isVariant =
    found.variant === undefined || wanted.variant === undefined || found.variant === wanted.variant;
  return found.os === wanted.os && found.architecture === wanted.architecture && isVariant;
}
