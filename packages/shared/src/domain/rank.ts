import { createHmac } from 'node:crypto';
import type { NodeId } from './names.ts';

/** Where a node stands in a rollout's line: 0 ≤ rank < 1; before it, from -1 on, its canaries. */
export type Rank = number;

/** Admits nobody. */
export const FIRST: Rank = 0;
/** Admits everybody. */
export const LAST: Rank = 1;

/**
 * The first 48 bits of HMAC-SHA256(seed, node id), over 2^48: exact in a double, and unlike a comparison of hexadecimal
 * strings it keeps its leading zeros. After Storj's version server, whose seed and node id are bytes like these.
 */
export function rankOf(seed: string, node: NodeId): Rank {
  return createHmac('sha256', seed).update(node).digest().readUIntBE(0, 6) / 2 ** 48;
}

/** What a region's line is drawn by. */
export interface Draw {
  readonly seed: string;
  /** They stand before everybody else. */
  readonly canaries?: readonly NodeId[];
}

/** A canary's rank is below every cursor. */
export function rankIn({ seed, canaries }: Draw, node: NodeId): Rank {
  const rank = rankOf(seed, node);
  return canaries?.includes(node) === true ? rank - LAST : rank;
}

/** Nodes below the cursor are admitted. */
export function isBelow(rank: Rank, cursor: Rank): boolean {
  return rank < cursor;
}

/**
 * The cursor that takes in exactly the first `count` of `ranks`: half-way to the next one (or to the end of the line),
 * so that rounding on the wire cannot move a node across.
 *
 * @param ranks rising
 */
export function cursorBehind(ranks: readonly Rank[], count: number): Rank {
  const last = ranks[count - 1];
  return last === undefined ? FIRST : (last + (ranks[count] ?? LAST)) / 2;
}
