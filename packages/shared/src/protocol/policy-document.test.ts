/** docs/POLICY.md says of every field what is true: defaults are those in force, examples are parsed. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import type { Gate } from '../domain/gate.ts';
import { DEFAULT_POLICY, layeredPolicy, policyProblems } from '../domain/policy.ts';
import { decode, encode } from './codec.ts';
import { intentJsonSchemas, releaseSchema } from './intent.ts';
import { policyJsonSchema, policySchema } from './policy.ts';
import { gatesSchema } from './policy-gates.ts';

const DOCUMENT = readFileSync(new URL('../../../../docs/POLICY.md', import.meta.url), 'utf8');

interface Row {
  readonly field: string;
  readonly fallback: string;
  readonly meaning: string;
  readonly example: string;
}

/** The rows of all tables that show fields of a policy, a gate or a release. */
function rowsOf(kind: string): readonly Row[] {
  const tables = DOCUMENT.matchAll(
    new RegExp(`<!-- fields of ${kind}: .+? -->(.+?)<!-- end of fields -->`, 'gs'),
  );
  return [...tables].flatMap(([, table = '']) =>
    [...table.matchAll(/^\| `(.+?)` \| (.+?) \| (.+?) \| `(.+)` \|$/gm)].map(([, ...cells]) => {
      const [field = '', fallback = '', meaning = '', example = ''] = cells.map((cell) =>
        cell.replaceAll('\\|', '|'),
      );
      return { field, fallback, meaning, example };
    }),
  );
}

const POLICY_ROWS = rowsOf('policy');
const GATE_ROWS = rowsOf('gate');
const RELEASE_ROWS = rowsOf('release');

type Schema = { readonly properties?: Readonly<Record<string, Schema>>; readonly items?: Schema };

/** `health.http.port`: the path of every field that holds a value. */
function fieldsOf({ properties = {} }: Schema): readonly string[] {
  return Object.entries(properties).flatMap(([name, schema]) =>
    schema.properties === undefined ? [name] : fieldsOf(schema).map((rest) => `${name}.${rest}`),
  );
}

/** What a field cannot be without. */
const BESIDE: Readonly<Record<string, object>> = {
  'failureBudget.minSample': { max: '10%' },
  'canary.soak': { label: 'canary' },
  'watch.every': { image: 'web:latest' },
  'watch.mode': { image: 'web:latest' },
  'http.path': { port: 80 },
  'inFlight.path': { port: 80 },
  trainOf: { train: '2026-11' },
};

/** A message with one field in it, by its path, and with what that one cannot be without. */
function holding(field: string, value: unknown): unknown {
  const [name = '', ...rest] = field.split('.');
  if (rest.length === 0) return { [name]: value };
  return { [name]: { ...BESIDE[field], ...(holding(rest.join('.'), value) as object) } };
}

/** The policy in force where the field is left out. */
function without(field: string): unknown {
  const isAlone = Object.keys(BESIDE).every((one) => !field.endsWith(one));
  return isAlone ? DEFAULT_POLICY : layeredPolicy(parsed(holding(field, undefined), policySchema));
}

function parsed<Value>(message: unknown, schema: z.ZodType<Value>): Value {
  const read = decode(encode(message), schema);
  if (!read.ok) throw new Error(`${JSON.stringify(message)}: ${read.problems.join('; ')}`);
  return read.value;
}

function valueIn(cell: string): unknown {
  return JSON.parse(/^`(.+)`$/.exec(cell)?.[1] ?? cell) as unknown;
}

test('every field of the policy has its row, and no row speaks of another', () => {
  expect(POLICY_ROWS.map(({ field }) => field).sort()).toEqual(
    [...fieldsOf(policyJsonSchema() as Schema)].sort(),
  );
});

test.each(POLICY_ROWS)(
  'the example of $field is a policy, and says something else than the default',
  (row) => {
    const policy = layeredPolicy(parsed(holding(row.field, valueIn(row.example)), policySchema));
    expect(policy).not.toEqual(DEFAULT_POLICY);
  },
);

const FALLBACKS = POLICY_ROWS.filter(({ fallback }) => fallback.startsWith('`'));

test.each(FALLBACKS)('the default of $field is the one in force', ({ field, fallback }) => {
  const policy = layeredPolicy(parsed(holding(field, valueIn(fallback)), policySchema));
  expect(policy).toEqual(without(field));
});

test('every field of a gate has its row, and no row speaks of another', () => {
  const { gates } = (policyJsonSchema() as Schema).properties ?? {};
  expect(GATE_ROWS.map(({ field }) => field).sort()).toEqual([...fieldsOf(gates?.items ?? {})].sort());
});

const GATE = { name: 'load', query: 'load{version="$version"}', compare: { max: 2 } };

/** A gate with one field of its own. */
function gateWith(field: string, value: unknown): readonly Gate[] {
  const [name = '', inner] = field.split('.');
  const gate = { ...GATE, [name]: inner === undefined ? value : { ...GATE.compare, [inner]: value } };
  return parsed([gate], gatesSchema);
}

const PLAIN_GATES = parsed([GATE], gatesSchema);

test.each(GATE_ROWS)('the example of $field is part of a gate', ({ field, example }) => {
  expect(gateWith(field, valueIn(example))).not.toEqual(PLAIN_GATES);
});

const GATE_FALLBACKS = GATE_ROWS.filter(({ fallback }) => fallback.startsWith('`'));

test.each(GATE_FALLBACKS)("the default of a gate's $field is the one in force", ({ field, fallback }) => {
  expect(gateWith(field, valueIn(fallback))).toEqual(PLAIN_GATES);
});

const EXAMPLES = [...DOCUMENT.matchAll(/```json (\w+)\n(.+?)```/gs)].map(([, kind = '', text = '']) => ({
  kind,
  text,
}));

test('every field of a release has its row, but for the policy that it brings along', () => {
  const { properties: { policy: _, ...properties } = {} } = intentJsonSchemas().release as Schema;
  expect(RELEASE_ROWS.map(({ field }) => field).sort()).toEqual([...fieldsOf({ properties })].sort());
});

test.each(RELEASE_ROWS)('the example of $field is part of a release', ({ field, fallback, example }) => {
  const plain = { image: 'web:v1', ...BESIDE[field] };
  const release = parsed({ ...(field !== 'images' && plain), [field]: valueIn(example) }, releaseSchema);
  expect(release).not.toEqual(parsed(plain, releaseSchema));
  if (!fallback.startsWith('`')) return;
  expect(parsed({ ...plain, [field]: valueIn(fallback) }, releaseSchema)).toEqual(
    parsed(plain, releaseSchema),
  );
});

test('there are examples', () => {
  expect(EXAMPLES.filter(({ kind }) => kind === 'policy').length).toBeGreaterThan(1);
});

test.each(EXAMPLES)('this example of a $kind holds: $text', ({ kind, text }) => {
  const message = JSON.parse(text) as unknown;
  const layer = kind === 'release' ? parsed(message, releaseSchema).overrides : parsed(message, policySchema);
  const policy = layeredPolicy(layer);
  expect(policyProblems(policy)).toEqual([]);
});
