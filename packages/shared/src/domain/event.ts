/**
 * What the coordinator tells of itself, one event for each thing that a person may want to know: the log that
 * observers tail, that the checker reads and that replays start from.
 */

import type { Digest } from './image.ts';
import type { NodeId, Region, ServiceName } from './names.ts';
import type { Scope } from './scope.ts';

export const EVENT_NAMES = [
  'release-accepted',
  'release-rejected',
  'release-delayed',
  'release-proposed',
  'proposal-withdrawn',
  'tag-passed-over',
  'tag-out-of-reach',
  'control-applied',
  'control-rejected',
  'policy-accepted',
  'policy-rejected',
  'message-rejected',
  'rollout-started',
  'rollout-superseded',
  'stage-staging',
  'stage-opened',
  'stage-finished',
  'approval-awaited',
  'stage-approved',
  'gate-failed',
  'gate-inconclusive',
  'gates-passed',
  'nodes-held',
  'nodes-outdated',
  'window-closed',
  'window-opened',
  'dependency-awaited',
  'dependency-settled',
  'rollout-paused',
  'rollout-resumed',
  'rollout-halted',
  'rollout-rested',
  'rollout-aborted',
  'rollout-settled',
  'node-failed',
  'node-unhealthy',
  'slot-lost',
  'slot-cleared',
  'record-set-back',
  'record-taken-over',
] as const;
export type EventName = (typeof EVENT_NAMES)[number];

export interface FleetEvent {
  /** The same whenever it is told again. */
  readonly id: string;
  readonly name: EventName;
  readonly service: ServiceName;
  /** Whose leader tells it; missing: the global one's. */
  readonly scope?: Scope;
  /** One sentence for whoever tails the log. */
  readonly line: string;
  readonly rollout?: number;
  /** What is proposed. */
  readonly digest?: Digest;
  readonly region?: Region;
  readonly node?: NodeId;
  readonly slot?: number;
  /** The revision of what the event speaks of: of a slot that was lost or cleared. */
  readonly revision?: number;
  /** Of a rejection: every problem, each naming its field and the remedy. */
  readonly problems?: readonly string[];
}
