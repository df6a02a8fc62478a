/** Failures are told in the coordinator's own events, so that whoever tails those alone misses none. */

import type { NodeId } from '@swell/shared/domain/names.ts';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import { rememberLast } from '@swell/shared/kernel/remember.ts';
import type { HeardReport } from '../events.ts';
import { type ServiceState, withRecord } from '../state.ts';
import { tell } from '../tell.ts';
import type { Census, NodeFacts } from './census.ts';

/** So many are told at once; the rest when those are in the log: a thousand nodes that fail do not burst the record. */
const OUTBOX_MAX = 32;

/** Every failure that was reported since the last one told, in the order in which the bus stored them. */
export function tellFailures(state: ServiceState): ServiceState {
  const { failuresTold, outbox } = state.record;
  const room = OUTBOX_MAX - outbox.length;
  if (room <= 0) return state;
  const untold = [...failuresIn(state.census)]
    .filter(({ sequence }) => sequence > failuresTold)
    .sort((a, b) => a.sequence - b.sequence)
    .slice(0, room);
  const last = untold.at(-1);
  if (last === undefined) return state;
  const next = untold.reduce((before, { report }) => tellFailure(before, report), state);
  return withRecord(next, { failuresTold: last.sequence });
}

function* failuresIn(census: Census): Iterable<Pick<HeardReport, 'report' | 'sequence'>> {
  for (const nodes of census.values()) yield* failuresOf(nodes);
}

const failuresOf = rememberLast((nodes: ReadonlyMap<NodeId, NodeFacts>) => {
  const failures: Pick<HeardReport, 'report' | 'sequence'>[] = [];
  for (const { report, reported } of nodes.values()) {
    if ((report?.status === 'failed' || report?.status === 'unhealthy') && reported !== undefined)
      failures.push({ report, sequence: reported.sequence });
  }
  return failures;
});

function tellFailure(
  state: ServiceState,
  { rollout, region, node, status, reason = 'without a reason' }: NodeReport,
): ServiceState {
  const where = `${node} in ${region}`;
  const what = `rollout ${rollout} of ${state.service}`;
  return status === 'unhealthy'
    ? tell(state, {
        name: 'node-unhealthy',
        rollout,
        region,
        node,
        line: `${where} is not well on ${what}, which cannot be undone, and stays out of rotation: ${reason}`,
      })
    : tell(state, {
        name: 'node-failed',
        rollout,
        region,
        node,
        line: `${where} failed ${what}: ${reason}`,
      });
}
