/**
 * The shortest story of a violation that can be found in a given time: fewer kinds of faults first, since they are few
 * (G. Misherghi, Z. Su, "HDD: Hierarchical Delta Debugging", ICSE 2006), then fewer strikes of the storm, then fewer
 * nodes. The same rule has to break each time.
 */

import type { Life } from '../life.ts';
import { ddmin } from './ddmin.ts';
import type { Job } from './job.ts';

export interface Shrunk {
  readonly job: Job;
  /** As that job lived it. */
  readonly life: Life;
  readonly reruns: number;
}

export interface ShrinkOptions {
  readonly live: (job: Job) => Promise<Life>;
  readonly isSpent: () => boolean;
  readonly width: number;
}

/** How much later than the first time it may break. */
const LATER_MS = 600_000;
const HOUR_MS = 3_600_000;

export async function shrink(job: Job, life: Life, options: ShrinkOptions): Promise<Shrunk> {
  const [violation] = life.violations;
  if (violation === undefined) throw new Error('there is nothing to shrink');
  const broke = new Map<string, Life>();
  let reruns = 0;
  const patienceMs = life.livedMs + LATER_MS;
  const isInStorm = patienceMs < job.stormHours * HOUR_MS;
  const breaks = async (candidate: Job): Promise<boolean> => {
    if (options.isSpent()) return false;
    reruns += 1;
    const lived = await options.live({ ...candidate, ...(isInStorm && { patienceMs }) });
    if (lived.violations[0]?.rule !== violation.rule) return false;
    broke.set(keyOf(candidate), lived);
    return true;
  };
  const lived = (candidate: Job): Life => broke.get(keyOf(candidate)) ?? life;

  const all = only(job, numbersOf(life.strikes));
  if (!(await breaks(all))) return { job, life, reruns };
  const byKind = [...Map.groupBy(life.strikes, ({ kind }) => kind).values()];
  const kinds = await ddmin(byKind, {
    ...options,
    breaks: (kept) => breaks(only(job, numbersOf(kept.flat()))),
  });
  const strikes = await ddmin(numbersOf(kinds.flat()), {
    ...options,
    breaks: (kept) => breaks(only(job, kept)),
  });
  const least = await fewerNodes(only(job, strikes), breaks);
  return { job: least, life: lived(least), reruns };
}

function numbersOf(strikes: Life['strikes']): readonly number[] {
  return strikes.map(({ number }) => number).toSorted((a, b) => a - b);
}

function only(job: Job, strikes: readonly number[]): Job {
  return { ...job, omitted: { without: [], only: strikes, withoutKinds: [] } };
}

function keyOf({ nodes, omitted }: Job): string {
  return `${nodes} ${omitted.only?.join()}`;
}

/** Halves them for as long as that works, then takes quarters. */
async function fewerNodes(job: Job, breaks: (job: Job) => Promise<boolean>): Promise<Job> {
  let least = job;
  for (const share of [0.5, 0.75]) {
    for (;;) {
      const nodes = Math.floor(least.nodes * share);
      const fewer = { ...least, nodes };
      if (nodes < 1 || nodes === least.nodes || !(await breaks(fewer))) break;
      least = fewer;
    }
  }
  return least;
}
