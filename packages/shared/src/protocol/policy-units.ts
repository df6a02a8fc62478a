/** Amounts as people write them: durations in words ("5m"), shares as a number of nodes or a percentage. */

import { z } from 'zod';
import type { Share } from '../domain/policy.ts';
import { DURATION_PATTERN, formatDuration, parseDurationMs } from '../kernel/units.ts';

export function duration(minMs: number, maxMs: number) {
  return z
    .string({ error: 'must be a duration such as "30s" or "1h30m"' })
    .regex(DURATION_PATTERN, 'must be a duration such as "30s" or "1h30m"')
    .transform((text) => parseDurationMs(text) ?? Number.NaN)
    .refine((ms) => ms >= minMs && ms <= maxMs, {
      error: `must be between ${formatDuration(minMs)} and ${formatDuration(maxMs)}`,
    });
}

/** A duration as people write it. */
export function durationText(ms: number): string {
  return ms === 0 ? '0s' : formatDuration(ms).replace(' ', '');
}

export const DAY_MS = 86_400_000;
const PERCENTAGE = /^(\d{1,3}(?:\.\d{1,4})?)%$/;

export function percentage(error: string) {
  return z
    .string({ error })
    .regex(PERCENTAGE, error)
    .transform((text) => Number(text.slice(0, -1)))
    .refine((percent) => percent <= 100, { error: 'must not be more than 100%' });
}

export function share(countMin: number) {
  const error = `must be a whole number of nodes from ${countMin} on, or a percentage such as "5%"`;
  return z.union(
    [
      z
        .int()
        .min(countMin)
        .max(1_000_000)
        .transform((count): Share => ({ kind: 'count', count })),
      percentage(error).transform((percent): Share => ({ kind: 'percent', percent })),
    ],
    {
      error: ({ input }) =>
        typeof input === 'string' && input.endsWith('%') ? 'must be a percentage of at most 100%' : error,
    },
  );
}

/** A share as people write it. */
export function shareText(amount: Share): number | string {
  return amount.kind === 'count' ? amount.count : `${amount.percent}%`;
}
