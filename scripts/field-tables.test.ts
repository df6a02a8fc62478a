import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { policyPage, type Schema, withTables } from './field-tables.ts';
import { root } from './setup/places.ts';

test('the tables of docs/POLICY.md are what the schemas say', () => {
  const page = readFileSync(join(root, 'docs/POLICY.md'), 'utf8');
  expect(page, 'npm run docs:policy writes them anew').toBe(policyPage(page));
});

const POLICY: Schema = {
  properties: {
    soak: { description: 'How long', default: '5m', examples: ['1h', '2h'] },
    health: {
      properties: {
        port: { description: 'Which', otherwise: 'any', examples: [80] },
        command: { description: 'a | b', examples: [['sh', '-c', 'a | b']] },
        http: { description: 'What', examples: [{ port: 80, paths: ['/', '/x'], labels: {} }] },
      },
    },
  },
};

function pageWith(...lines: readonly string[]): string {
  return ['# Fields', '', ...lines, '', 'More.', ''].join('\n');
}

function tabled(...lines: readonly string[]): string {
  return withTables(pageWith(...lines), { policy: POLICY });
}

const HEAD = ['', '| field | default | meaning | example |', '|---|---|---|---|'];
const SOAK = '| `soak` | `"5m"` | How long | `"1h"` |';

test('a table has a row for each field that holds a value, in the order of its names', () => {
  expect(tabled('<!-- fields of policy: health soak -->', '<!-- end of fields -->')).toBe(
    pageWith(
      '<!-- fields of policy: health soak -->',
      ...HEAD,
      '| `health.port` | any | Which | `80` |',
      '| `health.command` | none | a \\| b | `["sh", "-c", "a \\| b"]` |',
      '| `health.http` | none | What | `{"port": 80, "paths": ["/", "/x"], "labels": {}}` |',
      SOAK,
      '',
      '<!-- end of fields -->',
    ),
  );
});

test('what stood in a table before is gone, and what stands around it stays', () => {
  const table = ['<!-- fields of policy: soak -->', ...HEAD, SOAK, '', '<!-- end of fields -->'];
  const stale = ['<!-- fields of policy: soak -->', 'Old.', '<!-- end of fields -->'];
  expect(tabled(...stale, '', 'Between.', '', ...table)).toBe(
    pageWith(...table, '', 'Between.', '', ...table),
  );
});

test.each([
  [['<!-- fields of policy: sock -->', '', '<!-- end of fields -->'], 'there is no field "sock" of a policy'],
  [['<!-- fields of police: soak -->', '', '<!-- end of fields -->'], 'there is no field "soak" of a police'],
  [['<!-- fields of policy: soak -->', '', '<!-- end of field -->'], 'missing or misspelt'],
  [['<!-- fields of policy soak -->', '', '<!-- end of fields -->'], 'missing or misspelt'],
])('%o is refused', (lines, problem) => {
  expect(() => tabled(...lines)).toThrow(problem);
});

test.each<[Schema, string]>([
  [{ examples: [1] }, 'soak needs a description and an example'],
  [{ description: 'How long' }, 'soak needs a description and an example'],
])('a field of which nothing is told has no row: %o', (soak, problem) => {
  const page = pageWith('<!-- fields of policy: soak -->', '', '<!-- end of fields -->');
  expect(() => withTables(page, { policy: { properties: { soak } } })).toThrow(problem);
});
