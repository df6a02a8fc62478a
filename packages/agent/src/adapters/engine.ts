/**
 * All that an agent knows of a container engine: Docker in production, memory in the demo's fall-back and under test.
 *
 * A *swap* gives a service's container another image and nothing else. It goes prepare → cut over → commit, or is
 * undone at any point; the engine keeps its marks on the containers themselves, so that {@link Engine.observe} tells
 * after any crash how far a swap had come. Every method is idempotent: called again after it was cut off, it finishes.
 */

import type { Probe } from '@swell/shared/domain/health.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { InFlight } from '@swell/shared/domain/traffic.ts';
import type { ReleaseImage } from '@swell/shared/domain/unit.ts';
import type { Leave, Observation, ProbeOutcome, SwapOrder } from '../core/container.ts';

export type EngineErrorCode =
  /** The engine does not answer, or not now. */
  | 'unavailable'
  /** The registry does not answer, limits the rate, or the disk is full for the moment. */
  | 'pull-failed'
  /** The disk is full, or a pull would leave less of it than is reserved. */
  | 'no-room'
  /** The registry or the engine knows no such image, or nobody may have it. */
  | 'image-missing'
  /** What was pulled is not what was asked for (I11). */
  | 'digest-mismatch'
  /** There is no container of the service. */
  | 'no-container'
  /** The container cannot be carried over; the message says what and why. Nothing was touched. */
  | 'not-carried'
  /** The new container did not start. */
  | 'start-failed'
  /** The swap cannot be undone, and its new container has been started. */
  | 'irreversible';

export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineErrorCode;
  /** What the registry asked us to wait. */
  readonly retryAfterMs: number | undefined;
  constructor(
    code: EngineErrorCode,
    message: string,
    options?: { readonly cause?: unknown; readonly retryAfterMs?: number | undefined },
  ) {
    super(message, options);
    this.code = code;
    this.retryAfterMs = options?.retryAfterMs;
  }
  get retryable(): boolean {
    return this.code === 'unavailable' || this.code === 'pull-failed' || this.code === 'no-room';
  }
}

export interface Engine extends AsyncDisposable {
  /** `docker` or `memory`. */
  readonly kind: string;
  /** The services that have a container in this agent's scope, stopped ones included. */
  services(): Promise<readonly ServiceName[]>;
  observe(service: ServiceName): Promise<Observation>;
  /**
   * Brings the image, or all those of a unit, to the node and verifies their digests (I11). What was not there is known as Swell's from then on, brought
   * for this service; without one it is as if an operator had brought it.
   */
  stageImage(image: ReleaseImage, signal: AbortSignal, service?: ServiceName): Promise<void>;
  /**
   * Takes away what Swell brought for this service, as far as {@link mayGo} says so; where the service has no container,
   * nothing. What went, in words.
   */
  cleanImages(service: ServiceName, wanted?: readonly Digest[]): Promise<readonly string[]>;
  /** Creates the new container beside the old one, and proves that it differs only in its image. Nothing stops. */
  prepareSwap(order: SwapOrder): Promise<void>;
  /**
   * Starts the new container while the old one serves on; of several, the one that is to go over next. False: the two
   * cannot run side by side, and nothing was done.
   */
  startBeside(service: ServiceName): Promise<boolean>;
  /**
   * Takes the prepared swap to `cut-over`: the old container stops, the new one takes its name and starts. Of several
   * containers one goes over, and more, one by one, until at most `left` are left. How many are left.
   */
  cutOver(service: ServiceName, left?: number): Promise<number>;
  /** Makes the new container the service's only one. */
  commitSwap(service: ServiceName): Promise<void>;
  /**
   * Brings the old container back, running, under its name, and removes the new one. Needs no bus, no registry (I10).
   * Throws `irreversible` where the order was, and a new container has been started.
   */
  undoSwap(service: ServiceName): Promise<void>;
  /** Asks the service's present containers (after a cut-over: the new ones) how they are. Never throws for an unhealthy one. */
  probe(service: ServiceName, probe: Probe, timeoutMs: number): Promise<ProbeOutcome>;
  /** Asks the application whether its container may stop: its lock, and the hook before an update. Throws where the engine does not answer. */
  askLeave(service: ServiceName): Promise<Leave>;
  /** Asks the new container's hook after an update; why it is not well, or undefined. Throws where the engine does not answer. */
  confirm(service: ServiceName): Promise<string | undefined>;
  /** How many requests the service's present container says that it works on; undefined: no such answer. Never throws. */
  countInFlight(service: ServiceName, inFlight: InFlight, timeoutMs: number): Promise<number | undefined>;
  /** A hint that a container of a service changed by somebody's hand. Ends when the engine is disposed. */
  changes(): AsyncIterable<ServiceName>;
}
