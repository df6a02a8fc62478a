import type { HealthCheck } from './health.ts';
import type { Hold } from './hold.ts';
import type { Digest } from './image.ts';
import type { NodeId, Region, ServiceName } from './names.ts';
import type { MaxSurge } from './policy.ts';
import { isBelow, type Rank } from './rank.ts';
import type { Scope } from './scope.ts';
import type { Drain, Rejoin } from './traffic.ts';
import type { ReleaseImage } from './unit.ts';

/** What a service is to run, pinned. `rollout` is its number: the stream sequence of the message that published it. */
export interface Release {
  readonly rollout: number;
  readonly service: ServiceName;
  readonly image: ReleaseImage;
  readonly version: string;
  /** Versions and ranges from which nodes may start; missing: from any. */
  readonly from?: readonly string[];
  /** How often nodes that failed have been told to try again; missing: never. */
  readonly retry?: number;
  /** The release train that it belongs to. */
  readonly train?: string;
  /** What it does to its data cannot be undone: once its container has been started, nobody goes back from it. */
  readonly irreversible?: true;
}

/**
 * What nodes may do with a wave.
 *
 * - `staging`: download; nobody starts.
 * - `open`: admitted nodes take their turn.
 * - `paused`: nobody starts; who has begun ends it.
 * - `settled`: everybody who is not there yet takes his turn, whenever he comes; needs no pulse.
 * - `halted`: nobody starts; who is on the release returns.
 * - `aborted`: nobody starts; everybody stays as he is.
 */
export type WavePhase = 'staging' | 'open' | 'paused' | 'settled' | 'halted' | 'aborted';

/** The standing order for one service in one region. */
export interface Wave {
  readonly region: Region;
  readonly service: ServiceName;
  /** Whose leader has written it; missing: the global one's. */
  readonly scope?: Scope;
  /** The newest halt in that scope, which has no key of its own: a broadcast reaches all regions, and this one its own. */
  readonly halt?: Halt;
  readonly release: Release;
  readonly phase: WavePhase;
  /** Where the rollout stands, for people: stage 2 of 5, up to 12.5 %. */
  readonly stage: { readonly number: number; readonly of: number; readonly percent: number };
  readonly seed: string;
  /** Nodes that come before all others, whatever their rank by the seed. */
  readonly canaries?: readonly NodeId[];
  /** Nodes that have to stay as they are, and why. */
  readonly holds?: readonly Hold[];
  /** Nodes below it download the image. */
  readonly stageBelow: Rank;
  /** Nodes below it are admitted. */
  readonly cursor: Rank;
  /** Slots of the region: keys 0 … slots − 1. */
  readonly slots: number;
  readonly slotLeaseMs: number;
  readonly stagingSpreadMs: number;
  readonly stopTimeoutMs?: number;
  /** Missing: 0. Of an irreversible release `never`, which no agent can read that knows nothing of such ones. */
  readonly maxSurge?: MaxSurge | 'never';
  readonly health: HealthCheck;
  readonly drain: Drain;
  readonly rejoin: Rejoin;
}

/** The broadcast that a rollout is bad. Kept: it is what a node that was away reads before it acts (B11, B12). */
export interface Halt {
  readonly service: ServiceName;
  readonly rollout: number;
  readonly digest: Digest;
  readonly version: string;
  readonly reason: string;
  /** Nobody returns: who is on it already stays. */
  readonly stay?: true;
  /** As that rollout the fleet had settled on this digest before: nobody returns, and it stays good enough to go back to. */
  readonly settledAs?: number;
}

/** An order with the revision under which the bus stored it. */
export interface Standing<Order> {
  readonly order: Order;
  readonly revision: number;
}

/** May a node of this rank start an update by this wave? (the wave's half of I2) */
export function admits(wave: Wave, rank: Rank): boolean {
  return wave.phase === 'settled' || (wave.phase === 'open' && isBelow(rank, wave.cursor));
}

/** Should a node of this rank have the image at hand? */
export function wantsStaged(wave: Wave, rank: Rank): boolean {
  const staging = wave.phase === 'staging' || wave.phase === 'open';
  return wave.phase === 'settled' || (staging && isBelow(rank, Math.max(wave.stageBelow, wave.cursor)));
}

/**
 * Is this digest, as this rollout, what was halted? A later release may carry the same digest on purpose (a person
 * said so); an earlier one may not, but where the fleet had settled on it.
 */
export function isHalted(
  halt: Halt | undefined,
  release: { readonly rollout: number; readonly image: { readonly digest: Digest } },
): boolean {
  if (halt === undefined || release.image.digest !== halt.digest) return false;
  return release.rollout <= halt.rollout && release.rollout > (halt.settledAs ?? 0);
}

/** How often the leading coordinator says that it stands behind its waves. */
export const PULSE_EVERY_MS = 10_000;
/** I3. By the agent's monotonic clock: a wave without a pulse for longer lets nobody start. */
export const PULSE_FRESH_MS = 30_000;
