/** How a scope begins: with what the global one knew. */

import type { ServiceRecord } from '@swell/shared/domain/rollout.ts';
import type { Scope } from '@swell/shared/domain/scope.ts';
import { newService, type ServiceState } from './state.ts';
import { tell } from './tell.ts';

/**
 * A scope that has no record of a service goes on where the global one stands, which led its regions so far: neither a cursor
 * nor a halt is forgotten. What that one is publishing and saying stays its own.
 */
export function takenOver(record: ServiceRecord, scope: Scope): ServiceRecord {
  const { publishing: _, ...kept } = record;
  const state: ServiceState = newService(record.service, { ...kept, outbox: [] });
  return tell(state, {
    name: 'record-taken-over',
    line: `scope ${scope} goes on with ${record.service} where the global one stands`,
  }).record;
}
