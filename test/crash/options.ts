/** What may be said behind `npm run crash --`. */

import { parseArgs } from 'node:util';
import { FLOW_NAMES, type FlowName } from './flow.ts';
import { RESTARTS, type Restart } from './restarts.ts';

export const BLOWS = ['kill', ...RESTARTS] as const;
/** What befalls an agent at its point. */
export type Blow = 'kill' | Restart;

export interface CrashOptions {
  readonly flows: readonly FlowName[];
  readonly blows: readonly Blow[];
  /** A point's name, or its number in the list of its flow. */
  readonly point?: string;
  readonly lanes: number;
  readonly json: boolean;
  readonly lists: boolean;
}

export const USAGE = `npm run crash [-- options]
  --flow F    only this way through: ${FLOW_NAMES.join(', ')}
  --blow B    only this: ${BLOWS.join(', ')}
  --point P   only at this point: its name, or its number in --list
  --list      print every point of each flow, and try none
  --lanes N   how many at once (10)
  --json      print the result as one JSON object in the last line
  --help      this`;

/** Throws with one sentence where the words are not understood; `help` where somebody asks. */
export function readOptions(args: readonly string[]): CrashOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      flow: { type: 'string' },
      blow: { type: 'string' },
      point: { type: 'string' },
      list: { type: 'boolean', default: false },
      lanes: { type: 'string', default: '10' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const lanes = Number(values.lanes);
  if (!Number.isInteger(lanes) || lanes < 1 || lanes > 64) {
    throw new Error(`--lanes takes a whole number from 1 to 64, not "${values.lanes}"`);
  }
  return {
    flows: oneOf('--flow', values.flow, FLOW_NAMES),
    // A point is one of the kills, unless somebody says otherwise.
    blows: oneOf('--blow', values.blow ?? (values.point === undefined ? undefined : 'kill'), BLOWS),
    ...(values.point !== undefined && { point: values.point }),
    lanes,
    json: values.json,
    lists: values.list,
  };
}

function oneOf<Word extends string>(
  option: string,
  given: string | undefined,
  words: readonly Word[],
): readonly Word[] {
  if (given === undefined) return words;
  const found = words.find((word) => word === given);
  if (found === undefined) throw new Error(`${option} takes one of ${words.join(', ')}, not "${given}"`);
  return [found];
}
