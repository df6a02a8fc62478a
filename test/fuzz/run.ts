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

export async function lookAt(door: Door, { runs, seed, path }: Look): Promise<Found> {
  const numRuns = Math.max(1, Math.ceil(runs / (door.weight ?? 1)));
  const found = await fc.check(door.property as fc.IAsyncProperty<unknown>, {
    numRuns,
    ...(seed !== undefined && { seed }),
    ...(path !== undefined && { path }),
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

/** What was asked, with bytes as the text that they nearly are. */
function readable(counterexample: unknown): string {
  const values: readonly unknown[] = Array.isArray(counterexample) ? counterexample : [counterexample];
  const text = values.map(shown).join(' and ');
  return text.length > COUNTEREXAMPLE_MAX ? `${text.slice(0, COUNTEREXAMPLE_MAX)}…` : text;
}

function shown(value: unknown): string {
  const bytes: unknown =
    typeof value === 'object' && value !== null && 'bytes' in value ? value.bytes : value;
  if (!(bytes instanceof Uint8Array)) return fc.stringify(value);
  return `${JSON.stringify(Buffer.from(bytes).toString('latin1'))} (bytes)`;
}
