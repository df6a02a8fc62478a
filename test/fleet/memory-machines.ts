/** Nodes without containers: images are real ones of the registry, and each agent's engine only pretends to run them. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest, PinnedImage } from '@swell/shared/domain/image.ts';
import type { Behaviour } from '../support/docker.ts';
import { type DockerRegistry, pushImage } from '../support/docker-registry.ts';

/** An agent's engine has to be told at its start which images will be sick. */
export type MemoryImages = Readonly<Record<string, Extract<Behaviour, 'well' | 'sick'>>>;

/** What the engine of an agent keeps in its state directory (packages/agent/src/adapters/memory-status.ts). */
const STATUS_FILE = 'memory-engine.json';
/** About what Docker takes for a pull or a swap of a small container. */
const WORK_MS = 350;

export class MemoryMachines {
  readonly #service: string;
  readonly #images: ReadonlyMap<string, PinnedImage>;
  readonly #sick: readonly Digest[];

  private constructor(service: string, images: ReadonlyMap<string, PinnedImage>, sick: readonly Digest[]) {
    this.#service = service;
    this.#images = images;
    this.#sick = sick;
  }

  static async push(
    registry: DockerRegistry,
    service: string,
    images: MemoryImages,
  ): Promise<MemoryMachines> {
    const pushed = new Map<string, PinnedImage>();
    for (const tag of Object.keys(images)) {
      const { digest } = await pushImage(registry, service, tag, tag);
      pushed.set(tag, { repository: `${registry.host}/${service}`, tag, digest });
    }
    const sick = [...pushed].filter(([tag]) => images[tag] === 'sick').map(([, { digest }]) => digest);
    return new MemoryMachines(service, pushed, sick);
  }

  image(tag: string): PinnedImage {
    const image = this.#images.get(tag);
    if (image === undefined) throw new Error(`machines in memory were not told of ${tag} when they started`);
    return image;
  }

  /** What the agent of a node is told, so that its machine runs `tag` at first. */
  environment(tag: string): Readonly<Record<string, string>> {
    const machine = {
      containers: { [this.#service]: this.image(tag).digest },
      sick: this.#sick,
      workMs: WORK_MS,
    };
    return { SWELL_ENGINE: 'memory', SWELL_MEMORY_ENGINE: JSON.stringify(machine) };
  }

  /** The engine's own word on what a node runs. */
  async containerOn(
    stateDir: string,
  ): Promise<{ readonly running: boolean; readonly digests: readonly Digest[] } | undefined> {
    const text = await readFile(join(stateDir, STATUS_FILE), 'utf8');
    const status = JSON.parse(text) as Record<string, { readonly up: boolean; readonly digest?: Digest }>;
    const container = status[this.#service];
    if (container === undefined) return undefined;
    const { up, digest } = container;
    return { running: up, digests: digest === undefined ? [] : [digest] };
  }
}
