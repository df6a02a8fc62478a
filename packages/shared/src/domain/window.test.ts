import { describe, expect, test } from 'vitest';
import { isAnyOpen, isOpen, isOpenTime, nextOpenTime, parseWindow, type TimeWindow } from './window.ts';

function windowOf(text: string): TimeWindow {
  const window = parseWindow(text);
  if (typeof window === 'string') throw new Error(window);
  return window;
}

function isOpenAt(text: string, at: string): boolean {
  return isOpen(windowOf(text), Date.parse(at));
}

describe('it is next time', () => {
  const next = (windows: readonly string[], from: string, except: readonly string[] = []) => {
    const atMs = nextOpenTime({ windows: windows.map(windowOf), except }, Date.parse(from));
    return atMs === undefined ? undefined : new Date(atMs).toISOString().replace(':00.000Z', '');
  };

  test.each<[string, readonly string[], string, readonly string[], string | undefined]>([
    ['when a window begins', ['08:15-17:00'], '2026-11-20T07:59:30Z', [], '2026-11-20T08:15'],
    ['on the next day', ['08:00-17:00'], '2026-11-20T17:00:00Z', [], '2026-11-21T08:00'],
    ['on the next of its days', ['mon 08:00-17:00'], '2026-11-20T12:00:00Z', [], '2026-11-23T08:00'],
    ['in its own zone', ['22:00-05:00 Europe/Vienna'], '2026-11-20T12:00:00Z', [], '2026-11-20T21:00'],
    [
      'with the first of several',
      ['mon 08:00-09:00', 'sat 07:00-08:00'],
      '2026-11-20T12:00:00Z',
      [],
      '2026-11-21T07:00',
    ],
    [
      'after the dates left out',
      ['08:00-17:00'],
      '2026-12-23T18:00:00Z',
      ['2026-12-24', '2026-12-25'],
      '2026-12-26T08:00',
    ],
    [
      'in the middle of a night whose first half is left out',
      ['22:00-05:00'],
      '2026-12-24T12:00:00Z',
      ['2026-12-24'],
      '2026-12-25T00:00',
    ],
    // 2026-03-29 02:00 is 03:00 in Vienna: that is 01:00 UTC.
    [
      'when the clock jumps over its beginning',
      ['02:30-05:00 Europe/Vienna'],
      '2026-03-29T00:00:00Z',
      [],
      '2026-03-29T01:00',
    ],
    ['where it is time', ['08:00-17:00'], '2026-11-20T09:30:00Z', [], '2026-11-20T09:30'],
    [
      'never',
      ['fri 08:00-17:00'],
      '2026-11-20T18:00:00Z',
      Array.from({ length: 9 }, (_, week) =>
        new Date(Date.UTC(2026, 10, 20 + 7 * (week + 1))).toISOString().slice(0, 10),
      ),
      undefined,
    ],
  ])('%s: %j from %s', (_, windows, from, except, expected) => {
    expect(next(windows, from, except)).toBe(expected);
  });
});

test('among hundreds of windows nobody looks for long, and among none not at all', () => {
  const windows = Array.from({ length: 500 }, (_, minute) =>
    windowOf(`thu ${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, '0')}-24:00`),
  );
  expect(nextOpenTime({ windows, except: [] }, Date.parse('2026-11-20T12:00:00Z'))).toBeUndefined();
  expect(nextOpenTime({ windows: [], except: [] }, 0)).toBeUndefined();
});

describe('a window is open', () => {
  // 2026-11-20 is a Friday.
  test.each([
    ['08:00-17:00', '2026-11-20T08:00:00Z', true],
    ['08:00-17:00', '2026-11-20T16:59:59Z', true],
    ['08:00-17:00', '2026-11-20T17:00:00Z', false],
    ['08:00-17:00', '2026-11-20T07:59:59Z', false],
    ['00:00-24:00', '2026-11-20T23:59:59Z', true],
    ['fri 08:00-17:00', '2026-11-20T12:00:00Z', true],
    ['sat,sun 08:00-17:00', '2026-11-20T12:00:00Z', false],
    ['mon-thu 08:00-17:00', '2026-11-20T12:00:00Z', false],
    ['Mon-Fri 8:00-17:00', '2026-11-20T12:00:00Z', true],
    ['fri-mon 08:00-17:00', '2026-11-22T12:00:00Z', true],
    ['fri-mon 08:00-17:00', '2026-11-24T12:00:00Z', false],
  ])('%s at %s: %s', (text, at, open) => {
    expect(isOpenAt(text, at)).toBe(open);
  });

  test.each([
    ['on the evening that it begins', '2026-11-20T23:00:00Z', true],
    ['in the night after', '2026-11-21T04:59:00Z', true],
    ['not in the night before', '2026-11-20T04:00:00Z', false],
    ['not on the next evening', '2026-11-21T23:00:00Z', false],
  ])('across midnight: %s', (_, at, open) => {
    expect(isOpenAt('fri 22:00-05:00', at)).toBe(open);
  });

  test.each([
    ['Europe/Vienna in winter', 'mon 02:00-03:00 Europe/Vienna', '2026-11-23T01:30:00Z', true],
    ['Europe/Vienna in summer', 'mon 02:00-03:00 Europe/Vienna', '2026-07-06T00:30:00Z', true],
    ['a day that has not begun elsewhere', 'mon 09:00-10:00 Asia/Tokyo', '2026-11-23T00:30:00Z', true],
    ['a day that is over elsewhere', 'sun 20:00-24:00 America/Los_Angeles', '2026-11-23T07:59:00Z', true],
    ['half an hour off', '12:00-13:00 Asia/Kolkata', '2026-11-20T07:00:00Z', true],
  ])('by the time of its place: %s', (_, text, at, open) => {
    expect(isOpenAt(text, at)).toBe(open);
  });

  /** Vienna puts its clocks forward at 2:00 on 2026-03-29, and back at 3:00 on 2026-10-25. */
  const minutesOpen = (text: string, day: string): number => {
    const window = windowOf(text);
    const noonMs = Date.parse(`${day}T12:00:00Z`);
    const minutes = Array.from({ length: 36 * 60 }, (_, minute) => noonMs + (minute - 18 * 60) * 60_000);
    return minutes.filter((atMs) => isOpen(window, atMs)).length;
  };
  test.each([
    ['an hour shorter in spring', '2026-03-29', 180],
    ['an hour longer in autumn', '2026-10-25', 300],
    ['as it says on any other day', '2026-11-22', 240],
  ])('where clocks change it is %s', (_, day, minutes) => {
    expect(minutesOpen('sun 01:00-05:00 Europe/Vienna', day)).toBe(minutes);
  });

  test('in the hour that is left out, never; in the one that comes twice, twice', () => {
    expect(minutesOpen('sun 02:00-03:00 Europe/Vienna', '2026-03-29')).toBe(0);
    expect(minutesOpen('sun 02:00-03:00 Europe/Vienna', '2026-10-25')).toBe(120);
  });
});

describe('a date is excluded', () => {
  // A Thursday, and the night after it.
  const times = { windows: [windowOf('22:00-05:00 Europe/Vienna')], except: ['2026-12-24'] };
  test.each([
    ['the last minute before', '2026-12-23T22:59:00Z', true],
    ['from midnight on by the clock there, in the middle of a window', '2026-12-23T23:00:00Z', false],
    ['a window that begins on it', '2026-12-24T22:59:00Z', false],
    ['what is left of that window on the day after', '2026-12-24T23:00:00Z', true],
  ])('%s', (_, at, open) => {
    expect(isOpenTime(times, Date.parse(at))).toBe(open);
  });

  test('by the clock of each window of its own', () => {
    const both = { ...times, windows: [windowOf('00:00-24:00 Asia/Tokyo'), windowOf('00:00-24:00 UTC')] };
    const open = (at: string): boolean => isOpenTime(both, Date.parse(at));
    // In Tokyo the day is over nine hours earlier.
    expect([open('2026-12-24T14:59:00Z'), open('2026-12-24T15:00:00Z')]).toEqual([false, true]);
  });
});

test('of several windows one is enough, and none at all is always', () => {
  const windows = [windowOf('08:00-09:00'), windowOf('20:00-21:00')];
  expect(isAnyOpen(windows, Date.parse('2026-11-20T20:30:00Z'))).toBe(true);
  expect(isAnyOpen(windows, Date.parse('2026-11-20T12:00:00Z'))).toBe(false);
  expect(isAnyOpen([], 0)).toBe(true);
});

test.each([
  ['', 'must be a window'],
  ['always', 'must be a window'],
  ['08:00', 'must be a window'],
  ['mon 8-17', 'must be a window'],
  ['mun 08:00-09:00', 'has a day that is none in "mun"'],
  ['24:00-09:00', 'has no time of day in "24:00"'],
  ['08:00-24:01', 'has no time of day in "24:01"'],
  ['08:60-09:00', 'has no time of day in "08:60"'],
  ['08:00-08:00', 'begins when it ends'],
  ['08:00-09:00 Europe/Wien', 'has no time zone in "Europe/Wien"'],
  ['08:00-09:00 +02:00', 'has no time zone in "+02:00"'],
])('what is no window: %j %s', (text, problem) => {
  expect(parseWindow(text)).toContain(problem);
});
