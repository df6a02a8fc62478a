/** What may be said behind `npm run bench:scale --`. */

import { parseArgs } from 'node:util';
import { wholeNumber } from '../figures.ts';

export interface ScaleOptions {
  readonly nodes: number;
  readonly runs: number;
  readonly json: boolean;
}

export const USAGE = `npm run bench:scale [-- options]
  --nodes N  how many nodes the large fleet has; the small one has a tenth (110000)
  --runs N   how often each fleet is lived, in turns (3)
  --json     print the result as one JSON object in the last line
  --help     this`;

/** Throws with one sentence where the words are not understood; `help` where somebody asks. */
export function readOptions(args: readonly string[]): ScaleOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      nodes: { type: 'string', default: '110000' },
      runs: { type: 'string', default: '3' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  return {
    nodes: wholeNumber('--nodes', values.nodes, 110_000, 10_000_000),
    runs: wholeNumber('--runs', values.runs, 1, 99),
    json: values.json,
  };
}
