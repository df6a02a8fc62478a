/** How numbers read in the one-line headers of messages. */

/** A rank or cursor as the share of the line that it stands for: `12.5 %`. */
export function formatRank(rank: number): string {
  return `${Number((rank * 100).toPrecision(3))} %`;
}
