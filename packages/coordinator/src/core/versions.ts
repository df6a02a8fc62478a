/** May a release start from what the fleet is on? */

import type { ReleaseIntent } from '@swell/shared/domain/intent.ts';
import type { ServiceRecord } from '@swell/shared/domain/rollout.ts';
import { compareVersions } from '@swell/shared/domain/version.ts';

/** An older version takes an explicit word. Where a version cannot be told from another (`latest`), nobody is asked. */
export function versionProblems(
  { settled: [settled] }: ServiceRecord,
  { image, version = image.tag, allowDowngrade }: ReleaseIntent,
): readonly string[] {
  if (settled === undefined || version === undefined || allowDowngrade === true) return [];
  const order = compareVersions(version, settled.version);
  if (order === undefined || order >= 0) return [];
  return [
    `version: ${version} is older than ${settled.version}, on which the fleet has settled: ` +
      'publish a newer one, or say "allowDowngrade": true',
  ];
}
