/** What may be said behind `npm run chaos --`. */

import { parseArgs } from 'node:util';
import { FAULTS } from './faults.ts';

export interface ChaosOptions {
  readonly seed: string;
  readonly minutes: number;
  readonly nodes: number;
  /** The last line is one object that programs read. */
  readonly json: boolean;
  /** Only these kinds of faults; all of them where it is missing. */
  readonly faults?: readonly string[];
}

export const USAGE = `npm run chaos [-- options]
  --minutes M    how long the storm lasts (5); what follows until everybody is on the last release comes on top
  --seed S       draws faults and releases; a new one each time
  --nodes N      how many nodes, over three regions and six agent processes (6 to 120; 36)
  --faults A,B   only these kinds
  --json         the last line is one JSON object
  --help         this`;

const NODES_MIN = 6;
const NODES_MAX = 120;
const MINUTES_MAX = 24 * 60;

/** Throws with one sentence where the words are not understood; `help` where somebody asks. */
export function readOptions(args: readonly string[]): ChaosOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
      minutes: { type: 'string', default: '5' },
      nodes: { type: 'string', default: '36' },
      faults: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const minutes = Number(values.minutes);
  if (!(minutes > 0 && minutes <= MINUTES_MAX))
    throw new Error(`--minutes takes a number up to ${MINUTES_MAX}, not "${values.minutes}"`);
  const nodes = Number(values.nodes);
  if (!Number.isInteger(nodes) || nodes < NODES_MIN || nodes > NODES_MAX)
    throw new Error(`--nodes takes a whole number from ${NODES_MIN} to ${NODES_MAX}, not "${values.nodes}"`);
  const faults = values.faults?.split(',').map((fault) => fault.trim());
  const known = FAULTS.map(({ name }) => name);
  const unknown = faults?.filter((fault) => !known.includes(fault)) ?? [];
  if (unknown.length > 0)
    throw new Error(`--faults knows no "${unknown.join('", "')}"; there are: ${known.join(', ')}`);
  const { seed, json } = values;
  return { seed, minutes, nodes, json, ...(faults !== undefined && { faults }) };
}
