/** What became of every release of a service: what was published, beside what the log or, where that has forgotten it, the record tells. */

import type { EventName, FleetEvent } from '@swell/shared/domain/event.ts';
import type { PastRollout } from '@swell/shared/domain/rollout.ts';
import type { Row } from './rows.ts';
import { table } from './rows.ts';
import type { ToldEvent } from './sightings.ts';

/** What stands on the bus as a release: of a malformed one nothing is known but its place. */
export interface PublishedRelease {
  readonly rollout: number;
  readonly atMs: number;
  readonly image?: string;
  readonly version?: string;
}

export interface PastRelease {
  readonly rollout: number;
  readonly publishedAt: string;
  readonly image?: string;
  readonly version?: string;
  /** `unknown`: neither the log nor the record reaches back to it. */
  readonly outcome: Outcome;
  /** Of the last thing that was told of it. */
  readonly toldAt?: string;
  readonly reason?: string;
  /** Nodes that went back by themselves, and slots that were lost. */
  readonly failures: number;
}

type Outcome =
  | 'under way'
  | 'settled'
  | 'halted'
  | 'aborted'
  | 'superseded'
  | 'rejected'
  | 'waiting'
  | 'unknown';

/** What an event makes of its release; the others leave it as it is. */
const OUTCOMES: Readonly<Partial<Record<EventName, Outcome>>> = {
  'release-accepted': 'under way',
  'release-delayed': 'waiting',
  'release-rejected': 'rejected',
  'rollout-started': 'under way',
  'rollout-superseded': 'superseded',
  'rollout-halted': 'halted',
  'rollout-aborted': 'aborted',
  'rollout-settled': 'settled',
};

/**
 * Newest first.
 *
 * @param recorded what the coordinator's record keeps of rollouts, for longer than the log does
 * @param taken the number of the last release that a coordinator has taken
 */
export function historyOf(
  published: readonly PublishedRelease[],
  events: readonly ToldEvent[],
  recorded: readonly PastRollout[],
  taken: number,
): readonly PastRelease[] {
  const byRollout = Map.groupBy(events, ({ event }) => event.rollout);
  return published
    .map((release) => {
      const told = byRollout.get(release.rollout) ?? [];
      const kept = recorded.find(({ rollout }) => rollout === release.rollout);
      const isTold = kept === undefined || told.some(({ event }) => isDecisive(event, told));
      return isTold ? toldOf(release, told, taken) : recordedOf(release, kept);
    })
    .toSorted((a, b) => b.rollout - a.rollout);
}

function recordedOf({ atMs, ...release }: PublishedRelease, { ended }: PastRollout): PastRelease {
  return {
    ...release,
    publishedAt: new Date(atMs).toISOString(),
    outcome: ended?.as ?? 'under way',
    ...(ended !== undefined && { toldAt: new Date(ended.atMs).toISOString() }),
    ...(ended?.reason !== undefined && { reason: ended.reason }),
    failures: ended?.failed ?? 0,
  };
}

function toldOf(
  { atMs, ...release }: PublishedRelease,
  told: readonly ToldEvent[],
  taken: number,
): PastRelease {
  const decisive = told.findLast(({ event }) => isDecisive(event, told));
  const untold = release.rollout > taken ? 'waiting' : 'unknown';
  const outcome = (decisive && OUTCOMES[decisive.event.name]) ?? untold;
  const last = told.at(-1);
  const reason = outcome === 'under way' || outcome === 'settled' ? undefined : reasonOf(decisive?.event);
  return {
    ...release,
    publishedAt: new Date(atMs).toISOString(),
    outcome,
    ...(last !== undefined && { toldAt: new Date(last.atMs).toISOString() }),
    ...(reason !== undefined && { reason }),
    failures: failuresIn(told.map(({ event }) => event)),
  };
}

/** Who was not well on what cannot be undone has failed once, also where he gave way to something newer later. */
function failuresIn(events: readonly FleetEvent[]): number {
  const out = events.filter(({ name }) => name === 'node-unhealthy');
  const isOut = (one: FleetEvent): boolean =>
    out.some(({ region, node }) => region === one.region && node === one.node);
  const others = events.filter(
    (one) => one.name === 'slot-lost' || (one.name === 'node-failed' && !isOut(one)),
  );
  return out.length + others.length;
}

/** A rollout that was superseded while it was going back had been halted. */
function isDecisive({ name }: FleetEvent, told: readonly ToldEvent[]): boolean {
  const wasHalted = told.some(({ event }) => event.name === 'rollout-halted');
  return OUTCOMES[name] !== undefined && !(wasHalted && name === 'rollout-superseded');
}

function reasonOf(event: FleetEvent | undefined): string | undefined {
  return event?.problems?.join('; ') ?? event?.line;
}

export function drawHistory(releases: readonly PastRelease[]): readonly Row[] {
  return table(
    ['ROLLOUT', 'PUBLISHED', 'VERSION', 'OUTCOME', 'FAILURES', 'IMAGE', 'REASON'],
    releases.map(({ rollout, publishedAt, version = '', outcome, failures, image = '', reason = '' }) => [
      String(rollout),
      publishedAt.replace(/\.\d+Z$/, 'Z'),
      version,
      outcome,
      String(failures),
      image,
      reason,
    ]),
  );
}
