/** How fast a stage's cursor may move: a share of each region's nodes in a time. */

/** `5%/6h`: five percent of a region's nodes in six hours. */
export interface SafeRate {
  /** With four decimals at most. */
  readonly percent: number;
  readonly perMs: number;
}

/** What a percentage of four decimals is counted in. */
const PARTS_PER_PERCENT = 10_000;

/** How long it takes until `wanted` of `nodes` have been let through. */
export function msUntilPaced({ percent, perMs }: SafeRate, nodes: number, wanted: number): number {
  const whole = BigInt(wanted) * BigInt(perMs) * 100n * BigInt(PARTS_PER_PERCENT);
  const share = BigInt(nodes) * BigInt(Math.round(percent * PARTS_PER_PERCENT));
  return Number((whole + share - 1n) / share);
}

/**
 * How many of `nodes` have been let through after `openMs`: whole nodes, in whole numbers, since a hundred thousand nodes
 * at 0.01 % over weeks are more than a double can tell apart.
 */
export function nodesPaced({ percent, perMs }: SafeRate, nodes: number, openMs: number): number {
  const parts = BigInt(Math.round(percent * PARTS_PER_PERCENT));
  const passed =
    (BigInt(nodes) * parts * BigInt(openMs)) / (100n * BigInt(PARTS_PER_PERCENT) * BigInt(perMs));
  return Math.min(nodes, Number(passed));
}
