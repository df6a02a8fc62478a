import { expect, test } from 'vitest';
import { parseChallenges } from './registry-challenge.ts';

test.each([
  [
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull"',
    [
      {
        scheme: 'bearer',
        parameters: {
          realm: 'https://auth.docker.io/token',
          service: 'registry.docker.io',
          scope: 'repository:library/nginx:pull',
        },
      },
    ],
  ],
  ['Basic realm="Registry Realm"', [{ scheme: 'basic', parameters: { realm: 'Registry Realm' } }]],
  [
    'BEARER Realm = plain , Scope="a,b push,pull", error="insufficient \\"scope\\""',
    [
      {
        scheme: 'bearer',
        parameters: { realm: 'plain', scope: 'a,b push,pull', error: 'insufficient "scope"' },
      },
    ],
  ],
  [
    'Negotiate, Basic realm="r", Bearer realm="https://t/",service=s',
    [
      { scheme: 'negotiate', parameters: {} },
      { scheme: 'basic', parameters: { realm: 'r' } },
      { scheme: 'bearer', parameters: { realm: 'https://t/', service: 's' } },
    ],
  ],
  ['Basic realm="never closed', [{ scheme: 'basic', parameters: {} }]],
  ['', []],
  ['"', []],
])('challenges are read with quotes, commas and several schemes in one line: %s', (header, challenges) => {
  expect(parseChallenges(header)).toEqual(challenges);
});

test('a hostile header is read in no time', () => {
  expect(parseChallenges(`Bearer a="${'\\a'.repeat(20_000)}`)).toEqual([
    { scheme: 'bearer', parameters: {} },
  ]);
});
