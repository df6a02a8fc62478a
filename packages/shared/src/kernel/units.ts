/**
 * Durations are whole milliseconds in code and Nomad-style words ("90s", "5m", "1h30m") where people write them.
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
