/** May a release start from what the fleet is on? */

import type { ReleaseIntent } from '@swell/shared/domain/intent.ts';
import { isUnderWay, type ServiceRecord } from '@swell/shared/domain/rollout.ts';
import { tagOf } from '@swell/shared/domain/unit.ts';
import { compareVersions, isVersionIn } from '@swell/shared/domain/version.ts';

export function versionProblems(record: ServiceRecord, intent: ReleaseIntent): readonly string[] {
  return [...downgradeProblems(record, intent), ...fromProblems(record, intent)];
}

/** An older version takes an explicit word. Where a version cannot be told from another (`latest`), nobody is asked. */
function downgradeProblems(
  record: ServiceRecord,
  { image, version = tagOf(image), allowDowngrade }: ReleaseIntent,
): readonly string[] {
  if (version === undefined || allowDowngrade === true) return [];
  const newer = arrived(record).find((one) => isOlder(version, one.version));
  if (newer === undefined) return [];
  const remedy = 'publish a newer one, or say "allowDowngrade": true';
  return [`version: ${version} is older than ${newer.version}, ${newer.where}: ${remedy}`];
}

/** Versions that nodes have, or may have. */
function arrived({
  settled: [settled],
  irreversible,
  rollout,
}: ServiceRecord): readonly { readonly version: string; readonly where: string }[] {
  // Nobody goes back from it, whether the fleet has settled on it or not.
  const isLeft = irreversible !== undefined && (settled?.rollout ?? 0) < irreversible.rollout;
  const present = rollout !== undefined && isUnderWay(rollout) ? rollout.release : undefined;
  return [
    ...(settled ? [{ version: settled.version, where: 'on which the fleet has settled' }] : []),
    ...(isLeft
      ? [{ version: irreversible.version, where: 'which cannot be undone and is on some nodes' }]
      : []),
    ...(present
      ? [{ version: present.version, where: `which is under way as rollout ${present.rollout}` }]
      : []),
  ];
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
