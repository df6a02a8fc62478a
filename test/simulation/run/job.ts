/** One life as it is asked for: by its seed, and by what of its storm is left out. */

import type { StreamShape } from '../bus/definition.ts';
import type { LifeOptions } from '../life.ts';
import { CALM, SLOW, STORMY } from '../profile.ts';

export interface Job {
  readonly seed: string;
  readonly nodes: number;
  readonly stormHours: number;
  readonly calm: boolean;
  readonly slow: boolean;
  readonly omitted: Omitted;
  /** Whoever looks for one violation waits no longer than this. */
  readonly patienceMs?: number;
}

/** What of a storm is left out: some strikes, or all but some; and whole kinds. */
export interface Omitted {
  readonly without: readonly number[];
  readonly only?: readonly number[];
  readonly withoutKinds: readonly string[];
}

export const NOTHING: Omitted = { without: [], withoutKinds: [] };

const HOUR_MS = 3_600_000;
/** No storm has more strikes. */
const STRIKES_MAX = 100_000;

export function lifeOptions(job: Job, shapes: readonly StreamShape[]): LifeOptions {
  const { seed, nodes, stormHours, calm, slow, omitted, patienceMs } = job;
  const { without, only, withoutKinds } = omitted;
  return {
    seed,
    nodes,
    shapes,
    profile: calm ? { ...CALM, isSlow: slow } : slow ? SLOW : STORMY,
    stormMs: stormHours * HOUR_MS,
    without: only === undefined ? new Set(without) : allBut(only, without),
    withoutKinds: new Set(withoutKinds),
    ...(patienceMs !== undefined && { patienceMs }),
  };
}

function allBut(only: readonly number[], without: readonly number[]): ReadonlySet<number> {
  const omitted = new Set(Array.from({ length: STRIKES_MAX }, (_, at) => at + 1));
  for (const number of only) if (!without.includes(number)) omitted.delete(number);
  return omitted;
}

/** The command that lives it again. */
export function replay({ seed, nodes, stormHours, calm, slow, omitted }: Job): string {
  const { without, only, withoutKinds } = omitted;
  return [
    `npm run sim -- --seed ${seed} --nodes ${nodes} --storm ${stormHours}`,
    calm ? '--calm' : '',
    slow ? '--slow' : '',
    only === undefined ? '' : `--only ${only.join() || 'none'}`,
    without.length === 0 ? '' : `--without ${without.join()}`,
    withoutKinds.length === 0 ? '' : `--without-kinds '${withoutKinds.join()}'`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}
