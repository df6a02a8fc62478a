/** A registry that knows tags, of which some move, and that may be down, slow, or wish to be left alone. */

import type { Registry } from '@swell/shared/adapters/registry.ts';
import { RegistryError } from '@swell/shared/adapters/registry-error.ts';
import type { Digest, ImageReference } from '@swell/shared/domain/image.ts';
import type { Process } from './process.ts';

/** It answers 429, with the time after which it may be asked again; or late. */
export type RegistryTrouble =
  | { readonly is: 'limited'; readonly retryAfterMs: number }
  | { readonly is: 'slow'; readonly ms: number };

export class RegistryModel {
  readonly tags = new Map<string, Digest>();
  /** Tags that name one image after the other. */
  readonly moving = new Map<string, Digest>();
  isDown = false;
  trouble: RegistryTrouble | undefined;

  seenBy(process: Process): Registry {
    const find = async ({ tag = 'latest', digest }: ImageReference, signal: AbortSignal): Promise<Digest> => {
      if (this.trouble?.is === 'slow') await process.host.sleep(this.trouble.ms, signal);
      if (this.isDown) throw new RegistryError('unavailable', 'the registry does not answer');
      if (this.trouble?.is === 'limited')
        throw new RegistryError('rate-limited', 'too many questions', this.trouble);
      const found = digest ?? this.moving.get(tag) ?? this.tags.get(tag);
      if (found === undefined) throw new RegistryError('not-found', `there is no ${tag}`);
      return found;
    };
    return {
      resolve: (image, signal) => process.effect('resolve', () => find(image, signal)),
      look: (image, signal) => process.effect('look', async () => ({ digest: await find(image, signal) })),
    };
  }
}
