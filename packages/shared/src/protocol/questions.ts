/** Questions to the leading coordinator: what is asked, and what every answer has. */

import { z } from 'zod';
import { compact, name, region } from './fields.ts';
import { policySchema } from './policy.ts';

/** Of `explain`: of a node instead of the rollout. The region may be left out where only one has a node of that name. */
export const explainQuestion = z
  .strictObject({ node: name.optional(), region: region.optional() })
  .refine(({ node, region: of }) => node !== undefined || of === undefined, {
    error: 'names a region and no node: add "node"',
  })
  .transform((question) => compact(question));

/** Of `replay`. */
export const replayQuestion = z.strictObject({
  rollout: z.int('must be the number of a rollout').min(1),
  policy: policySchema,
});

/** With every region and policy in it: as much as a server takes by default. */
export const ANSWER_BYTES_MAX = 1_048_576;

/** One sentence for a person; the other fields are for programs, and each question has its own. */
export const answerSchema = z.looseObject({
  line: z.string(),
  /** Of a replay: what had to be taken for granted. */
  assumed: z.array(z.string()).optional(),
});
