import { expect, test } from 'vitest';
import { describeImage, parseImageReference, pullReference, shortDigest } from './image.ts';

const DIGEST = `sha256:${'3f2a9c'.padEnd(64, '0')}`;

test.each([
  ['nginx', { repository: 'docker.io/library/nginx' }],
  ['nginx:1.27', { repository: 'docker.io/library/nginx', tag: '1.27' }],
  ['team/web', { repository: 'docker.io/team/web' }],
  ['docker.io/nginx', { repository: 'docker.io/library/nginx' }],
  ['index.docker.io/nginx', { repository: 'docker.io/library/nginx' }],
  ['index.docker.io/team/web', { repository: 'docker.io/team/web' }],
  ['ghcr.io/team/web:v2', { repository: 'ghcr.io/team/web', tag: 'v2' }],
  ['ghcr.io/web', { repository: 'ghcr.io/web' }],
  ['localhost/web', { repository: 'localhost/web' }],
  ['localhost:5000', { repository: 'docker.io/library/localhost', tag: '5000' }],
  ['localhost:5000/web', { repository: 'localhost:5000/web' }],
  ['[::1]:5000/web:v1', { repository: '[::1]:5000/web', tag: 'v1' }],
  ['Registry/web', { repository: 'Registry/web' }],
  [`web@${DIGEST}`, { repository: 'docker.io/library/web', digest: DIGEST }],
  [
    `registry.example:5000/a/b_c/d__e/f-g:V_1.2-3@${DIGEST}`,
    { repository: 'registry.example:5000/a/b_c/d__e/f-g', tag: 'V_1.2-3', digest: DIGEST },
  ],
])('%s is read as Docker reads it', (text, reference) => {
  expect(parseImageReference(text)).toEqual(reference);
});

test.each([
  '',
  ':v1',
  '@sha256:abc',
  'Web',
  'team/Web',
  'web:',
  'web:-v1',
  'web:v 1',
  `web:${'v'.repeat(129)}`,
  'web@sha256:abc',
  `web@${DIGEST.toUpperCase()}`,
  `web@${DIGEST}@${DIGEST}`,
  `web@${DIGEST}:v1`,
  'team//web',
  '/web',
  'web/',
  'a..b',
  'a___b',
  '-web',
  'web-',
  'http://registry.example/web',
  'registry.example:port/web',
  'web\n',
  ' web',
  'x'.repeat(256),
  '3f2a9c'.padEnd(64, '0'),
])('%j is refused as Docker refuses it', (text) => {
  expect(parseImageReference(text)).toBeUndefined();
});

test('a hostile reference is refused in no time', () => {
  expect(parseImageReference(`${'a-'.repeat(100_000)}!`)).toBeUndefined();
  expect(parseImageReference(`${'a/'.repeat(100_000)}!`)).toBeUndefined();
  expect(parseImageReference('a_'.repeat(100_000))).toBeUndefined();
});

test('an engine pulls by digest, and people read the tag', () => {
  const image = { repository: 'docker.io/library/nginx', digest: DIGEST, tag: '1.27' };
  expect(pullReference(image)).toBe(`docker.io/library/nginx@${DIGEST}`);
  expect(describeImage(image)).toBe('nginx:1.27 (3f2a9c000000)');
  expect(describeImage({ repository: 'docker.io/team/web', digest: DIGEST })).toBe('team/web (3f2a9c000000)');
  expect(describeImage({ repository: 'ghcr.io/team/web', digest: DIGEST, tag: 'v2' })).toBe(
    'ghcr.io/team/web:v2 (3f2a9c000000)',
  );
  expect(shortDigest(DIGEST)).toBe('3f2a9c000000');
});
