/** Looks at a door as often as is asked, and tells how to look again at what it found. */

import * as fc from 'fast-check';
import type { Door } from './door.ts';

export interface Look {
  readonly runs: number;
  readonly seed?: number;
  /** To one failure alone. */
  readonly path?: string;
}

export interface Found {
  readonly door: string;
  readonly runs: number;
  readonly failure?: {
    readonly seed: number;
    readonly path: string;
    readonly problem: string;
    readonly counterexample: string;
  };
}

const COUNTEREXAMPLE_MAX = 600;
/** Of one door, for all its runs and for the search for a smaller failure: a hundred times what they take. */
const RUN_MS = 20;
const SEARCH_MS = 60_000;

export async function lookAt(door: Door, { runs, seed, path }: Look): Promise<Found> {
  const numRuns = Math.max(1, Math.ceil(runs / (door.weight ?? 1)));
  const found = await fc.check(door.property as fc.IAsyncProperty<unknown>, {
    numRuns,
    ...(seed !== undefined && { seed }),
    ...(path !== undefined && { path }),
    interruptAfterTimeLimit: SEARCH_MS + numRuns * RUN_MS,
  });
  if (!found.failed) return { door: door.name, runs: found.numRuns };
  const error = found.errorInstance;
  return {
    door: door.name,
    runs: found.numRuns,
    failure: {
      seed: found.seed,
      path: found.counterexamplePath ?? '',
      problem: error instanceof Error ? error.message : String(error),
      counterexample: readable(found.counterexample),
    },
  };
}

function readable(counterexample: unknown): string {
  const values: readonly unknown[] = Array.isArray(counterexample) ? counterexample : [counterexample];
  const text = values.map((value) => fc.stringify(value)).join(' and ');
  return text.length > COUNTEREXAMPLE_MAX ? `${text.slice(0, COUNTEREXAMPLE_MAX)}…` : text;
}
