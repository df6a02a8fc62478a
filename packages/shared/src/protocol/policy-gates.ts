/** The part of a policy that says what is asked of Prometheus while a stage is watched. */

import { z } from 'zod';
import { type Gate, queryProblems } from '../domain/gate.ts';
import { compact, name } from './fields.ts';
import { DAY_MS, duration } from './policy-units.ts';

/** Whoever remembers the policy has to remember every one of them. */
const GATES_MAX = 16;
const QUERY_LENGTH_MAX = 4_000;
const EVERY_MS = 30_000;
const FAILURES_MAX = 3;

const bound = z.number('must be a number');

const compareSchema = z
  .strictObject({
    min: bound.min(0).optional(),
    max: bound.min(0).optional(),
    tolerance: bound.min(0).default(0),
  })
  .refine(({ min, max }) => min !== undefined || max !== undefined, {
    error: 'must name min or max, how many times the value of the other nodes',
  })
  .refine(({ min = 0, max = Number.POSITIVE_INFINITY }) => min <= max, {
    error: 'must have a min that is not more than its max',
  });

const gateSchema = z
  .strictObject({
    name,
    query: z
      .string({ error: 'must be PromQL for one number' })
      .min(1, 'must be PromQL for one number')
      .max(
        QUERY_LENGTH_MAX,
        `must not be longer than ${QUERY_LENGTH_MAX} letters: make a recording rule of it`,
      ),
    min: bound.optional(),
    max: bound.optional(),
    compare: compareSchema.optional(),
    for: duration(0, DAY_MS).optional(),
    every: duration(1_000, DAY_MS).optional(),
    failures: z.int().min(1).max(1_000).default(FAILURES_MAX),
  })
  .superRefine(({ query, compare }, context) => {
    for (const message of queryProblems(query, compare !== undefined))
      context.addIssue({ code: 'custom', path: ['query'], message });
  })
  .refine(({ min, max, compare }) => min !== undefined || max !== undefined || compare !== undefined, {
    error: 'must name min, max or compare',
  })
  .refine(({ min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY }) => min <= max, {
    error: 'must have a min that is not more than its max',
  })
  .transform(
    ({ for: forMs = 0, every: everyMs = EVERY_MS, failures: failuresMax, compare, ...gate }): Gate =>
      compact({
        ...gate,
        compare: compare === undefined ? undefined : compact(compare),
        forMs,
        everyMs,
        failuresMax,
      }) as Gate,
  );

export const gatesSchema = z
  .array(gateSchema)
  .max(GATES_MAX)
  .refine((gates) => new Set(gates.map((gate) => gate.name)).size === gates.length, {
    error: 'must have a name of its own each',
  });
