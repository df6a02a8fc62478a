/** How a rollout stands and what became of those before it, for a person who asks the leader. */

import type { NodeId, Region, ServiceName } from '@swell/shared/domain/names.ts';
import type { Policy } from '@swell/shared/domain/policy.ts';
import { FIRST } from '@swell/shared/domain/rank.ts';
import type { PastRollout, Rollout, RolloutPhase } from '@swell/shared/domain/rollout.ts';
import { NODE_STANDINGS, type NodeStanding } from '@swell/shared/domain/standing.ts';
import { releaseReference } from '@swell/shared/domain/unit.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import { timeOf } from '../limits/cool-down.ts';
import { countBelow, lineOf } from '../nodes/line.ts';
import { isCensusComplete } from '../nodes/look-out.ts';
import { type Attempts, countAttempts } from '../nodes/tally.ts';
import { stageOf } from '../stage/places.ts';
import { activeRegions, knownRegions } from '../stage/regions.ts';
import { policyOf, type ServiceState } from '../state.ts';
import { type Because, explain, explainCandidate } from './explain.ts';

export interface RolloutView {
  readonly service: ServiceName;
  /** Why it does not go on right now. */
  readonly line: string;
  readonly because: Because;
  readonly rollout?: number;
  readonly version?: string;
  readonly image?: string;
  readonly phase: RolloutPhase['name'] | 'none';
  readonly paused?: { readonly since: string; readonly reason: string };
  readonly stage?: Wave['stage'];
  readonly attempts?: Attempts;
  readonly regions: readonly RegionView[];
  /** A release that has not begun. */
  readonly waiting?: { readonly rollout: number; readonly line: string };
  /** Every node that is there has had the time to show itself. */
  readonly complete: boolean;
  /** What is in force: the defaults, under the service's policy, under what the release brought along. */
  readonly policy: Policy;
}

export interface RegionView {
  readonly region: Region;
  readonly itsTurn: boolean;
  readonly windowClosed: boolean;
  /** Of its nodes that are there, so many are admitted; the stage takes in so many. */
  readonly nodes: number;
  readonly admitted: number;
  readonly inStage: number;
  readonly slots: { readonly of: number; readonly held: Readonly<Record<string, NodeId>> };
  readonly standing: Readonly<Record<NodeStanding, number>>;
}

export function viewRollout(state: ServiceState, nowMs: number): RolloutView {
  const { service, record } = state;
  const { rollout, candidate } = record;
  const [{ line, because }] = explain(state, nowMs);
  const [waits] = explainCandidate(state, nowMs);
  return {
    service,
    line,
    because,
    ...(rollout === undefined ? { phase: 'none', regions: [] } : viewPresent(state, rollout, nowMs)),
    ...(candidate !== undefined && {
      waiting: { rollout: candidate.rollout, line: waits?.line ?? 'it is about to begin' },
    }),
    complete: isCensusComplete(state, nowMs),
    policy: policyOf(state),
  };
}

function viewPresent(state: ServiceState, rollout: Rollout, nowMs: number) {
  const { release, phase, paused, percent } = rollout;
  return {
    rollout: release.rollout,
    version: release.version,
    image: releaseReference(release.image),
    phase: phase.name,
    ...(paused !== undefined && { paused: { since: timeOf(paused.sinceMs), reason: paused.reason } }),
    stage: stageOf(policyOf(state), percent),
    attempts: countAttempts(rollout, state.census),
    regions: knownRegions(state).map((region) => viewRegion(state, rollout, region, nowMs)),
  };
}

function viewRegion(state: ServiceState, rollout: Rollout, region: Region, nowMs: number): RegionView {
  const line = lineOf(state.census, rollout, region, nowMs);
  const { cursor, stageBelow, slots } = {
    cursor: FIRST,
    stageBelow: FIRST,
    slots: 0,
    ...rollout.regions[region],
  };
  const held = [...(state.slots.get(region) ?? [])].flatMap(([slot, { entry }]) =>
    entry.holder === undefined ? [] : [[String(slot), entry.holder.node] as const],
  );
  const counts = Object.groupBy(line.standings, (is) => is);
  return {
    region,
    itsTurn: activeRegions(state, rollout).includes(region),
    windowClosed: rollout.closed.includes(region),
    nodes: line.nodes.length,
    admitted: countBelow(line, cursor),
    inStage: countBelow(line, stageBelow),
    slots: { of: slots, held: Object.fromEntries(held) },
    standing: Object.fromEntries(
      NODE_STANDINGS.map((is) => [is, counts[is]?.length ?? 0]),
    ) as RegionView['standing'],
  };
}

/** Of a rollout as it is remembered. */
export interface PastView {
  readonly rollout: number;
  readonly version: string;
  readonly digest: string;
  readonly begunAt: string;
  readonly outcome: 'under way' | NonNullable<PastRollout['ended']>['as'];
  readonly endedAt?: string;
  readonly reason?: string;
  readonly attempted?: number;
  readonly failed?: number;
}

export interface HistoryView {
  readonly service: ServiceName;
  readonly line: string;
  /** Newest first. */
  readonly rollouts: readonly PastView[];
}

export function viewHistory({ service, record }: ServiceState): HistoryView {
  const { past, settled } = record;
  const [on] = settled;
  const now = on === undefined ? 'it has settled on none yet' : `the fleet has settled on ${on.version}`;
  return {
    service,
    line: `${past.length} rollouts of ${service} are remembered: ${now}`,
    rollouts: past.map(({ ended, begunAtMs, ...one }) => ({
      ...one,
      begunAt: timeOf(begunAtMs),
      outcome: ended?.as ?? 'under way',
      ...(ended !== undefined && {
        endedAt: timeOf(ended.atMs),
        ...(ended.reason !== undefined && { reason: ended.reason }),
        attempted: ended.attempted,
        failed: ended.failed,
      }),
    })),
  };
}
