/** Scopes of regions that are led apart (decision 29): which there are, and which one is meant. */

import type { Bus } from '@swell/shared/adapters/bus.ts';
import { isName } from '@swell/shared/domain/names.ts';
import type { Assignments, Scope } from '@swell/shared/domain/scope.ts';
import { readAssignments } from '@swell/shared/protocol/scopes.ts';
import { ALL_REGIONS, STREAMS } from '@swell/shared/protocol/subjects.ts';
import { textOf } from './command.ts';
import type { Values } from './connection.ts';
import { UsageError } from './usage.ts';

export const SCOPE_OPTION = { scope: { type: 'string' } } as const;

/** Missing: the global one. */
export function scopeOf(values: Values): { readonly scope?: Scope } {
  const scope = textOf(values, 'scope');
  if (scope === undefined) return {};
  if (isName(scope)) return { scope };
  throw new UsageError(`--scope: "${scope}" is no scope: 1 to 63 letters, digits, "-" or "_"`);
}

export async function assignmentsOn(bus: Bus): Promise<Assignments> {
  return readAssignments(await bus.readLastOfEach(STREAMS.rollouts, [ALL_REGIONS]));
}
