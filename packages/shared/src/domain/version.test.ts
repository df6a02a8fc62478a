import { describe, expect, test } from 'vitest';
import { compareVersions, isVersionIn, isVersionOrRange } from './version.ts';

describe('of two versions', () => {
  // The order of semver.org, item 11.
  const RISING = [
    '0.9.9',
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
    '1.0.1',
    '1.2.0',
    '1.10.0',
    '2.0.0',
  ];
  test.each(RISING.slice(1).map((newer, index) => [RISING[index] ?? '', newer]))(
    '%s is older than %s',
    (older, newer) => {
      expect(compareVersions(older, newer)).toBeLessThan(0);
      expect(compareVersions(newer, older)).toBeGreaterThan(0);
    },
  );

  test.each([
    ['1.2.3', 'v1.2.3'],
    ['1.2', '1.2.0'],
    ['v18', '18.0.0'],
    ['1.0.0+build.5', '1.0.0'],
  ])('%s and %s are the same', (left, right) => {
    expect(compareVersions(left, right)).toBe(0);
  });

  test.each(['latest', '', '1.2.3.4', 'sha256:abc', '2024-01'.replace('-', '_')])('%j is none', (text) => {
    expect(compareVersions(text, '1.0.0')).toBe(undefined);
    expect(compareVersions('1.0.0', text)).toBe(undefined);
  });
});

test.each([
  ['v1.4.2', ['>=1.4 <2'], true],
  ['2.0.0', ['>=1.4 <2'], false],
  ['v18', ['18.x'], true],
  ['1.3.9', ['1.2.0', '1.3.9'], true],
  ['nightly', ['nightly'], true],
  ['nightly', ['>=1'], false],
  ['1.0.0', ['nightly'], false],
  ['1.0.0', [], false],
])('B2: %s within %j: %s', (version, wanted, isIn) => {
  expect(isVersionIn(version, wanted)).toBe(isIn);
});

test('what has the signs of a range is one, or it is refused: as a name it would mean nobody', () => {
  for (const good of [
    '1.4.2',
    'latest',
    'v18',
    '2026-11 hotfix',
    '>=1.4 <2',
    '^1.2',
    '~1',
    '1.x || 2.x',
    '*',
  ])
    expect([good, isVersionOrRange(good)]).toEqual([good, true]);
  for (const bad of ['>=1.0,<1.4', '<=1.4.0.1', '=>1', '^', '>= one'])
    expect([bad, isVersionOrRange(bad)]).toEqual([bad, false]);
});
