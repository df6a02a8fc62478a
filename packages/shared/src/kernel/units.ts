/**
 * Durations are whole milliseconds in code and Nomad-style words ("90s", "5m", "1h30m") where people write them; sizes are
 * bytes, and "512MiB" or "2GiB".
 */

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof UNIT_MS;

/** A duration as people write it: one or more numbers, each with its unit. */
export const DURATION_PATTERN = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;

/** Milliseconds of a duration such as `1h30m`; `undefined` where the text is none. */
export function parseDurationMs(text: string): number | undefined {
  if (!DURATION_PATTERN.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    totalMs += Number(amount) * UNIT_MS[unit as Unit];
  }
  return Math.round(totalMs);
}

/** A duration for a person to read, two units at most: `1h 30m`, `12s`, `300ms`. */
export function formatDuration(ms: number): string {
  if (Math.round(ms) < 1_000) return `${Math.round(ms)}ms`;
  // Rounded first: 59.9 s are a minute, not 60 s.
  let rest = Math.round(ms / 1_000) * 1_000;
  const units: readonly (readonly [string, number])[] = [
    ['d', UNIT_MS.d],
    ['h', UNIT_MS.h],
    ['m', UNIT_MS.m],
    ['s', UNIT_MS.s],
  ];
  const first = units.findIndex(([, unitMs]) => rest >= unitMs);
  const words: string[] = [];
  for (const [name, unitMs] of units.slice(first, first + 2)) {
    const amount = Math.floor(rest / unitMs);
    rest -= amount * unitMs;
    if (amount > 0) words.push(`${amount}${name}`);
  }
  return words.join(' ');
}

const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Bytes of a size such as `2GiB`; `undefined` where the text is none. */
export function parseBytes(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,15}(?:\.\d{1,9})?)(B|KiB|MiB|GiB|TiB)$/.exec(text) ?? [];
  if (amount === undefined) return undefined;
  return Math.round(Number(amount) * 1_024 ** SIZES.indexOf(unit as (typeof SIZES)[number]));
}

/** A size for a person to read: `1.5 GiB`; also one that is missing: `-3 MiB`. */
export function formatBytes(bytes: number): string {
  const power = Math.min(SIZES.length - 1, Math.floor(Math.log2(Math.max(1, Math.abs(bytes))) / 10));
  const amount = bytes / 1_024 ** power;
  return `${Math.round(amount * 10) / 10} ${SIZES[power]}`;
}
