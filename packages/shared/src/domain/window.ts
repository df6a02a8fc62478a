/**
 * A time of the week at which something may happen, in a place's own time: `mon-fri 22:00-05:00 Europe/Vienna`. It goes by
 * the clock on the wall, so where that is put forward or back, a window is an hour shorter or longer.
 */

/** Sunday is 0. */
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const DAY_MINUTES = 1_440;
const DAY_MS = 86_400_000;

export interface TimeWindow {
  /** As a person wrote it. */
  readonly text: string;
  /** Days on which it begins. */
  readonly days: readonly number[];
  /** Minutes since midnight; where `toMinute` is not the later one, it ends on the day after. */
  readonly fromMinute: number;
  readonly toMinute: number;
  /** A name of the IANA database, `Europe/Vienna`. */
  readonly timeZone: string;
}

const PATTERN =
  /^(?:(?<days>[a-z]{3}(?:-[a-z]{3})?(?:,[a-z]{3}(?:-[a-z]{3})?)*) +)?(?<from>\d{1,2}:\d{2})-(?<to>\d{1,2}:\d{2})(?: +(?<zone>\S+))?$/i;

/**
 * Reads a window: days (every day, where none are named), from and to (up to 24:00), and a time zone (UTC, where none is
 * named). Returns what is wrong with it, where it is none.
 */
export function parseWindow(text: string): TimeWindow | string {
  const { days = 'sun-sat', from = '', to = '', zone = 'UTC' } = PATTERN.exec(text.trim())?.groups ?? {};
  if (from === '') return 'must be a window such as "mon-fri 22:00-05:00 Europe/Vienna"';
  const begins = daysIn(days.toLowerCase());
  if (begins === undefined)
    return `has a day that is none in "${days}": write sun, mon, tue, wed, thu, fri or sat`;
  const [fromMinute, toMinute] = [minuteIn(from), minuteIn(to)];
  if (fromMinute === undefined || fromMinute === DAY_MINUTES) return `has no time of day in "${from}"`;
  if (toMinute === undefined) return `has no time of day in "${to}"`;
  if (fromMinute === toMinute) return 'begins when it ends: write 00:00-24:00 for the whole day';
  if (!isTimeZone(zone))
    return `has no time zone in "${zone}": write a name such as "Europe/Vienna" or "UTC"`;
  return { text: text.trim(), days: begins, fromMinute, toMinute, timeZone: zone };
}

/** @param atMs ms since 1970, UTC */
export function isOpen({ days, fromMinute, toMinute, timeZone }: TimeWindow, atMs: number): boolean {
  const { day, minute } = wallTime(atMs, timeZone);
  if (fromMinute < toMinute) return days.includes(day) && minute >= fromMinute && minute < toMinute;
  const dayBefore = (day + DAYS.length - 1) % DAYS.length;
  return (days.includes(day) && minute >= fromMinute) || (days.includes(dayBefore) && minute < toMinute);
}

/** When something may happen in a place: within any of these windows, on none of these dates. */
export interface OpenTimes {
  readonly windows: readonly TimeWindow[];
  /** `2026-12-24`, from midnight to midnight by the clock of whichever window would be open. */
  readonly except: readonly string[];
}

/** @param atMs ms since 1970, UTC */
export function isOpenTime({ windows, except }: OpenTimes, atMs: number): boolean {
  return windows.some(
    (window) => isOpen(window, atMs) && !except.includes(wallTime(atMs, window.timeZone).date),
  );
}

/** For as long nobody writes dates that are left out. */
const LOOK_AHEAD_DAYS = 62;
/** At one window each: a policy may have hundreds of them, and whoever looks leads a fleet. */
const LOOKS_MAX = 20_000;
const MINUTE_MS = 60_000;

/** When it is next time, to the minute; `undefined`: not within two months, or too hard to tell. */
export function nextOpenTime(times: OpenTimes, fromMs: number): number | undefined {
  const endMs = fromMs + LOOK_AHEAD_DAYS * DAY_MS;
  let atMs = fromMs;
  for (let looks = LOOKS_MAX / times.windows.length; !isOpenTime(times, atMs); looks -= 1) {
    if (looks <= 0 || !(atMs < endMs)) return undefined;
    atMs += Math.min(...times.windows.map((window) => minutesToChange(window, atMs))) * MINUTE_MS;
    atMs -= atMs % MINUTE_MS;
  }
  // Where the clock on the wall was put forward on the way, it is open for as long already.
  while (atMs - MINUTE_MS > fromMs && isOpenTime(times, atMs - MINUTE_MS)) atMs -= MINUTE_MS;
  return atMs;
}

/** Until it begins, or a date that is left out does, by the clock on the wall. */
function minutesToChange({ fromMinute, timeZone }: TimeWindow, atMs: number): number {
  const { minute } = wallTime(atMs, timeZone);
  return (fromMinute > minute ? fromMinute : DAY_MINUTES) - minute;
}

/** Where there are no windows, it is always time. */
export function isAnyOpen(windows: readonly TimeWindow[], atMs: number): boolean {
  return windows.length === 0 || windows.some((window) => isOpen(window, atMs));
}

function daysIn(text: string): readonly number[] | undefined {
  const found = new Set<number>();
  for (const range of text.split(',')) {
    const [first = '', last = first] = range.split('-');
    const [from, to] = [DAYS.findIndex((day) => day === first), DAYS.findIndex((day) => day === last)];
    if (from < 0 || to < 0) return undefined;
    const length = ((to - from + DAYS.length) % DAYS.length) + 1;
    for (let count = 0; count < length; count += 1) found.add((from + count) % DAYS.length);
  }
  return [...found].sort((a, b) => a - b);
}

function minuteIn(text: string): number | undefined {
  const [hour = Number.NaN, minute = Number.NaN] = text.split(':').map(Number);
  const at = hour * 60 + minute;
  return minute < 60 && at <= DAY_MINUTES ? at : undefined;
}

function isTimeZone(name: string): boolean {
  // An offset stands still where the clock on the wall is put forward.
  if (!/^[a-z]/i.test(name)) return false;
  try {
    clockOf(name);
    return true;
  } catch {
    return false;
  }
}

/** Making one costs a hundred times what asking it does; there are as many as there are places. */
const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = clocks.get(timeZone);
  if (known !== undefined) return known;
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  clocks.set(timeZone, clock);
  return clock;
}

interface WallTime {
  readonly date: string;
  readonly day: number;
  readonly minute: number;
}

function wallTime(atMs: number, timeZone: string): WallTime {
  const parts = clockOf(timeZone).formatToParts(atMs);
  const field = (type: Intl.DateTimeFormatPartTypes): number =>
    Number(parts.find((part) => part.type === type)?.value);
  const midnight = Date.UTC(field('year'), field('month') - 1, field('day'));
  // 1970 began on a Thursday.
  return {
    date: new Date(midnight).toISOString().slice(0, 10),
    day: (midnight / DAY_MS + 4) % DAYS.length,
    minute: field('hour') * 60 + field('minute'),
  };
}
