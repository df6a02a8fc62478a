/**
 * Was the record put back alone? It is saved before anything is ordered by it, so an order that is ahead of it can only come
 * of a record that is gone: the bucket was restored from an older copy, or made anew. By what is left nothing is ordered, and
 * nobody is vouched for: it would take the fleet back to an older release, and forget what was halted.
 */

import { FIRST } from '@swell/shared/domain/rank.ts';
import { isUnderWay } from '@swell/shared/domain/rollout.ts';
import type { Halt, Wave } from '@swell/shared/domain/wave.ts';
import { unreachable } from '@swell/shared/kernel/unreachable.ts';
import type { ServiceState } from './state.ts';
import { tell } from './tell.ts';

/** The state once all of the bus has been read: it decides, unless its record is older than the orders. */
export function begin(state: ServiceState, nowMs: number): ServiceState {
  const ahead = orderAhead(state);
  const begun = { ...state, readAtMs: nowMs, progress: { steps: -1, sinceMs: nowMs } };
  if (ahead === undefined) return { ...begun, ready: true };
  return tell(
    { ...begun, isSetBack: true },
    {
      name: 'record-set-back',
      mark: nowMs,
      line: `the record of ${state.service} is older than ${ahead}: nothing is ordered by it until a person decides (OPERATIONS)`,
    },
  );
}

/** An order that this record cannot have led to, in words. */
function orderAhead(state: ServiceState): string | undefined {
  for (const [region, { stored }] of state.waves) {
    if (stored !== undefined && isAhead(state, stored))
      return `the wave of ${region}, which is ${stored.phase} for rollout ${stored.release.rollout}`;
  }
  const { rollout, halted } = state.record;
  const halts = [state.halt, ...state.waves.values()].map(({ stored }) => haltIn(stored));
  // One that is to be lifted was of an earlier rollout.
  const unknown = halts.find(
    (halt) =>
      halt !== undefined &&
      halt.rollout >= (rollout?.release.rollout ?? 0) &&
      !halted.some((one) => one.rollout === halt.rollout),
  );
  return unknown && `the halt of rollout ${unknown.rollout}`;
}

function haltIn(order: Halt | Wave | undefined): Halt | undefined {
  return order !== undefined && 'region' in order ? order.halt : order;
}

function isAhead({ record: { rollout } }: ServiceState, wave: Wave): boolean {
  const number = rollout?.release.rollout ?? 0;
  if (rollout === undefined || wave.release.rollout !== number) return wave.release.rollout > number;
  switch (wave.phase) {
    case 'staging':
    case 'open':
    case 'paused':
      return wave.cursor > (rollout.regions[wave.region]?.cursor ?? FIRST);
    case 'settled':
    case 'halted':
    case 'aborted':
      return isUnderWay(rollout);
    default:
      return unreachable(wave.phase);
  }
}
