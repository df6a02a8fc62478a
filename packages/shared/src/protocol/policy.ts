/**
 * A policy as people write it, in the bucket `swell_policies` and beside a release: durations in words ("5m"), shares as
 * a number of nodes or a percentage. Every field may be missing.
 */

import { z } from 'zod';
import { DEFAULT_POLICY, type PolicyLayer } from '../domain/policy.ts';
import { compact } from './fields.ts';
import { inputJsonSchema } from './json-schema.ts';
import { gatesSchema } from './policy-gates.ts';
import { drainSchema, healthSchema, rejoinSchema } from './policy-node.ts';
import {
  canarySchema,
  dependsOnSchema,
  holdSchema,
  minimumVersionSchema,
  regionsSchema,
  safeRateSchema,
  stagesSchema,
  windowsSchema,
} from './policy-rollout.ts';
import { DAY_MS, duration, durationText, percentage, share, shareText } from './policy-units.ts';
import { watchSchema } from './policy-watch.ts';

export const policySchema = z
  .strictObject({
    stages: stagesSchema.optional().meta({
      description:
        "Up to which percentage of each region's nodes a rollout may go before it is looked at again. Any list that rises and ends with 100",
      default: DEFAULT_POLICY.stagesPercent,
      examples: [[1, 10, 100]],
    }),
    approval: z
      .enum(['manual', 'automatic'], { error: 'must be "manual" or "automatic"' })
      .optional()
      .meta({
        description:
          'Who opens the next stage: a person\'s word `approve`, or the end of the soak by itself. Stages that double and `"automatic"` grow exponentially without a person',
        default: DEFAULT_POLICY.approval,
        examples: ['automatic'],
      }),
    safeRate: safeRateSchema.optional().meta({
      description:
        "How fast a stage takes its nodes in. Within a stage each region's cursor moves along a line, from where it stood when the stage opened. Without it: as fast as slots become free",
      examples: ['5%/6h'],
    }),
    windows: windowsSchema.optional().meta({
      description:
        'When nodes of a region may start, by the clock there: `open` names windows (days, from and to, time zone; UTC where none is named), `except` dates on which all of them are closed. `*` is every region that is not named. A region without windows is always open',
      examples: [
        {
          'eu-west': { open: ['mon-fri 22:00-05:00 Europe/Vienna'], except: ['2026-12-24'] },
          '*': { open: ['sat,sun 00:00-24:00'] },
        },
      ],
    }),
    coolDown: duration(0, 30 * DAY_MS)
      .optional()
      .meta({
        description:
          'A release has been published for this long before it begins, so that somebody else finds what is wrong with it',
        default: durationText(DEFAULT_POLICY.coolDownMs),
        examples: ['1d'],
      }),
    dependsOn: dependsOnSchema.optional().meta({
      description:
        'Services that come first: a rollout begins when none of them, and none that those depend on, has a rollout under way or an earlier release that has not begun. `{"service": "db", "per": "region"}`: in each region when it is through there, for rollouts of `db` that go group after group',
      examples: [['db', { service: 'cache', per: 'region' }]],
    }),
    maxUnavailable: share(1)
      .optional()
      .meta({
        description:
          'How many nodes of a region may be down at once by our doing; a percentage is rounded down, and at least 1',
        default: shareText(DEFAULT_POLICY.maxUnavailable),
        examples: [3],
      }),
    stagingQuorum: percentage('must be a percentage such as "80%"')
      .optional()
      .meta({
        description: "Which share of a stage's present nodes must have the image before the stage opens",
        default: `${DEFAULT_POLICY.stagingQuorumPercent}%`,
        examples: ['95%'],
      }),
    stagingSpread: duration(0, DAY_MS)
      .optional()
      .meta({
        description: 'Nodes spread their downloads over this long',
        default: durationText(DEFAULT_POLICY.stagingSpreadMs),
        examples: ['10m'],
      }),
    soak: duration(0, 30 * DAY_MS)
      .optional()
      .meta({
        description: 'How long a finished stage is watched before anything follows',
        default: durationText(DEFAULT_POLICY.soakMs),
        examples: ['1h30m'],
      }),
    firstGroupSoak: duration(0, 30 * DAY_MS)
      .optional()
      .meta({
        description:
          'How long the first group of regions is watched once it is through, before the next one begins',
        otherwise: 'as long as `soak`',
        examples: ['2d'],
      }),
    gates: gatesSchema.optional().meta({
      description:
        'Questions that Prometheus must answer well before a stage that was watched is over (below)',
      examples: [
        [
          {
            name: 'errors',
            query: 'sum(rate(http_errors_total{service="$service",version="$version",region="$region"}[5m]))',
            max: 0.5,
            for: '5m',
          },
        ],
      ],
    }),
    canary: canarySchema.optional().describe('A stage before the first one'),
    minimumVersion: minimumVersionSchema.optional().meta({
      description:
        'Nodes on an older version do not wait for their turn: a version, or a list of versions and ranges that are recent enough',
      examples: ['1.4.2'],
    }),
    progressDeadline: duration(1_000, 30 * DAY_MS)
      .optional()
      .meta({
        description:
          'No further node has the image, or is healthy, for this long: the rollout pauses and says for whom it waits. Each one that is sets it anew. Time in which nobody is waited for does not count',
        default: durationText(DEFAULT_POLICY.progressDeadlineMs),
        examples: ['1h'],
      }),
    failureBudget: z
      .strictObject({
        max: share(0).meta({
          description:
            'More failed nodes than this halt the rollout; so does a stage that has ended with no node that came through',
          default: shareText(DEFAULT_POLICY.failureBudget.max),
          examples: [2],
        }),
        minSample: z
          .int()
          .min(1)
          .max(1_000_000)
          .default(DEFAULT_POLICY.failureBudget.minSample)
          .meta({
            description: 'A percentage counts only from so many attempts on, while a stage runs',
            examples: [20],
          }),
      })
      .optional(),
    hold: z
      .array(holdSchema)
      .max(16)
      .optional()
      .meta({
        description:
          'Nodes that rollouts pass over for now: each hold names nodes (12 at most), a label, a version (or a range such as `<1.4`) or a region, or several of them that must all be true, and a reason',
        examples: [
          [
            { label: 'rack=7', reason: 'new disks' },
            { region: 'ap-south', version: '<1.4', reason: 'ticket 1234' },
          ],
        ],
      }),
    regions: regionsSchema.optional().meta({
      description: 'Side by side, or group after group; regions that no group names come last',
      default: DEFAULT_POLICY.regions,
      examples: [[['eu-west'], ['us-east', 'ap-south']]],
    }),
    watch: watchSchema.optional().describe('A tag whose new digests become releases, or proposals'),
    slotLease: duration(2_000, DAY_MS)
      .optional()
      .meta({
        description: 'A slot that is not renewed for this long is lost, and counts as a failure',
        default: durationText(DEFAULT_POLICY.slotLeaseMs),
        examples: ['5m'],
      }),
    stopTimeout: duration(0, DAY_MS)
      .optional()
      .meta({
        description: 'Between the stop signal and the kill',
        otherwise: "the container's own",
        examples: ['30s'],
      }),
    maxSurge: z
      .union([z.literal(0), z.literal(1)], { error: 'must be 0 or 1' })
      .optional()
      .meta({
        description:
          '`1`: a node starts the new container before it stops the old one, where no host port, address or shared namespace stands against two of them',
        default: DEFAULT_POLICY.maxSurge,
        examples: [1],
      }),
    health: healthSchema.optional(),
    drain: drainSchema.optional(),
    rejoin: rejoinSchema.optional(),
  })
  .transform(
    (policy): PolicyLayer =>
      compact({
        stagesPercent: policy.stages,
        approval: policy.approval,
        safeRate: policy.safeRate,
        windows: policy.windows,
        coolDownMs: policy.coolDown,
        dependsOn: policy.dependsOn,
        maxUnavailable: policy.maxUnavailable,
        stagingQuorumPercent: policy.stagingQuorum,
        stagingSpreadMs: policy.stagingSpread,
        soakMs: policy.soak,
        firstGroupSoakMs: policy.firstGroupSoak,
        gates: policy.gates,
        canary: policy.canary,
        minimumVersion: policy.minimumVersion,
        progressDeadlineMs: policy.progressDeadline,
        failureBudget: policy.failureBudget,
        hold: policy.hold,
        regions: policy.regions,
        watch: policy.watch,
        slotLeaseMs: policy.slotLease,
        stopTimeoutMs: policy.stopTimeout,
        maxSurge: policy.maxSurge,
        health: policy.health,
        drain: policy.drain,
        rejoin: policy.rejoin,
      }) as PolicyLayer,
  );

/** The JSON Schema of what people write. */
export function policyJsonSchema(): unknown {
  return inputJsonSchema(policySchema);
}
