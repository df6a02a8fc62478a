/** What may be said behind `npm run demo --`. */

import { parseArgs } from 'node:util';

export interface DemoOptions {
  readonly nodes: number;
  /** Without containers, also where Docker is. */
  readonly memory: boolean;
  /** The last line is one object that programs read. */
  readonly json: boolean;
  /** Leaves everything running until Ctrl-C. */
  readonly keep: boolean;
}

export const USAGE = `npm run demo [-- options]
  --nodes N   how many nodes, over three regions (3 to 60; 6)
  --memory    without Docker: agents work on containers that exist only in memory
  --keep      leave everything running to play with, until Ctrl-C
  --json      print the result as one JSON object in the last line
  --help      this`;

const NODES_MIN = 3;
const NODES_MAX = 60;
export const REGIONS = ['eu-west', 'us-east', 'ap-south'] as const;

/** Throws with one sentence where the words are not understood; `help` where somebody asks. */
export function readOptions(args: readonly string[]): DemoOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      nodes: { type: 'string', default: '6' },
      memory: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const nodes = Number(values.nodes);
  if (!Number.isInteger(nodes) || nodes < NODES_MIN || nodes > NODES_MAX) {
    throw new Error(`--nodes takes a whole number from ${NODES_MIN} to ${NODES_MAX}, not "${values.nodes}"`);
  }
  return { nodes, memory: values.memory, json: values.json, keep: values.keep };
}

/** The nodes over the regions, as evenly as they go. */
export function spread(nodes: number): Readonly<Record<string, number>> {
  return Object.fromEntries(
    REGIONS.map((region, index) => [region, Math.ceil((nodes - index) / REGIONS.length)]),
  );
}
