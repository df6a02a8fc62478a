import { describe, expect, it } from 'vitest';
import {
  hasGoneBack,
  type Part,
  presentPart,
  probedPart,
  progressOf,
  readMarks,
  type Suffix,
} from './marks.ts';
import { LAST_GOOD_IMAGE_LABEL, type Memo, memoLabels, readMemo, volumesLeftBehind } from './memo.ts';

const MEMO: Memo = {
  attempt: '7.update.1',
  replaces: 'old',
  policy: { Name: 'on-failure', MaximumRetryCount: 5 },
  reference: 'web:latest',
  oldState: 'running',
};

function part(id: string, suffix: Suffix, changes: Partial<Part> = {}): Part {
  const policy = { Name: 'always', MaximumRetryCount: 0 };
  return {
    id,
    base: 'web',
    suffix,
    up: true,
    wanted: true,
    started: true,
    policy,
    imageId: id,
    networks: [],
    ...changes,
  };
}

const fresh = (suffix: Suffix, changes: Partial<Part> = {}) =>
  part('new', suffix, { memo: MEMO, policy: { Name: 'no', MaximumRetryCount: 0 }, ...changes });
const old = (suffix: Suffix, up = true) => part('old', suffix, { up });

describe('the volumes that a new image brought', () => {
  const container = {
    Id: 'new',
    Name: '/web',
    Image: 'sha256:v2',
    State: { Status: 'running', Running: true },
    Config: {
      Labels: { ...memoLabels({ ...MEMO, broughtVolumes: ['/a'] }), [LAST_GOOD_IMAGE_LABEL]: 'sha256:v1' },
    },
    HostConfig: {},
    NetworkSettings: {},
  };

  it('stay behind on the way back to the last good one', () => {
    expect(volumesLeftBehind(container, 'sha256:v1')).toEqual(new Set(['/a']));
  });

  it('come along to every other one', () => {
    expect(volumesLeftBehind(container, 'sha256:v3')).toEqual(new Set());
  });
});

describe('the memo', () => {
  it('is read as it was written', () => {
    const whole: Memo = {
      ...MEMO,
      target: 'sha256:x',
      stopTimeoutMs: 1_500,
      oldState: 'broken',
      broughtVolumes: ['/a', '/b c'],
      tenants: ['id1', 'id2'],
      along: { service: 'db', lead: 'id3' },
    };
    expect(readMemo(memoLabels(whole))).toEqual(whole);
    expect(readMemo(memoLabels(MEMO))).toEqual(MEMO);
    expect(readMemo({ 'swell.service': 'web' })).toBeUndefined();
  });

  it.each([
    ['stop-timeout-ms', '1e99'],
    ['stop-timeout-ms', '-5'],
    ['stop-timeout-ms', 'soon'],
    ['stop-timeout-ms', ''],
  ])('that says %s=%s says nothing of it: no deadline can be made of that', (label, value) => {
    expect(readMemo({ ...memoLabels(MEMO), [`swell.swap.${label}`]: value })).toEqual(MEMO);
  });

  it.each([
    ['for-ever:3', { Name: 'no', MaximumRetryCount: 3 }],
    ['on-failure:often', { Name: 'on-failure', MaximumRetryCount: 0 }],
    ['', { Name: 'no', MaximumRetryCount: 0 }],
  ])('with the policy %j is read as one that Docker takes', (text, policy) => {
    expect(readMemo({ ...memoLabels(MEMO), 'swell.swap.restart-policy': text })).toEqual({ ...MEMO, policy });
  });
});

describe('the marks', () => {
  it.each<[string, readonly Part[], string, string | undefined, string | undefined]>([
    ['one container', [old('')], 'single', undefined, 'old'],
    [
      'a draft beside it',
      [old(''), fresh('.swell-draft', { up: false, started: false })],
      'swap',
      'prepared',
      'old',
    ],
    ['the new one in place', [old('.swell-prev', false), fresh('')], 'swap', 'cut-over', 'new'],
    ['in place, and ended', [old('.swell-prev', false), fresh('', { up: false })], 'swap', 'cut-over', 'new'],
    [
      'both up, as dockerd left them',
      [old('.swell-prev'), fresh('', { up: false })],
      'swap',
      'prepared',
      'old',
    ],
    ['on the way back', [old('.swell-prev', false), fresh('.swell-failed')], 'swap', 'prepared', 'old'],
    ['past the commit point', [old('.swell-old', false), fresh('')], 'swap', 'committed', 'new'],
    ['the old one pruned', [fresh('')], 'swap', 'committed', 'new'],
    ['a swap that is over', [fresh('', { policy: MEMO.policy })], 'single', undefined, 'new'],
    ['a swap that is over, stopped by hand', [fresh('', { up: false })], 'single', undefined, 'new'],
    ['the new one removed', [old('.swell-prev', false)], 'swap', 'prepared', 'old'],
    [
      'a container of somebody else in its place',
      [old('.swell-prev'), part('third', '')],
      'swap',
      'committed',
      'third',
    ],
    [
      'litter beside a container of somebody else',
      [part('third', ''), fresh('.swell-next')],
      'swap',
      'prepared',
      'third',
    ],
  ])('of %s', (_, parts, kind, progress, present) => {
    const found = readMarks('web', parts);
    expect({
      kind: found.kind,
      progress: found.kind === 'swap' ? progressOf(found) : undefined,
      present: presentPart(found)?.id,
    }).toEqual({ kind, progress, present });
  });

  it('show that dockerd has gone back by itself, and not that a new container has ended of its own', () => {
    const found = (newIsUp: boolean, oldIsUp: boolean) =>
      hasGoneBack(readMarks('web', [fresh('', { up: newIsUp }), old('.swell-prev', oldIsUp)]));
    expect(found(false, true)).toBe(true);
    expect(found(false, false)).toBe(false);
    expect(found(true, true)).toBe(false);
    expect(
      hasGoneBack(readMarks('web', [fresh('.swell-next', { up: false, started: false }), old('')])),
    ).toBe(false);
    expect(hasGoneBack(readMarks('web', [part('one', '')]))).toBe(false);
  });

  it('let nobody but the new container answer for it once it is in place', () => {
    expect(probedPart(readMarks('web', [old('.swell-prev'), fresh('', { up: false })]))?.id).toBe('new');
    expect(
      probedPart(readMarks('web', [old(''), fresh('.swell-next', { up: false, started: false })]))?.id,
    ).toBe('old');
  });
});
