/** Looks at watched tags: for all services that watch one together, and not in the same moment as everybody else. */

import type { Host } from '@swell/shared/adapters/host.ts';
import type { Registry, Sight } from '@swell/shared/adapters/registry.ts';
import { describeTag, type TagReference } from '@swell/shared/domain/watch.ts';

/** Services that watch one image ask within a tick of each other; other fleets ask in the same second. */
const GATHER_MIN_MS = 100;
const JITTER_MS = 1_000;

export class TagLooks {
  readonly #host: Host;
  readonly #registry: Registry;
  /** Questions that are not asked yet: whoever joins one hears what the registry says after he came. */
  readonly #gathering = new Map<string, Promise<Sight>>();

  constructor({ host, registry }: { readonly host: Host; readonly registry: Registry }) {
    this.#host = host;
    this.#registry = registry;
  }

  /** @throws RegistryError, or the signal's reason */
  look(image: TagReference, signal: AbortSignal): Promise<Sight> {
    const name = describeTag(image);
    const joined = this.#gathering.get(name) ?? this.#ask(name, image, signal);
    this.#gathering.set(name, joined);
    return joined;
  }

  async #ask(name: string, image: TagReference, signal: AbortSignal): Promise<Sight> {
    try {
      await this.#host.sleep(GATHER_MIN_MS + this.#host.random() * JITTER_MS, signal);
    } finally {
      this.#gathering.delete(name);
    }
    return this.#registry.look(image, signal);
  }
}
