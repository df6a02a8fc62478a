/** What may be said behind `npm run bench:drain --`. */

import { parseArgs } from 'node:util';

export interface DrainBenchOptions {
  readonly connections: number;
  /** Each connection sends a request so often. */
  readonly everyMs: number;
  /** The last line is one object that programs read. */
  readonly json: boolean;
}

export const USAGE = `npm run bench:drain [-- options]
  --connections N   keep-alive connections, or as many as files may be open (10000)
  --every MS        each sends a request so often (20000: 500 a second in all)
  --json            print the result as one JSON object in the last line
  --help            this`;

/** Throws with one sentence where the words are not understood; `help` where somebody asks. */
export function readOptions(args: readonly string[]): DrainBenchOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      connections: { type: 'string', default: '10000' },
      every: { type: 'string', default: '20000' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  return {
    connections: wholeNumber('--connections', values.connections),
    everyMs: wholeNumber('--every', values.every),
    json: values.json,
  };
}

function wholeNumber(option: string, given: string): number {
  const value = Number(given);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`${option} takes a whole number, not "${given}"`);
  return value;
}
