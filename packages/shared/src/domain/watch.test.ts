import { expect, test } from 'vitest';
import { compareVersions } from './version.ts';
import { isMeant, versionOf } from './watch.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;

test('a hint means a tag by its path: the registry may have another name where it comes from', () => {
  const image = { repository: 'registry.example/team/web', tag: 'latest' };
  expect(isMeant(image, { repository: 'team/web', tag: 'latest' })).toBe(true);
  expect(isMeant(image, { repository: 'team/web' })).toBe(true);
  expect(isMeant(image, { repository: 'team/web', tag: 'v2' })).toBe(false);
  expect(isMeant(image, { repository: 'web', tag: 'latest' })).toBe(false);
});

test('a release of a tag that moves bears a version that is neither older nor newer than another', () => {
  expect(versionOf({ repository: 'r/web', tag: 'latest' }, DIGEST)).toBe('latest@abababababab');
  for (const tag of ['1.2.3', 'v18', '1.2'])
    expect(compareVersions(versionOf({ repository: 'r/web', tag }, DIGEST), '1.0.0')).toBeUndefined();
});
