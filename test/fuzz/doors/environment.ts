/** Doors that an operator's environment comes to: what the programs are told when they start. */

import { readConfig as readAgent } from '@swell/agent/shell/config.ts';
import { readConfig as readCoordinator } from '@swell/coordinator/shell/config.ts';
import { isName } from '@swell/shared/domain/names.ts';
import { busVariables } from '@swell/shared/shell/environment.ts';
import * as fc from 'fast-check';
import { isInBounds } from '../bounds.ts';
import { isPlain, isPrintable, leavesPrototypesAlone, promptly } from '../demands.ts';
import type { Door } from '../door.ts';
import { print } from '../json-tree.ts';
import { strangeText, strangeTree } from '../strange.ts';
import { anyName } from './well-formed.ts';

const LINE_MAX = 400;

const anyNumeral = fc.oneof(
  fc.integer({ min: -10, max: 70_000 }).map(String),
  fc.constantFrom(' ', '1.5', '0x10', '1e3', ' 7 ', 'NaN', 'Infinity', '-0', '+5', '9007199254740993', '१२'),
);
const memory = fc
  .record(
    { containers: fc.dictionary(anyName, fc.constant(`sha256:${'0'.repeat(64)}`)), workMs: fc.nat() },
    { requiredKeys: ['containers'] },
  )
  .map((machine) => JSON.stringify(machine));

const anyValue = fc.oneof(
  anyName,
  strangeText,
  anyNumeral,
  strangeTree.map(print),
  memory,
  fc.constantFrom('true', 'false', 'docker', 'memory', 'info', 'nats://a:1,nats://b', ',', 'constructor'),
);

interface Program {
  readonly name: string;
  readonly variables: readonly string[];
  /** Of a whole number, as people write it. */
  readonly counts: readonly string[];
  readonly read: (environment: NodeJS.ProcessEnv) => object;
  readonly needed: NodeJS.ProcessEnv;
  readonly names: (config: object) => readonly unknown[];
}

const PROGRAMS: readonly Program[] = [
  {
    name: 'environment of an agent',
    variables: [
      'SWELL_REGION',
      'SWELL_NODE',
      'SWELL_LOG_LEVEL',
      'SWELL_STATUS_HOST',
      'SWELL_STATE_DIR',
      'SWELL_ENGINE',
      'SWELL_MEMORY_ENGINE',
      'SWELL_COMPOSE_PROJECT',
      'SWELL_STACK',
      '__proto__',
      'constructor',
    ],
    counts: ['SWELL_STATUS_PORT', 'SWELL_PRESENCE_EVERY_MS'],
    read: readAgent,
    needed: { SWELL_REGION: 'eu', SWELL_NODE: 'n1' },
    names: (config) => ('region' in config && 'node' in config ? [config.region, config.node] : [undefined]),
  },
  {
    name: 'environment of a coordinator',
    variables: [
      'SWELL_NAME',
      'SWELL_LOG_LEVEL',
      'SWELL_STATUS_HOST',
      'SWELL_INSECURE_REGISTRIES',
      'SWELL_NOTIFICATIONS_TOKEN_FILE',
      'SWELL_NATS_MONITORING',
    ],
    counts: ['SWELL_STATUS_PORT', 'SWELL_NATS_REPLICAS', 'SWELL_PULSE_EVERY_MS', 'SWELL_LEASE_MS'],
    read: readCoordinator,
    needed: {},
    names: () => [],
  },
];

function environmentDoor({ name, variables, counts, read, needed, names }: Program): Door {
  const known = [...variables, ...counts, ...Object.keys(busVariables)];
  const given = fc.dictionary(fc.constantFrom(...known), fc.oneof(anyValue, anyNumeral), {
    maxKeys: 6,
    noNullPrototype: true,
  });
  const look = (strange: Record<string, string>): void => {
    const environment = { ...needed, ...strange };
    const config = promptly(() => readOrRefuse(read, environment, known));
    leavesPrototypesAlone();
    if (config === undefined) return;
    isPlain(config);
    // Its own port may be any that is free.
    isInBounds({ ...config, status: undefined });
    for (const one of names(config))
      if (typeof one !== 'string' || !isName(one)) throw new Error(`a name ${JSON.stringify(one)}`);
    for (const count of counts) {
      const text = environment[count] ?? '';
      if (text !== '' && !/^\d+$/.test(text))
        throw new Error(`${count} is taken from ${JSON.stringify(text)}`);
    }
  };
  return { name, property: fc.property(given, look) };
}

/** It says every variable that is wrong, each in a line of its own that begins with its name. */
function readOrRefuse(
  read: Program['read'],
  environment: NodeJS.ProcessEnv,
  known: readonly string[],
): object | undefined {
  try {
    return read(environment);
  } catch (error) {
    isTold(error, known);
    return undefined;
  }
}

function isTold(error: unknown, known: readonly string[]): void {
  if (!(error instanceof Error)) throw error;
  const [head, ...problems] = error.message.split('\n');
  if (head !== 'the environment is not right:' || problems.length === 0) throw error;
  for (const problem of problems) {
    const names = known.some((variable) => problem.startsWith(`  ${variable}: `));
    if (!names || !isPrintable(problem) || problem.length > LINE_MAX)
      throw new Error(`refused with ${JSON.stringify(problem)}`);
  }
}

export const ENVIRONMENT_DOORS: readonly Door[] = PROGRAMS.map(environmentDoor);
