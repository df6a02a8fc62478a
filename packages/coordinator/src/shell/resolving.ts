/** A release's images, asked of their registries: of a unit all of them, or it has none. */

import type { Registry } from '@swell/shared/adapters/registry.ts';
import { type ReleaseReference, type Resolved, unitDigest } from '@swell/shared/domain/unit.ts';

export async function resolveRelease(
  registry: Registry,
  image: ReleaseReference,
  signal: AbortSignal,
): Promise<Resolved> {
  if (!('parts' in image)) return { digest: await registry.resolve(image, signal) };
  const answers = await Promise.all(
    Object.entries(image.parts).map(
      async ([part, one]) => [part, await registry.resolve(one, signal)] as const,
    ),
  );
  const parts = Object.fromEntries(answers);
  return { digest: unitDigest(parts), parts };
}
