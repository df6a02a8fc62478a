/** What is asked of a run on its command line. */

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { Parsed } from '@swell/shared/kernel/parsed.ts';
import { FAULT_KINDS } from '../profile.ts';
import type { Omitted } from './job.ts';

export interface RunOptions {
  readonly seeds: readonly string[];
  readonly nodes: number;
  readonly stormHours: number;
  readonly calm: boolean;
  readonly slow: boolean;
  readonly jobs: number;
  /** How long the shortest trace of a violation is looked for; 0: it is not. */
  readonly shrinkSeconds: number;
  readonly json: boolean;
  readonly omitted: Omitted;
}

export const USAGE = `npm run sim -- [options]

  --seeds N           how many worlds, each from a seed of its own (20)
  --from N            the first seed (1)
  --seed S            this one world only
  --nodes N           nodes in each (60)
  --storm HOURS       how long everything goes wrong (1)
  --calm              nothing goes wrong
  --slow              policies of hours and days, faults sixty times rarer: for storms of weeks
  --jobs N            how many at a time (${availableParallelism()})
  --shrink SECONDS    how long the shortest trace of each violation is looked for (60)
  --json              one object on stdout
  --only 3,7          of the storm's strikes these alone
  --without 3,7       all but these
  --without-kinds A,B no strike of these kinds`;

const OPTIONS = {
  seeds: { type: 'string', default: '20' },
  from: { type: 'string', default: '1' },
  seed: { type: 'string' },
  nodes: { type: 'string', default: '60' },
  storm: { type: 'string', default: '1' },
  calm: { type: 'boolean', default: false },
  slow: { type: 'boolean', default: false },
  jobs: { type: 'string', default: String(availableParallelism()) },
  shrink: { type: 'string', default: '60' },
  json: { type: 'boolean', default: false },
  only: { type: 'string' },
  without: { type: 'string' },
  'without-kinds': { type: 'string' },
} as const;

export function readOptions(args: readonly string[]): Parsed<RunOptions> {
  const problems: string[] = [];
  const number = (name: string, given: string, min: number, isWhole = true): number => {
    const value = Number(given);
    const isGood = given.trim() !== '' && value >= min && (!isWhole || Number.isSafeInteger(value));
    if (!isGood || !Number.isFinite(value))
      problems.push(`--${name}: ${given} is not a ${isWhole ? 'whole ' : ''}number of at least ${min}`);
    return value;
  };
  const list = (given: string | undefined): readonly string[] =>
    given?.split(',').map((one) => one.trim()) ?? [];
  const numbers = (name: string, given: string | undefined): readonly number[] =>
    (given === 'none' ? [] : list(given)).map((one) => number(name, one, 1));
  try {
    const { values } = parseArgs({ args: [...args], options: OPTIONS });
    const count = number('seeds', values.seeds, 1);
    const first = number('from', values.from, 0);
    const withoutKinds = list(values['without-kinds']);
    for (const kind of withoutKinds)
      if (!FAULT_KINDS.some((known) => known === kind))
        problems.push(`--without-kinds: ${kind} is none of: ${FAULT_KINDS.join(', ')}`);
    const options: RunOptions = {
      seeds:
        values.seed === undefined
          ? Array.from({ length: problems.length > 0 ? 0 : count }, (_, at) => String(first + at))
          : [values.seed],
      nodes: number('nodes', values.nodes, 1),
      stormHours: number('storm', values.storm, 0, false),
      calm: values.calm,
      slow: values.slow,
      jobs: number('jobs', values.jobs, 1),
      shrinkSeconds: number('shrink', values.shrink, 0, false),
      json: values.json,
      omitted: {
        without: numbers('without', values.without),
        ...(values.only !== undefined && { only: numbers('only', values.only) }),
        withoutKinds,
      },
    };
    return problems.length === 0 ? { ok: true, value: options } : { ok: false, problems };
  } catch (error) {
    return { ok: false, problems: [(error as Error).message] };
  }
}
