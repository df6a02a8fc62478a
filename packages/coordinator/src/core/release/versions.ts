/** May a release start from what the fleet is on? */

import type { ReleaseIntent } from '@swell/shared/domain/intent.ts';
import type { ServiceRecord } from '@swell/shared/domain/rollout.ts';
import { tagOf } from '@swell/shared/domain/unit.ts';
import { compareVersions, isVersionIn } from '@swell/shared/domain/version.ts';

export function versionProblems(record: ServiceRecord, intent: ReleaseIntent): readonly string[] {
  return [...downgradeProblems(record, intent), ...fromProblems(record, intent)];
}

/** An older version takes an explicit word. Where a version cannot be told from another (`latest`), nobody is asked. */
function downgradeProblems(
  { settled: [settled], irreversible }: ServiceRecord,
  { image, version = tagOf(image), allowDowngrade }: ReleaseIntent,
): readonly string[] {
  if (version === undefined || allowDowngrade === true) return [];
  const remedy = 'publish a newer one, or say "allowDowngrade": true';
  if (settled !== undefined && isOlder(version, settled.version))
    return [
      `version: ${version} is older than ${settled.version}, on which the fleet has settled: ${remedy}`,
    ];
  // Nobody goes back from it, whether the fleet has settled on it or not.
  const isLeft = irreversible !== undefined && (settled?.rollout ?? 0) < irreversible.rollout;
  return isLeft && isOlder(version, irreversible.version)
    ? [
        `version: ${version} is older than ${irreversible.version}, which cannot be undone and is on some nodes: ${remedy}`,
      ]
    : [];
}

function isOlder(version: string, other: string): boolean {
  const order = compareVersions(version, other);
  return order !== undefined && order < 0;
}

/** Nodes that lag behind are held one by one; here the fleet as a whole is asked. */
function fromProblems({ settled: [settled] }: ServiceRecord, { from }: ReleaseIntent): readonly string[] {
  if (from === undefined) return [];
  if (settled === undefined)
    return ['from: what the fleet is on is not known before a first release has settled: leave it out'];
  if (isVersionIn(settled.version, from)) return [];
  return [
    `from: the fleet has settled on ${settled.version}, which is none of ${from.join(', ')}: release one of those first`,
  ];
}
