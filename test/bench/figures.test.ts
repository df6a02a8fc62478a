import { expect, test } from 'vitest';
import { median, ratio, wholeNumber } from './figures.ts';

test('a median is the middle one, or lies between the two middle ones', () => {
  expect([median([3]), median([9, 1, 5]), median([4, 1, 3, 2])]).toEqual([3, 5, 2.5]);
  expect(() => median([])).toThrow('of nothing there is no median');
});

test('a ratio of what was not measured is none', () => {
  expect([ratio(3, 4), ratio(undefined, 4), ratio(3, undefined)]).toEqual([0.75, undefined, undefined]);
});

test('a number out of bounds is told by its option', () => {
  expect(wholeNumber('--runs', '7', 1, 99)).toBe(7);
  expect(() => wholeNumber('--runs', 'many', 1, 99)).toThrow(
    '--runs takes a whole number from 1 to 99, not "many"',
  );
});
