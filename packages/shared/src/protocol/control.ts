/** Words of control, as people publish them: each with the fields that it takes, and no others. */

import { z } from 'zod';
import type { HoldRule, NodeChoice } from '../domain/hold.ts';
import { CONTROL_ACTIONS, type ControlAction, type ControlIntent } from '../domain/intent.ts';
import { compact, digest, name } from './fields.ts';
import { holdReason, NAMES_NODES, namesNodes, nodeChoiceFields } from './policy-rollout.ts';

const reason = z.string().max(500).optional().describe('For whoever reads the log');
const scope = name.optional().describe('The one scope that it is for: the others leave it alone');
const ofRollout = {
  scope,
  rollout: z.int().min(1).optional().describe('Act only if this is the present rollout'),
  reason,
};

function word<Action extends ControlAction>(action: Action) {
  return z
    .strictObject({ action: z.literal(action), ...ofRollout })
    .transform((said) => compact(said) as ControlIntent);
}

const approve = z
  .strictObject({
    action: z.literal('approve'),
    to: z
      .number('must be a percentage')
      .gt(0, 'must be more than 0')
      .max(100, 'must not be more than 100')
      .optional()
      .describe('Every stage up to this percentage opens without asking'),
    digest: digest.optional().describe('What is proposed, instead of a stage'),
    ...ofRollout,
  })
  .superRefine(({ digest: proposed, to, rollout }, context) => {
    for (const [path, given] of Object.entries({ to, rollout }))
      if (proposed !== undefined && given !== undefined)
        context.addIssue({ code: 'custom', path: [path], message: 'does not go with digest: leave it out' });
  })
  .transform(({ to, ...said }) => compact({ ...said, toPercent: to }) as ControlIntent);

const reject = z
  .strictObject({
    action: z.literal('reject'),
    digest: digest.describe('What is proposed'),
    scope,
    reason,
  })
  .transform((said) => compact(said) as ControlIntent);

const halt = z
  .strictObject({
    action: z.literal('halt'),
    return: z.boolean().optional().describe('Do nodes go back that are on it already? true'),
    ...ofRollout,
  })
  .transform(
    ({ return: returns, ...said }) =>
      compact({ ...said, stay: returns === false ? true : undefined }) as ControlIntent,
  );

const rollback = z
  .strictObject({
    action: z.literal('rollback'),
    version: z
      .string({ error: 'is missing: name a version on which the fleet has settled' })
      .min(1)
      .max(128)
      .describe('A version on which the fleet has settled'),
    ...ofRollout,
  })
  .transform((said) => compact(said) as ControlIntent);

const hold = z
  .strictObject({ action: z.literal('hold'), ...nodeChoiceFields, scope, reason: holdReason })
  .refine((said) => namesNodes(compact(said) as NodeChoice), NAMES_NODES)
  .transform(
    ({ action, scope: of, ...rule }) =>
      compact({ action, scope: of, hold: compact(rule) as HoldRule }) as ControlIntent,
  );

const unhold = z
  .strictObject({ action: z.literal('unhold'), ...nodeChoiceFields, scope, reason })
  .refine((said) => namesNodes(compact(said) as NodeChoice), NAMES_NODES)
  .transform(
    ({ action, scope: of, nodes, label, version, region }) =>
      compact({
        action,
        scope: of,
        nodes: compact({ nodes, label, version, region }) as NodeChoice,
      }) as ControlIntent,
  );

export const controlSchema = z.discriminatedUnion(
  'action',
  [
    approve,
    word('pause'),
    word('resume'),
    halt,
    word('abort'),
    reject,
    word('retry'),
    word('undo'),
    rollback,
    hold,
    unhold,
  ],
  {
    error: ({ code }) =>
      code === 'invalid_union' ? `must be one of ${CONTROL_ACTIONS.join(', ')}` : undefined,
  },
);
