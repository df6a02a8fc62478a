/** The part of a policy that says what is asked of Prometheus while a stage is watched. */

import { z } from 'zod';
import { type Gate, queryProblems } from '../domain/gate.ts';
import { compact, name } from './fields.ts';
import { DAY_MS, duration, durationText } from './policy-units.ts';

/** Whoever remembers the policy has to remember every one of them. */
const GATES_MAX = 16;
const QUERY_LENGTH_MAX = 4_000;
const FOR_MS = 0;
const EVERY_MS = 30_000;
const FAILURES_MAX = 3;

const bound = z.number('must be a number');

const compareSchema = z
  .strictObject({
    min: bound
      .min(0)
      .optional()
      .meta({
        description:
          'Lower bound of the number, as a multiple of what the same query says of all nodes that are not on the release',
        examples: [0.5],
      }),
    max: bound
      .min(0)
      .optional()
      .meta({
        description:
          'Upper bound of the number, as a multiple of what the same query says of all nodes that are not on the release',
        examples: [1.3],
      }),
    tolerance: bound
      .min(0)
      .default(0)
      .meta({ description: 'Added to the upper bound, taken from the lower one', examples: [0.1] }),
  })
  .refine(({ min, max }) => min !== undefined || max !== undefined, {
    error: 'must name min or max, how many times the value of the other nodes',
  })
  .refine(({ min = 0, max = Number.POSITIVE_INFINITY }) => min <= max, {
    error: 'must have a min that is not more than its max',
  });

const gateSchema = z
  .strictObject({
    name: name.meta({
      description: 'What people call it; each its own, sixteen at most',
      examples: ['errors'],
    }),
    query: z
      .string({ error: 'must be PromQL for one number' })
      .min(1, 'must be PromQL for one number')
      .max(
        QUERY_LENGTH_MAX,
        `must not be longer than ${QUERY_LENGTH_MAX} letters: make a recording rule of it`,
      )
      .meta({
        description:
          'PromQL for one number. `$service`, `$version` and `$region` stand for those of the rollout. With `$region` it is asked in each region of the stage by itself, else once',
        examples: ['max(job_queue_length{version="$version"})'],
      }),
    min: bound.optional().meta({ description: 'Lower bound of the number', examples: [10] }),
    max: bound.optional().meta({ description: 'Upper bound of the number', examples: [0.5] }),
    compare: compareSchema.optional(),
    for: duration(0, DAY_MS)
      .optional()
      .meta({
        description: 'It must have been good for this long, without any other answer in between',
        default: durationText(FOR_MS),
        examples: ['5m'],
      }),
    every: duration(1_000, DAY_MS)
      .optional()
      .meta({ description: 'It is asked so often', default: durationText(EVERY_MS), examples: ['1m'] }),
    failures: z
      .int()
      .min(1)
      .max(1_000)
      .default(FAILURES_MAX)
      .meta({ description: 'So many bad answers in a row halt the rollout', examples: [1] }),
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
    ({ for: forMs = FOR_MS, every: everyMs = EVERY_MS, failures: failuresMax, compare, ...gate }): Gate =>
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
