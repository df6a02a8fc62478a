/** Did both releases end as they should? Judged by what the engines show and what was measured, not by what programs say. */

import type { EventName } from '@swell/shared/domain/event.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { NodeId } from '@swell/shared/domain/names.ts';
import type { Violation } from '@swell/shared/domain/rules/rule.ts';

export type EngineKind = 'docker' | 'memory';

/** What one node's engine shows. */
export interface NodeTruth {
  readonly node: NodeId;
  /** Of every container of the service that runs there. */
  readonly digests: readonly (readonly Digest[])[];
  /** What it answers over HTTP, empty where it does not; missing where there is nobody to ask. */
  readonly serves?: string;
}

/** One release's way, as it was observed. */
export interface ActFacts {
  readonly version: string;
  /** The event that ended it: `rollout-settled`, `rollout-rested`, … */
  readonly ended: EventName;
  readonly wasHalted: boolean;
  readonly attempted: number;
  readonly seconds: number;
  readonly maxUnavailableSeen: number;
  /** When it was over. */
  readonly truth: readonly NodeTruth[];
}

export interface DemoFacts {
  readonly engine: EngineKind;
  readonly nodes: number;
  readonly maxUnavailableAllowed: number;
  readonly goodDigest?: Digest;
  readonly good?: ActFacts;
  readonly bad?: ActFacts;
  readonly violations: readonly Violation[];
  /** Of the log, that the rules were checked over. */
  readonly entries: number;
  /** What went wrong beside all that. */
  readonly failures: readonly string[];
}

export interface DemoResult {
  readonly ok: boolean;
  readonly engine: EngineKind;
  readonly nodes: number;
  readonly good: {
    readonly updated: number;
    readonly seconds: number;
    readonly maxUnavailableSeen: number;
    readonly maxUnavailableAllowed: number;
  };
  readonly bad: {
    readonly attempted: number;
    readonly halted: boolean;
    readonly onLastGood: number;
    readonly seconds: number;
  };
  readonly failures: readonly string[];
}

export function judge(facts: DemoFacts): DemoResult {
  const { engine, nodes, good, bad, maxUnavailableAllowed, violations } = facts;
  const failures = [
    ...facts.failures,
    ...goodFailures(facts),
    ...badFailures(facts),
    ...violations.map(({ rule, message, sequence }) => `${rule} is broken at entry ${sequence}: ${message}`),
  ];
  return {
    ok: failures.length === 0,
    engine,
    nodes,
    good: {
      updated: countOnGood(facts, good),
      seconds: good?.seconds ?? 0,
      maxUnavailableSeen: good?.maxUnavailableSeen ?? 0,
      maxUnavailableAllowed,
    },
    bad: {
      attempted: bad?.attempted ?? 0,
      halted: bad?.wasHalted ?? false,
      onLastGood: countOnGood(facts, bad),
      seconds: bad?.seconds ?? 0,
    },
    failures,
  };
}

function goodFailures({ good, goodDigest, maxUnavailableAllowed, failures }: DemoFacts): readonly string[] {
  if (good === undefined) return failures.length > 0 ? [] : ['the good release was never seen to its end'];
  const { version, ended, maxUnavailableSeen, truth } = good;
  return [
    ...(ended === 'rollout-settled' ? [] : [`${version} should have settled and ended with ${ended}`]),
    ...(maxUnavailableSeen <= maxUnavailableAllowed
      ? []
      : [
          `${maxUnavailableSeen} nodes of a region were out at once where ${maxUnavailableAllowed} may be out`,
        ]),
    ...problemsOf(truth, version, goodDigest).map((problem) => `after ${version}, ${problem}`),
  ];
}

function badFailures({ bad, good, goodDigest, failures }: DemoFacts): readonly string[] {
  if (bad === undefined) return failures.length > 0 ? [] : ['the sick release was never tried to its end'];
  const { version, ended, attempted, wasHalted, truth } = bad;
  return [
    ...(wasHalted ? [] : [`${version} is sick and was not halted`]),
    ...(ended === 'rollout-rested' ? [] : [`${version} should have come to rest and ended with ${ended}`]),
    ...(attempted > 0 ? [] : [`nobody tried ${version}, so nothing was shown`]),
    ...problemsOf(truth, good?.version ?? '?', goodDigest).map((problem) => `after ${version}, ${problem}`),
  ];
}

function countOnGood({ good, goodDigest }: DemoFacts, act: ActFacts | undefined): number {
  const version = good?.version ?? '?';
  return act?.truth.filter((one) => problemOf(one, version, goodDigest) === undefined).length ?? 0;
}

function problemsOf(
  truth: readonly NodeTruth[],
  version: string,
  digest: Digest | undefined,
): readonly string[] {
  return truth.flatMap((one) => problemOf(one, version, digest) ?? []);
}

/** Exactly one container runs, of this image, and it answers with its version where it can be asked. */
function problemOf(
  { node, digests, serves }: NodeTruth,
  version: string,
  digest: Digest | undefined,
): string | undefined {
  const [first, ...others] = digests;
  if (first === undefined) return `${node}: no container of the service runs`;
  if (others.length > 0) return `${node}: ${digests.length} containers of the service run`;
  if (digest === undefined || !first.includes(digest)) {
    return `${node}: runs ${first.join(', ')}, not ${version}`;
  }
  if (serves === undefined || serves === version) return undefined;
  return `${node}: answers ${serves === '' ? 'nothing' : `"${serves}"`}, not ${version}`;
}
