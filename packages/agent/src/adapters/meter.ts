/** What a service's containers take, and how they are: for whoever watches the node. No core ever hears of it. */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';

export interface Measured {
  /** Its name. */
  readonly container: string;
  /** Every digest that a registry gave its image. */
  readonly digests: readonly Digest[];
  /** It runs, and its own health check, where it has one, does not say otherwise. */
  readonly isHealthy: boolean;
  /** How often it was started again after it had ended. */
  readonly restarts: number;
  /** Since it started; missing where it does not run, or nobody counts. */
  readonly usage?: Usage;
}

export interface Usage {
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

export interface Meter {
  /** The containers that stand for a service now. Throws `EngineError` where the engine does not answer. */
  measure(service: ServiceName): Promise<readonly Measured[]>;
}
