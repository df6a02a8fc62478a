/**
 * Keeps the floors of the house (docs/ARCHITECTURE.md) and the purity of the lower three. Tests beside the sources may
 * import what they like and are left out.
 */

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../../scripts/setup/places.ts';
import {
  floorsAreKept,
  importsRunInNoCircle,
  lowFloorsArePure,
  modulesArePlain,
  natsStaysInAdapters,
  type Rule,
  type Sources,
  siblingsAreStrangers,
  subjectsAreSpelledOnce,
} from './rules.ts';

const sources: Sources = new Map(
  globSync('packages/*/src/**/*.ts', { cwd: root })
    .filter((file) => !file.endsWith('.test.ts'))
    .toSorted()
    .map((file) => [file, readFileSync(join(root, file), 'utf8')]),
);

test('there are sources to look at', () => {
  expect(sources.size).toBeGreaterThan(20);
});

describe('imports go to the same floor or down', () => {
  keeps(floorsAreKept, {
    'packages/shared/src/domain/a.ts': "import { ok } from '../kernel/k.ts';\nimport { same } from './b.ts';",
    'packages/agent/src/core/a.ts': "import type { Wave } from '@swell/shared/domain/wave.ts';",
    'packages/agent/src/main.ts': "import { run } from './shell/run.ts';",
  });
  catches(floorsAreKept, {
    'upwards, even for a type': [
      { 'packages/agent/src/core/a.ts': "import type { X } from '../shell/config.ts';" },
      ['packages/agent/src/core/a.ts (core) imports packages/agent/src/shell/config.ts (shell)'],
    ],
    'upwards through the other package, over several lines': [
      {
        'packages/agent/src/core/a.ts':
          "import {\n  one,\n  two,\n} from '@swell/shared/protocol/orders.ts';",
      },
      ['packages/agent/src/core/a.ts (core) imports packages/shared/src/protocol/orders.ts (protocol)'],
    ],
    'upwards by passing on': [
      { 'packages/shared/src/kernel/a.ts': "export { x } from '../domain/x.ts';" },
      ['packages/shared/src/kernel/a.ts (kernel) imports packages/shared/src/domain/x.ts (domain)'],
    ],
    'upwards at run time': [
      { 'packages/shared/src/kernel/a.ts': "const x = () => import('../domain/x.ts');" },
      ['packages/shared/src/kernel/a.ts (kernel) imports packages/shared/src/domain/x.ts (domain)'],
    ],
    'a file on no floor': [
      { 'packages/agent/src/utils/a.ts': "import { x } from '../core/x.ts';" },
      ['packages/agent/src/utils/a.ts is on no floor'],
    ],
  });
});

describe('a package imports shared, never its sibling', () => {
  keeps(siblingsAreStrangers, {
    'packages/agent/src/shell/a.ts':
      "import { x } from '@swell/shared/shell/x.ts';\nimport { y } from '../core/y.ts';",
  });
  catches(siblingsAreStrangers, {
    'the sibling by its name': [
      { 'packages/agent/src/shell/a.ts': "import { x } from '@swell/coordinator/shell/x.ts';" },
      ['packages/agent/src/shell/a.ts imports packages/coordinator/src/shell/x.ts'],
    ],
    'the sibling by a path': [
      { 'packages/agent/src/shell/a.ts': "import { x } from '../../../coordinator/src/shell/x.ts';" },
      ['packages/agent/src/shell/a.ts imports packages/coordinator/src/shell/x.ts'],
    ],
    'a program out of shared': [
      { 'packages/shared/src/shell/a.ts': "import { x } from '@swell/agent/shell/x.ts';" },
      ['packages/shared/src/shell/a.ts imports packages/agent/src/shell/x.ts'],
    ],
    'the tests': [
      { 'packages/shared/src/shell/a.ts': "import { x } from '../../../../test/support/x.ts';" },
      ['packages/shared/src/shell/a.ts imports test/support/x.ts'],
    ],
  });
});

describe('imports run in no circle', () => {
  keeps(importsRunInNoCircle, {
    'packages/shared/src/domain/a.ts': "import { b } from './b.ts';\nimport { c } from './c.ts';",
    'packages/shared/src/domain/b.ts': "import { c } from './c.ts';",
    'packages/shared/src/domain/c.ts': "// import { a } from './a.ts';",
  });
  catches(importsRunInNoCircle, {
    'over two files': [
      {
        'packages/shared/src/domain/a.ts': "import { b } from './b.ts';",
        'packages/shared/src/domain/b.ts': "import type { C } from './c.ts';",
        'packages/shared/src/domain/c.ts': "import { a } from './a.ts';",
      },
      [
        'packages/shared/src/domain/a.ts → packages/shared/src/domain/b.ts → packages/shared/src/domain/c.ts → packages/shared/src/domain/a.ts',
      ],
    ],
  });
});

describe('kernel, domain and core are pure', () => {
  keeps(lowFloorsArePure, {
    'packages/shared/src/domain/rank.ts':
      "import { createHmac } from 'node:crypto';\n// Date.now() would lie\nconst says = 'no process.env, no await';",
    'packages/agent/src/core/a.ts':
      'const at = new Date(event.atMs); const text = `a Promise of ${event.node}`;',
    'packages/agent/src/shell/a.ts': "import fs from 'node:fs';\nawait sleep(Date.now() + Math.random());",
  });
  const core = 'packages/agent/src/core/a.ts';
  catches(lowFloorsArePure, {
    'a clock': [{ [core]: 'const now = Date.now();' }, [`${core} uses a clock`]],
    'a clock without arguments': [{ [core]: 'const now = new Date();' }, [`${core} uses a clock`]],
    'a clock inside a template': [{ [core]: 'const text = `at ${Date.now()}`;' }, [`${core} uses a clock`]],
    chance: [{ [core]: 'const x = Math.random();' }, [`${core} uses chance`]],
    'a timer': [{ [core]: 'setTimeout(() => undefined, 1);' }, [`${core} uses a timer`]],
    'a promise': [{ [core]: 'export async function f(): Promise<void> {}' }, [`${core} uses a promise`]],
    'the console': [{ [core]: "console.log('x');" }, [`${core} uses the console`]],
    'the process': [{ [core]: 'const x = process.env;' }, [`${core} uses the process`]],
    'the network': [{ [core]: "fetch('http://a');" }, [`${core} uses the network`]],
    'a module of Node': [
      { 'packages/shared/src/domain/a.ts': "import { readFileSync } from 'node:fs';" },
      ['packages/shared/src/domain/a.ts imports node:fs'],
    ],
    'a library': [{ [core]: "import { z } from 'zod';" }, [`${core} imports zod`]],
    'hashes in a core': [
      { [core]: "import { createHash } from 'node:crypto';" },
      [`${core} imports node:crypto`],
    ],
  });
});

describe('only adapters know the NATS client', () => {
  keeps(natsStaysInAdapters, {
    'packages/shared/src/adapters/a.ts': "import { connect } from '@nats-io/transport-node';",
  });
  catches(natsStaysInAdapters, {
    'a shell that does': [
      { 'packages/shared/src/shell/a.ts': "import type { Msg } from '@nats-io/nats-core';" },
      ['packages/shared/src/shell/a.ts imports the NATS client'],
    ],
  });
});

describe('subjects are spelled in protocol only', () => {
  keeps(subjectsAreSpelledOnce, {
    'packages/shared/src/protocol/subjects.ts': 'export const pulse = `swell.pulse.${region}`;',
    'packages/agent/src/adapters/marks.ts':
      "// swell.wave.eu.web\nexport const SERVICE_LABEL = 'swell.service';",
  });
  catches(subjectsAreSpelledOnce, {
    'a subject': [
      { 'packages/agent/src/shell/a.ts': 'bus.publish(`swell.health.${region}`);' },
      ['packages/agent/src/shell/a.ts spells `swell.health.${region}`'],
    ],
    'a wildcard': [
      { 'packages/agent/src/shell/a.ts': "bus.subscribe('swell.>');" },
      ["packages/agent/src/shell/a.ts spells 'swell.>'"],
    ],
    'a key of a bucket': [
      { 'packages/agent/src/adapters/a.ts': "bus.read('$KV.swell_orders.wave.eu.web');" },
      ["packages/agent/src/adapters/a.ts spells '$KV.swell_orders.wave.eu.web'"],
    ],
    'a stream': [
      { 'packages/coordinator/src/shell/a.ts': "bus.follow('SWELL_RELEASES');" },
      ["packages/coordinator/src/shell/a.ts spells 'SWELL_RELEASES'"],
    ],
  });
});

describe('modules are plain', () => {
  keeps(modulesArePlain, {
    'packages/shared/src/kernel/a.ts':
      "import { b } from './b.ts';\nexport const a = b;\nexport { c } from './c.ts';",
  });
  catches(modulesArePlain, {
    'a default export': [
      { 'packages/shared/src/kernel/a.ts': 'export default function a() {}' },
      ['packages/shared/src/kernel/a.ts has a default export'],
    ],
    'a default export by another name': [
      { 'packages/shared/src/kernel/a.ts': 'const a = 1;\nexport { a as default };' },
      ['packages/shared/src/kernel/a.ts has a default export'],
    ],
    'a barrel by its name': [
      { 'packages/shared/src/kernel/index.ts': 'export const a = 1;' },
      ['packages/shared/src/kernel/index.ts is a barrel'],
    ],
    'a barrel by what it does': [
      { 'packages/shared/src/kernel/all.ts': "export { a } from './a.ts';\nexport * from './b.ts';" },
      ['packages/shared/src/kernel/all.ts is a barrel'],
    ],
  });
});

/** The rule finds nothing in ours, and nothing in these. */
function keeps(rule: Rule, innocent: Readonly<Record<string, string>>): void {
  test('in every source of ours', () => {
    expect(rule(sources)).toEqual([]);
  });
  test('and what only looks like a violation is none', () => {
    expect(rule(new Map(Object.entries(innocent)))).toEqual([]);
  });
}

/** The rule sees what was planted. */
function catches(
  rule: Rule,
  planted: Readonly<
    Record<string, readonly [files: Readonly<Record<string, string>>, found: readonly string[]]>
  >,
): void {
  test.each(Object.entries(planted))('caught: %s', (_, [files, found]) => {
    expect(rule(new Map(Object.entries(files)))).toEqual(found);
  });
}
