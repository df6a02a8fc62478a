/**
 * How far may it go? The cursor moves so that the admitted nodes that are still awaited number between one and four
 * times the slots: contention for slots then depends on the slots, never on the fleet. A slow node stalls only its own
 * place, since it counts as one of them.
 */

import { stageSize } from '@swell/shared/domain/policy.ts';
import { cursorBehind, LAST, type Rank } from '@swell/shared/domain/rank.ts';
import type { RegionProgress } from '@swell/shared/domain/rollout.ts';
import { countBelow, countStanding, type Line } from '../nodes/line.ts';
import { isAwaited } from '../nodes/standing.ts';
import { CANARIES_PERCENT } from './canary.ts';

/** Awaited nodes for each slot: below the one the window moves, up to the other. */
export const WINDOW_LOW = 2;
export const WINDOW_HIGH = 4;

/**
 * The region's cursor after looking at its line.
 *
 * @param percent of the line that the present stage takes in
 * @param paced how many of the line the safe rate has let through
 * @returns never less than the cursor it had (I4)
 */
export function moveCursor(
  { cursor, slots }: RegionProgress,
  line: Line,
  percent: number,
  paced = line.nodes.length,
): Rank {
  // Canaries are admitted by their names.
  if (percent === CANARIES_PERCENT) return cursor;
  const admitted = countBelow(line, cursor);
  const awaited = countStanding(line, admitted, isAwaited);
  if (awaited >= WINDOW_LOW * slots) return cursor;
  const stageEnd = stageSize(percent, line.nodes.length);
  // Held by its rate it does not move at all: who is away now would find himself admitted when he comes back.
  if (paced < stageEnd && paced <= admitted) return cursor;
  const count = walked(line, admitted, Math.min(stageEnd, paced), WINDOW_HIGH * slots - awaited);
  return Math.max(cursor, cursorAt(line, count, percent));
}

/** Walks down the line; nodes that are not awaited (there already, or held) use up no place in the window. */
function walked({ standings }: Line, from: number, end: number, places: number): number {
  let room = places;
  let count = from;
  for (; count < end && room > 0; count += 1) {
    const is = standings[count];
    if (is !== undefined && isAwaited(is)) room -= 1;
  }
  return count;
}

/** The cursor that takes in a line's first `count` nodes; with all of a whole line also whoever comes later. */
export function cursorAt({ nodes }: Pick<Line, 'nodes'>, count: number, percent: number): Rank {
  if (percent === 100 && count > 0 && count === nodes.length) return LAST;
  const ranks = nodes.slice(Math.max(0, count - 1), count + 1).map(({ rank }) => rank);
  return cursorBehind(ranks, Math.min(count, 1));
}
