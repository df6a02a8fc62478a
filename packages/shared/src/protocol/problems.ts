/** What is wrong with a field, in words of JSON, where its schema has none of its own: what it has to be, and what it is. */

import type { z } from 'zod';
import { nearest } from '../kernel/nearest.ts';

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

export function wordProblem(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') return wordType(issue);
  return issue.code === 'unrecognized_keys' ? wordKeys(issue) : undefined;
}

function wordType({ expected, input, inst }: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidType>) {
  const isWhole = expected === 'number' && inst !== undefined && 'format' in inst._zod.def;
  const wanted = KINDS[isWhole ? 'int' : expected];
  if (wanted === undefined) return undefined;
  if (expected === 'int') return `must be ${wanted}`;
  return input === undefined
    ? `is missing: it must be ${wanted}`
    : `must be ${wanted}, and is ${kindOf(input)}`;
}

/** Nothing is quoted: it may be a secret. */
function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return (Array.isArray(value) ? KINDS['array'] : KINDS[typeof value]) ?? 'something else';
}

function wordKeys({ keys, inst }: z.core.$ZodRawIssue<z.core.$ZodIssueUnrecognizedKeys>): string {
  const def = inst?._zod.def;
  const known = def !== undefined && 'shape' in def ? Object.keys(def.shape as object) : [];
  const meant = keys.map((key) => nearest(key, known));
  const named = keys.map(
    (key, at) => `"${key}"${meant[at] === undefined ? '' : ` (did you mean "${meant[at]}"?)`}`,
  );
  return `there is no field ${named.join(', ')}${meant.includes(undefined) ? `: there are ${known.join(', ')}` : ''}`;
}
