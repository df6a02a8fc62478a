/** What may be said behind `npm run bench:weight --`. */

import { parseArgs } from 'node:util';
import { wholeNumber } from '../figures.ts';

export interface WeightOptions {
  readonly runs: number;
  /** How long a program is left alone before it is weighed: V8 tidies up when nothing happens. */
  readonly restMs: number;
  readonly json: boolean;
}

export const USAGE = `npm run bench:weight [-- options]
  --runs N   how many agents are weighed, one after the other (5)
  --rest S   how many seconds each is left alone before that (30)
  --json     print the result as one JSON object in the last line
  --help     this`;

/** Throws with one sentence where the words are not understood; `help` where somebody asks. */
export function readOptions(args: readonly string[]): WeightOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '5' },
      rest: { type: 'string', default: '30' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  return {
    runs: wholeNumber('--runs', values.runs, 1, 99),
    restMs: wholeNumber('--rest', values.rest, 1, 3_600) * 1_000,
    json: values.json,
  };
}
