import { expect, test } from 'vitest';
import { sameValue } from './equal.ts';

test('values are the same by what they hold, whatever the order of their fields', () => {
  expect(sameValue({ a: 1, b: [{ c: 'x' }, null] }, { b: [{ c: 'x' }, null], a: 1 })).toBe(true);
  expect(sameValue(Number.NaN, Number.NaN)).toBe(true);
});

test('a field that is undefined equals one that is missing, as it does on the wire', () => {
  expect(sameValue({ a: 1, b: undefined }, { a: 1 })).toBe(true);
  expect(sameValue({ a: { b: undefined } }, { a: {} })).toBe(true);
  expect(sameValue({ a: null }, {})).toBe(false);
});

test.each<[unknown, unknown]>([
  [{ a: 1 }, { a: 2 }],
  [{ a: 1 }, { b: 1 }],
  [{ a: 1 }, { a: '1' }],
  [{}, []],
  [{}, null],
  [null, undefined],
  [0, null],
  [
    [1, 2],
    [2, 1],
  ],
  [[1], [1, 2]],
  [[], [undefined]],
  [{ a: [undefined] }, { a: [] }],
  [{ 0: 1 }, [1]],
])('%j is not %j, in either direction', (a, b) => {
  expect([sameValue(a, b), sameValue(b, a)]).toEqual([false, false]);
});
