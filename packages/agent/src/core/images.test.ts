import { expect, test } from 'vitest';
import { mayGo } from './images.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
const OTHER = `sha256:${'2'.repeat(64)}`;
const NOBODYS = { digests: [DIGEST], isUsed: false, isLastGood: false, isNamed: false };

test('an image that nobody needs goes', () => {
  expect(mayGo(NOBODYS, undefined)).toBe(true);
  expect(mayGo(NOBODYS, [OTHER])).toBe(true);
});

test.each([
  ['a container has it', { ...NOBODYS, isUsed: true }],
  ['a service goes back to it', { ...NOBODYS, isLastGood: true }],
  ['somebody gave it a name', { ...NOBODYS, isNamed: true }],
])('one stays where %s, whatever is wanted', (_, image) => {
  expect([mayGo(image, undefined), mayGo(image, [OTHER])]).toEqual([false, false]);
});

test('one stays that is wanted', () => {
  expect(mayGo({ ...NOBODYS, digests: [OTHER, DIGEST] }, [DIGEST])).toBe(false);
});
