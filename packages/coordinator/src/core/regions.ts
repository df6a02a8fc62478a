/** Which regions' turn it is. */

import type { Region } from '@swell/shared/domain/names.ts';
import type { Policy } from '@swell/shared/domain/policy.ts';

/**
 * The groups of regions, in order, as far as any of their regions is known. Regions that no group names come last.
 *
 * @param known every region where a node of the service has been seen
 */
export function regionGroups(policy: Policy, known: readonly Region[]): readonly (readonly Region[])[] {
  if (policy.regions === 'parallel') return [known];
  const named = new Set(policy.regions.flat());
  const groups = policy.regions.map((group) => group.filter((region) => known.includes(region)));
  return [...groups, known.filter((region) => !named.has(region))];
}
