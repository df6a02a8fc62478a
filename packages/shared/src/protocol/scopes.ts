/** Whose a region is, as a person writes it into `swell_rollouts` under `region.<region>`. */

import { z } from 'zod';
import type { Region } from '../domain/names.ts';
import type { Assignments, Scope } from '../domain/scope.ts';
import type { Parsed } from '../kernel/parsed.ts';
import { decode } from './codec.ts';
import { name } from './fields.ts';
import { regionOf } from './subjects.ts';

export const assignmentSchema = z.strictObject({
  scope: name.describe('The SWELL_SCOPE of the coordinators that lead this region'),
});

/** A message of `region.<region>`; `scope` is missing where it was deleted: the region is of the global one. */
export interface Assignment {
  readonly region: Region;
  readonly scope?: Scope;
}

interface Message {
  readonly subject: string;
  readonly body: Uint8Array;
  readonly deleted: boolean;
}

export function readAssignment({ subject, body, deleted }: Message): Parsed<Assignment> {
  const region = regionOf(subject);
  if (region === undefined) return { ok: false, problems: ['its key names no region'] };
  if (deleted) return { ok: true, value: { region } };
  const read = decode(body, assignmentSchema);
  return read.ok ? { ok: true, value: { region, scope: read.value.scope } } : read;
}

/** All that stands there. What does not parse is kept as nobody's. */
export function readAssignments<Stored extends Message>(
  messages: readonly Stored[],
  onUnreadable: (message: Stored, problems: readonly string[]) => void = () => {},
): Assignments {
  const assigned = new Map<Region, Scope | undefined>();
  for (const message of messages) {
    const region = regionOf(message.subject);
    const read = readAssignment(message);
    if (!read.ok) onUnreadable(message, read.problems);
    if (region !== undefined && (!read.ok || read.value.scope !== undefined))
      assigned.set(region, read.ok ? read.value.scope : undefined);
  }
  return assigned;
}
