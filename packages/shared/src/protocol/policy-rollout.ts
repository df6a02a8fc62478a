/** The part of a policy that says who comes when: stages, pace, windows, canaries, holds, regions. */

import { z } from 'zod';
import type { Dependency } from '../domain/dependency.ts';
import type { HoldRule, NodeChoice } from '../domain/hold.ts';
import { isName, isQuestion } from '../domain/names.ts';
import type { SafeRate } from '../domain/pace.ts';
import { type Canary, ELSEWHERE } from '../domain/policy.ts';
import { isVersion } from '../domain/version.ts';
import { type OpenTimes, parseWindow, type TimeWindow } from '../domain/window.ts';
import { parseDurationMs } from '../kernel/units.ts';
import { compact, label, name, REGION_TAKEN, region as regionName, versionOrRange } from './fields.ts';
import { DAY_MS, duration, durationText } from './policy-units.ts';

const RATE = 'must be a share of the nodes per time such as "5%/6h"';

export const safeRateSchema = z
  .string({ error: RATE })
  .regex(/^\d{1,3}(?:\.\d{1,4})?%\/(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/, RATE)
  .transform((text): SafeRate => {
    const [percent = '', per = ''] = text.split('%/');
    return { percent: Number(percent), perMs: parseDurationMs(per) ?? Number.NaN };
  })
  .refine(({ percent }) => percent > 0 && percent <= 100, {
    error: 'must be more than 0% and not more than 100%',
  })
  .refine(({ perMs }) => perMs >= 1_000 && perMs <= 30 * DAY_MS, {
    error: 'must be per 1s at least and 30d at most',
  });

const window = z
  .string({ error: 'must be a window such as "mon-fri 22:00-05:00 Europe/Vienna"' })
  .transform((text, context): TimeWindow => {
    const read = parseWindow(text);
    if (typeof read !== 'string') return read;
    context.addIssue({ code: 'custom', message: read });
    return z.NEVER;
  });

/** In all: whoever remembers the policy has to remember every one of them. */
const WINDOWS_MAX = 500;

export const windowsSchema = z
  .record(
    z.string(),
    z
      .strictObject({
        open: z
          .array(window)
          .min(1, 'must name at least one window: leave the region out where any time will do'),
        except: z.array(z.iso.date('must be a date such as "2026-12-24"')).max(366).optional(),
      })
      .transform(({ open, except = [] }): OpenTimes => ({ windows: open, except })),
  )
  .superRefine((times, context) => {
    for (const region of Object.keys(times)) {
      if (region === ELSEWHERE || (isName(region) && !isQuestion(region))) continue;
      const message = isQuestion(region)
        ? REGION_TAKEN
        : 'must be a region, or "*" for all that are not named';
      context.addIssue({ code: 'custom', path: [region], message });
    }
  })
  .refine((times) => Object.values(times).flatMap(({ windows }) => windows).length <= WINDOWS_MAX, {
    error: `must not name more than ${WINDOWS_MAX} windows in all`,
  });

const CANARY_SOAK_MS = 3_600_000;

export const canarySchema = z
  .strictObject({
    label: label.meta({
      description:
        'Nodes with this label (`SWELL_LABELS` of their agent) are a stage of their own, before the first one: in each group of regions, a hundred of a region at most',
      examples: ['canary'],
    }),
    soak: duration(0, 30 * DAY_MS)
      .optional()
      .meta({
        description: 'How long they are watched before the first stage',
        default: durationText(CANARY_SOAK_MS),
        examples: ['1d'],
      }),
  })
  .transform(({ label: wanted, soak }): Canary => ({ label: wanted, soakMs: soak ?? CANARY_SOAK_MS }));

/** Fields that pick nodes out, of which one at least has to be there. */
export const nodeChoiceFields = {
  // A wave carries all of them, and has to stay below what is read of a message.
  nodes: z.array(name).min(1, 'must name at least one node').max(12).optional(),
  label: label.optional(),
  version: versionOrRange.optional(),
  region: regionName.optional(),
};

export const holdReason = z.string({ error: 'must say why, for whoever looks' }).min(1).max(200);

export function namesNodes({ nodes, label: one, version, region }: NodeChoice): boolean {
  return [nodes, one, version, region].some((field) => field !== undefined);
}

export const NAMES_NODES = { error: 'must name nodes, a label, a version or a region' };

export const holdSchema = z
  .strictObject({ ...nodeChoiceFields, reason: holdReason })
  .refine((rule) => namesNodes(compact(rule) as NodeChoice), NAMES_NODES)
  .transform((rule): HoldRule => compact(rule) as HoldRule);

const MINIMUM =
  'must be a version such as "1.4.2", or a list of versions and ranges such as ["1.4.2", ">=1.5"]';

export const minimumVersionSchema = z.union(
  [
    z
      .string()
      .max(128)
      .refine((version) => isVersion(version), { error: MINIMUM })
      .transform((version): readonly string[] => [`>=${version}`]),
    z.array(versionOrRange).min(1).max(32),
  ],
  { error: MINIMUM },
);

export const stagesSchema = z
  .array(z.number('must be a percentage').gt(0, 'must be more than 0').max(100, 'must not be more than 100'))
  .min(1, 'must name at least one stage')
  .max(64)
  .refine((stages) => stages.every((percent, index) => percent > (stages[index - 1] ?? 0)), {
    error: 'must rise from stage to stage',
  })
  .refine((stages) => stages.at(-1) === 100, { error: 'must end with 100' });

export const regionsSchema = z.union(
  [
    z.literal('parallel'),
    z
      .array(z.array(regionName).min(1).max(1_000))
      .min(1)
      .max(1_000)
      .refine((groups) => new Set(groups.flat()).size === groups.flat().length, {
        error: 'must name each region once',
      }),
  ],
  { error: 'must be "parallel" or groups of regions in order, such as [["eu-west"],["us-east","ap-south"]]' },
);

const DEPENDENCY = 'must be a service such as "db", or {"service":"db","per":"region"}';

export const dependsOnSchema = z
  .array(
    z
      .union(
        [
          name,
          z.strictObject({
            service: name,
            per: z.enum(['fleet', 'region'], { error: 'must be "fleet" or "region"' }).optional(),
          }),
        ],
        { error: DEPENDENCY },
      )
      .transform(
        (one): Dependency =>
          typeof one === 'string'
            ? { service: one, per: 'fleet' }
            : { service: one.service, per: one.per ?? 'fleet' },
      ),
  )
  .max(100)
  .refine((all) => new Set(all.map(({ service }) => service)).size === all.length, {
    error: 'must name each service once',
  });
