/**
 * How far may it go? The cursor moves so that the admitted nodes that are still awaited number between one and four
 * times the slots: contention for slots then depends on the slots, never on the fleet. A slow node stalls only its own
 * place, since it counts as one of them.
 */

import { stageSize } from '@swell/shared/domain/policy.ts';
import { cursorBehind, LAST, type Rank } from '@swell/shared/domain/rank.ts';
import type { RegionProgress, Rollout } from '@swell/shared/domain/rollout.ts';
import { isAwaited, type NodeFacts, standing } from './census.ts';

const WINDOW_LOW = 2;
const WINDOW_HIGH = 4;

/**
 * The region's cursor after looking at its line.
 *
 * @param line present nodes, in order of rank
 * @param percent of the line that the present stage takes in
 * @returns never less than the cursor it had (I4)
 */
export function moveCursor(
  rollout: Rollout,
  progress: RegionProgress,
  line: readonly NodeFacts[],
  percent: number,
): Rank {
  const admitted = line.filter(({ rank }) => rank < progress.cursor);
  const awaited = admitted.filter((facts) => isAwaited(standing(facts, rollout))).length;
  if (awaited >= WINDOW_LOW * progress.slots) return progress.cursor;
  const count = admittedCount(rollout, progress, line, stageSize(percent, line.length), awaited);
  if (count === line.length && count > 0 && percent === 100) return LAST;
  return Math.max(progress.cursor, cursorBehind(ranksOf(line), count));
}

/** Walks down the line; nodes that are not awaited (there already, or held) use up no place in the window. */
function admittedCount(
  rollout: Rollout,
  progress: RegionProgress,
  line: readonly NodeFacts[],
  stageEnd: number,
  awaited: number,
): number {
  let room = WINDOW_HIGH * progress.slots - awaited;
  let count = line.filter(({ rank }) => rank < progress.cursor).length;
  while (count < stageEnd && room > 0) {
    const next = line[count];
    if (next !== undefined && isAwaited(standing(next, rollout))) room -= 1;
    count += 1;
  }
  return count;
}

export function ranksOf(line: readonly NodeFacts[]): readonly Rank[] {
  return line.map(({ rank }) => rank);
}
