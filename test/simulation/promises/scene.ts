/** What every promise is judged with. */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { NodeId, Region, ServiceName } from '@swell/shared/domain/names.ts';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import type { Bench } from '../judge/bench.ts';
import type { Shown } from '../watched-tag.ts';
import type { Calm } from './calm.ts';
import type { Policies } from './policies.ts';
import type { Precedences } from './precedence.ts';

export interface Scene {
  readonly service: ServiceName;
  /** Of all services, each as it stands to those that depend on it. */
  readonly precedences: Precedences;
  readonly bench: Bench;
  /** What the tag that is watched has named, one after the other; nothing where none is. */
  readonly shown: readonly Shown[];
  /** Since when the registry has answered everybody at once. */
  readonly registryFineSinceMs: () => number;
  readonly policies: Policies;
  readonly calm: Calm;
  /** Every node that a region has ever had. */
  readonly nodesOf: (region: Region) => readonly NodeId[];
  /** Those of a region that are surely known to be there; undefined: of some nobody may say. */
  readonly known: (region: Region) => readonly NodeId[] | undefined;
  readonly labelsOf: (node: NodeId) => readonly string[];
  /** The bus's clock has never jumped. */
  readonly isClockTrue: () => boolean;
  /** When Prometheus has last said a number. */
  readonly prometheusSpokeAtMs: () => number;
  /** Which nodes run this image? */
  readonly runningOn: (digest: Digest) => readonly NodeId[];
  /** Can this image never be well there? */
  readonly isHopeless: (digest: Digest, node: NodeId) => boolean;
  readonly after: (ms: number, act: () => void) => void;
}

/** A node's word that it updates, by a rollout on its way (who goes by a settled wave follows no rollout's pace). */
export interface ToldStart {
  readonly report: NodeReport;
  readonly wave: Wave;
  readonly claimedAtMs: number;
}

/** Presence expires after three minutes. */
export const KNOWN_AFTER_MS = 240_000;

/** What people write is read by a coordinator within this, also where one has to begin first. */
export const READ_WITHIN_MS = 180_000;

/** An event may wait for the bus, and for another coordinator: one that is told before it can be stored after it. */
export const TOLD_WITHIN_MS = 600_000;
