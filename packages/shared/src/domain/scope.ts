/**
 * Regions that are led apart from all others. Whose a region is, a person has written: one word for each region, so that none
 * can be two scopes'. Where nothing is written, it is of the global one, which has no name.
 */

import type { Region } from './names.ts';

export type Scope = string;

/** What is written of each region; `undefined`: something that nobody can read. */
export type Assignments = ReadonlyMap<Region, Scope | undefined>;

/** Has this scope (missing: the global one) that region? What nobody can read is nobody's. */
export function isOf(assigned: Assignments, scope: Scope | undefined, region: Region): boolean {
  if (!assigned.has(region)) return scope === undefined;
  return scope !== undefined && assigned.get(region) === scope;
}

/** All scopes that have a region, in order of their names. */
export function scopesOf(assigned: Assignments): readonly Scope[] {
  return [...new Set([...assigned.values()].filter((scope) => scope !== undefined))].sort();
}
