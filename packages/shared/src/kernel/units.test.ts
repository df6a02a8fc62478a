import { expect, test } from 'vitest';
import { formatBytes, formatDuration, parseBytes, parseDurationMs } from './units.ts';

test.each([
  ['0s', 0],
  ['250ms', 250],
  ['90s', 90_000],
  ['5m', 300_000],
  ['1h30m', 5_400_000],
  ['1.5h', 5_400_000],
  ['1d2h3m4s5ms', 93_784_005],
  ['0.0004s', 0],
  ['1m1m', 120_000],
])('%s is %i ms', (text, ms) => {
  expect(parseDurationMs(text)).toBe(ms);
});

test.each([
  '',
  '5',
  's',
  '5 m',
  '-5m',
  '+5m',
  '5M',
  '5m ',
  '1h30',
  '.5h',
  '5.m',
  '1e3s',
  '∞s',
  '5min',
  'PT5M',
])('"%s" is no duration', (text) => {
  expect(parseDurationMs(text)).toBeUndefined();
});

test.each([
  [0, '0ms'],
  [0.4, '0ms'],
  [999, '999ms'],
  [999.6, '1s'],
  [1_000, '1s'],
  [12_345, '12s'],
  [59_499, '59s'],
  [59_500, '1m'],
  [90_000, '1m 30s'],
  [3_599_999, '1h'],
  [3_600_000, '1h'],
  [5_400_000, '1h 30m'],
  [3_601_000, '1h'],
  [86_399_999, '1d'],
  [93_784_005, '1d 2h'],
])('%d ms reads as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test('what is formatted in full can be read back', () => {
  for (const ms of [1, 999, 1_000, 61_000, 3_660_000, 90_000_000]) {
    expect(parseDurationMs(formatDuration(ms).replace(' ', ''))).toBe(ms);
  }
});

test.each([
  ['0B', 0, '0 B'],
  ['1023B', 1_023, '1023 B'],
  ['1.5KiB', 1_536, '1.5 KiB'],
  ['2GiB', 2 * 1_024 ** 3, '2 GiB'],
  ['3000TiB', 3_000 * 1_024 ** 4, '3000 TiB'],
])('%s is %i bytes, and read as %s', (text, bytes, read) => {
  expect([parseBytes(text), formatBytes(bytes)]).toEqual([bytes, read]);
});

test('what is missing is a size as well', () => {
  expect(formatBytes(-3 * 1_024 ** 2)).toBe('-3 MiB');
});

test.each(['', '5', 'GiB', '5GB', '5 GiB', '-5GiB', '1e3B'])('%j is no size', (text) => {
  expect(parseBytes(text)).toBeUndefined();
});
