import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { MemoryNode } from './memory-engine.ts';
import type { Measured, Meter } from './meter.ts';

/** {@link Meter} of a machine without containers: what pretends to run takes nothing. */
export class MemoryMeter implements Meter {
  readonly #node: MemoryNode;

  constructor(node: MemoryNode) {
    this.#node = node;
  }

  async measure(service: ServiceName): Promise<readonly Measured[]> {
    const container = this.#node.container(service);
    if (container === undefined) return [];
    const { up, digest, replicas = 1 } = container;
    const isSick = digest !== undefined && this.#node.ailments.sick.has(digest);
    return Array.from({ length: replicas }, (_, index) => ({
      container: replicas === 1 ? service : `${service}-${index + 1}`,
      digests: digest === undefined ? [] : [digest],
      isHealthy: up && !isSick,
      restarts: 0,
    }));
  }
}
