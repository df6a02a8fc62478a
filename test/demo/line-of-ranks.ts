/** A region's line of ranks, drawn to scale: who stands where, and how far the rollout may go. */

import { type Rank } from '@swell/shared/domain/rank.ts';

/** One column of the line. */
export type Cell<Node> =
  | { readonly kind: 'node'; readonly node: Node }
  /** Everybody to the left is admitted. */
  | { readonly kind: 'cursor' }
  | { readonly kind: 'track'; readonly is: 'admitted' | 'staging' | 'beyond' };

export interface Placed<Node> {
  readonly node: Node;
  readonly rank: Rank;
}

/**
 * The line from rank 0 to rank 1 on `width` columns. Nodes that would stand in one column move apart; where there are
 * more of them than columns, the last ones are left out.
 */
export function drawLine<Node>(
  placed: readonly Placed<Node>[],
  order: { readonly cursor: Rank; readonly stageBelow: Rank },
  width: number,
): readonly Cell<Node>[] {
  const inLine = [...placed].sort((a, b) => a.rank - b.rank).slice(0, width);
  const columns = columnsOf(
    inLine.map(({ rank }) => rank),
    width,
  );
  const nodeAt = new Map(columns.map((column, index) => [column, inLine[index]]));
  const end = boundary(inLine, columns, order.cursor, width);
  const stageEnd = boundary(inLine, columns, Math.max(order.stageBelow, order.cursor), width);
  return Array.from({ length: width }, (_, column): Cell<Node> => {
    const here = nodeAt.get(column);
    if (here !== undefined) return { kind: 'node', node: here.node };
    if (column === end && order.cursor > 0 && order.cursor < 1) return { kind: 'cursor' };
    if (column < end) return { kind: 'track', is: 'admitted' };
    return { kind: 'track', is: column < stageEnd ? 'staging' : 'beyond' };
  });
}

/** Rising columns as near to the ranks as they fit. */
function columnsOf(ranks: readonly Rank[], width: number): readonly number[] {
  const columns: number[] = [];
  for (const rank of ranks) columns.push(Math.max(Math.floor(rank * width), (columns.at(-1) ?? -1) + 1));
  // Pushed over the end: those before make room.
  for (let index = columns.length - 1, most = width - 1; index >= 0; index -= 1, most -= 1) {
    columns[index] = Math.min(columns[index] ?? 0, most);
  }
  return columns;
}

/** The first column behind a rank that no node before it stands in. */
function boundary(
  inLine: readonly Placed<unknown>[],
  columns: readonly number[],
  rank: Rank,
  width: number,
): number {
  if (rank >= 1) return width;
  const first = inLine.findIndex((one) => one.rank >= rank);
  const before = first < 0 ? inLine.length - 1 : first - 1;
  const least = (columns[before] ?? -1) + 1;
  const most = first < 0 ? width : (columns[first] ?? width);
  return Math.min(Math.max(Math.floor(rank * width), least), most);
}
