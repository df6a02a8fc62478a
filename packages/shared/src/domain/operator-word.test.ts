import { describe, expect, test } from 'vitest';
import { againstNow, againstRelease, type OperatorWord } from './operator-word.ts';
import { parseWindow, type TimeWindow } from './window.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
const RELEASE = { image: { repository: 'registry.example/web', digest: DIGEST }, version: '1.4.0' };

describe('against a release', () => {
  test.each<[string, OperatorWord, string | undefined]>([
    ['nothing', {}, undefined],
    ['who has opted out', { optOut: true }, 'its operator has opted out'],
    ['who has not', { optOut: false }, undefined],
    ['a freeze', { freeze: true }, 'its operator has frozen it'],
    ['a pin', { pin: true }, 'its operator has pinned it to what it runs'],
    ['a pin to another version', { pin: '1.3.0' }, 'its operator has pinned it to 1.3.0'],
    ['a pin to this version', { pin: '1.4.0' }, undefined],
    ['a pin to this digest', { pin: DIGEST }, undefined],
    ['its repository', { repositories: ['registry.example/web'] }, undefined],
    ['repositories like its own', { repositories: ['ghcr.io/other', 'registry.example/*'] }, undefined],
    [
      'other repositories',
      { repositories: ['registry.example/web2', 'ghcr.io/*'] },
      'its operator does not allow images from registry.example/web',
    ],
    [
      'no repository at all',
      { repositories: [] },
      'its operator does not allow images from registry.example/web',
    ],
    ['an older minimum', { minimumVersion: '1.3.9' }, undefined],
    ['this very minimum', { minimumVersion: 'v1.4' }, undefined],
    ['a newer minimum', { minimumVersion: '1.5' }, 'its operator wants 1.5 or newer'],
    [
      'a minimum that nothing can be compared with',
      { minimumVersion: 'jammy' },
      'its operator wants jammy or newer, and whether 1.4.0 is cannot be told',
    ],
  ])('%s', (_, word, reason) => {
    expect(againstRelease(word, RELEASE)).toBe(reason);
  });
});

test('against now: a window that is closed, by its own words', () => {
  const window = parseWindow('fri 08:00-09:00') as TimeWindow;
  expect(againstNow({ windows: [window] }, Date.parse('2026-11-20T08:30:00Z'))).toBe(undefined);
  expect(againstNow({ windows: [window] }, Date.parse('2026-11-20T09:30:00Z'))).toBe(
    "its operator's window is closed (fri 08:00-09:00)",
  );
  expect(againstNow({}, 0)).toBe(undefined);
});
