import type { Digest } from './image.ts';
import type { NodeId, Region, ServiceName } from './names.ts';

/**
 * What a node says of itself after each step that matters.
 *
 * On the way: `staged`, `stage-failed`, `refused` (the operator or the engine says no, and why), `updating`, `returning`,
 * `stuck` (the engine cannot end the attempt, which is tried on, and why), `unhealthy` (on a release that cannot be undone,
 * and not well: it stays out of rotation, keeps its slot and is asked on, until it is well or a newer release comes).
 * Results, one for every attempt (I8):
 * - `healthy`: on the release, and well.
 * - `failed`: the release was not well here; the last good image runs again. After `unhealthy`: the release itself still
 *   runs, and a newer one takes its place.
 * - `interrupted`: the attempt ended before it showed anything about the release; the node may try again.
 * - `returned`: back on the last good image after a halt.
 * - `kept`: could not go back after a halt (no last good image, or the engine refused); still on what it runs.
 */
export const NODE_STATUSES = [
  'staged',
  'stage-failed',
  'refused',
  'updating',
  'returning',
  'stuck',
  'unhealthy',
  'healthy',
  'failed',
  'interrupted',
  'returned',
  'kept',
] as const;
export type NodeStatus = (typeof NODE_STATUSES)[number];

export const RESULTS = [
  'healthy',
  'failed',
  'interrupted',
  'returned',
  'kept',
] as const satisfies readonly NodeStatus[];
export type Result = (typeof RESULTS)[number];

export function isResult(status: NodeStatus): status is Result {
  return (RESULTS as readonly NodeStatus[]).includes(status);
}

/** What a node went by when it started (I2), so that whoever reads the log can judge it. */
export interface Warrant {
  readonly waveRevision: number;
  readonly slot: number;
  /** The claim's revision, a fencing token. */
  readonly fence: number;
  /** By the node's own monotonic clock; missing where the wave needs none. */
  readonly pulseAgeMs?: number;
}

export interface NodeReport {
  /** The same whenever it is said again: `<rollout>.<attempt>.<status>`, or with a count where there is no attempt. */
  readonly id: string;
  readonly region: Region;
  readonly node: NodeId;
  readonly service: ServiceName;
  readonly rollout: number;
  readonly status: NodeStatus;
  /** Names the attempt among all of this node's: present from `updating` or `returning` to the result. */
  readonly attempt?: string;
  readonly warrant?: Warrant;
  /** Of a result: after which word to try again it was begun; missing: none. */
  readonly retry?: number;
  /** What runs now. */
  readonly running?: Digest;
  /** For people; always there where something did not go well. */
  readonly reason?: string;
}

/** A node's record that expires when it is silent. */
export interface Presence {
  readonly region: Region;
  readonly node: NodeId;
  readonly agentVersion: string;
  /** What its operator calls it, to be picked out by: `canary`, `rack=7`. */
  readonly labels?: readonly string[];
  readonly services: Readonly<Record<ServiceName, ServicePresence>>;
}

/** A node's answer to the question why it waits. */
export interface Explanation {
  readonly region: Region;
  readonly node: NodeId;
  /** One sentence for each service. */
  readonly services: Readonly<Record<ServiceName, string>>;
}

export interface ServicePresence {
  /** What runs; missing where the image has no digest of a registry (built on the node). */
  readonly running?: Digest;
  readonly version?: string;
  /** The agent's phase for the service, in the words of its core. */
  readonly phase: string;
  /** Would this node start now if it were admitted? If not, `reason` says why. */
  readonly ready: boolean;
  readonly reason?: string;
}
