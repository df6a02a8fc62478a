import { expect, test } from 'vitest';
import { printable, shortLine } from './printable.ts';

test('what people can read stays as it is', () => {
  const text = 'ein Satz, 漢字, العربية, 😀 "\\"';
  expect(printable(text)).toBe(text);
});

test.each([
  ['ends a line', 'a\r\nb', String.raw`a\u000d\u000ab`],
  ['ends a line elsewhere', 'a\u2028b\u0085', String.raw`a\u2028b\u0085`],
  ['clears the screen', '\u001b[2J', String.raw`\u001b[2J`],
  ['ends a text', 'a\u0000b\u007f', String.raw`a\u0000b\u007f`],
  ['turns letters round', 'a\u202etxt.exe', String.raw`a\u202etxt.exe`],
])('what %s is spelt out', (_, text, shown) => {
  expect(printable(text)).toBe(shown);
});

test('half a letter becomes the sign for one that is missing', () => {
  expect(printable('a\ud83db')).toBe('a\ufffdb');
});

test('a line that is too long is cut, and never within a letter', () => {
  expect(shortLine('abcd', 4)).toBe('abcd');
  expect(shortLine('abcde', 4)).toBe('abc…');
  expect(shortLine('a\nb', 4)).toBe('a\\u…');
  expect(shortLine('ab😀de', 4)).toBe('ab\ufffd…');
});
