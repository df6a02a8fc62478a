/** What may be said behind `npm run bench:downtime --`. */

import { parseArgs } from 'node:util';
import { wholeNumber } from '../figures.ts';
import { WAYS, type WayName } from './way.ts';

export interface DowntimeOptions {
  readonly runs: number;
  /** New connections a second. */
  readonly rate: number;
  readonly ways: readonly WayName[];
  readonly json: boolean;
}

export const USAGE = `npm run bench:downtime [-- options]
  --runs N   how often each way is gone, in turns (7)
  --rate N   new connections a second (250)
  --way W    only this way, may be repeated: ${WAYS.join(', ')}
  --json     print the result as one JSON object in the last line
  --help     this`;

/** Throws with one sentence where the words are not understood; `help` where somebody asks. */
export function readOptions(args: readonly string[]): DowntimeOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '7' },
      rate: { type: 'string', default: '250' },
      way: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const ways = values.way.map((given) => {
    const way = WAYS.find((one) => one === given);
    if (way === undefined) throw new Error(`--way takes one of ${WAYS.join(', ')}, not "${given}"`);
    return way;
  });
  return {
    runs: wholeNumber('--runs', values.runs, 1, 99),
    rate: wholeNumber('--rate', values.rate, 20, 1_000),
    ways: ways.length === 0 ? WAYS : ways,
    json: values.json,
  };
}
