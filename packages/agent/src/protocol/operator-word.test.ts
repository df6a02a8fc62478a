import { encode } from '@swell/shared/protocol/codec.ts';
import { describe, expect, test } from 'vitest';
import { readOperatorLabels, readOperatorPolicy } from './operator-word.ts';

describe('a policy file', () => {
  test('speaks of one service by its name, and of all of them', () => {
    const body = encode({
      all: { freeze: true },
      services: {
        web: { pin: 'v3', windows: ['08:00-09:00'] },
        api: { optOut: true },
      },
    });
    expect(readOperatorPolicy(body, 'web')).toMatchObject({
      ok: true,
      value: [{ freeze: true }, { pin: 'v3', windows: [{ fromMinute: 480, toMinute: 540 }] }],
    });
    expect(readOperatorPolicy(body, 'db')).toEqual({ ok: true, value: [{ freeze: true }] });
  });

  test.each<[string, unknown, string]>([
    [
      'a misspelt field',
      { services: { web: { pinned: true } } },
      'services.web: there is no field "pinned": there are optOut, freeze, pin, repositories, minimumVersion, windows',
    ],
    ['a misspelt top', { service: {} }, 'there is no field "service" (did you mean "services"?)'],
    ['a flag that is none', { services: { web: { freeze: 'yes' } } }, 'services.web.freeze'],
    [
      'a pin that is none',
      { services: { web: { pin: false } } },
      'services.web.pin: must be true, or the version or digest',
    ],
    [
      'a window that is none',
      { services: { web: { windows: ['nights'] } } },
      'services.web.windows[0]: must be a window such as',
    ],
    ['no window at all', { services: { web: { windows: [] } } }, 'must name at least one window'],
    ['a service that is none', { services: { 'a b': {} } }, 'services'],
  ])('with %s is not understood, and says where', (_, file, problem) => {
    const read = readOperatorPolicy(encode(file), 'web');
    expect(read).toMatchObject({ ok: false });
    expect(read.ok ? '' : read.problems.join('\n')).toContain(problem);
  });

  test('that is no JSON is not understood', () => {
    expect(readOperatorPolicy(new TextEncoder().encode('services:\n  web: {}'), 'web')).toMatchObject({
      ok: false,
    });
  });
});

describe('labels on a container', () => {
  test('say the same', () => {
    expect(
      readOperatorLabels({
        'swell.service': 'web',
        'swell.opt-out': 'false',
        'swell.freeze': 'true',
        'swell.pin': 'true',
        'swell.repositories': 'registry.example/web, ghcr.io/org/*',
        'swell.minimum-version': '1.2',
        'swell.windows': 'sat 08:00-09:00; sun 10:00-12:00 Europe/Vienna',
      }),
    ).toMatchObject({
      ok: true,
      value: [
        {
          optOut: false,
          freeze: true,
          pin: true,
          repositories: ['registry.example/web', 'ghcr.io/org/*'],
          minimumVersion: '1.2',
          windows: [{ text: 'sat 08:00-09:00' }, { text: 'sun 10:00-12:00 Europe/Vienna' }],
        },
      ],
    });
  });

  test('that speak of other things say nothing', () => {
    expect(readOperatorLabels({ 'swell.service': 'web', 'com.docker.compose.project': 'x' })).toBe(undefined);
  });

  test('that are not understood say where', () => {
    expect(readOperatorLabels({ 'swell.freeze': 'yes' })).toMatchObject({
      ok: false,
      problems: [expect.stringMatching(/^label freeze: /)],
    });
  });
});
