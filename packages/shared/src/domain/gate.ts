/**
 * A question that is asked of Prometheus while a stage is watched, and what its answer says: good, bad, or nothing. What
 * says nothing is never good.
 */

import type { Region, ServiceName } from './names.ts';

export interface Gate {
  readonly name: string;
  /** PromQL for one number, with `$service`, `$version` and `$region`. */
  readonly query: string;
  readonly min?: number;
  readonly max?: number;
  readonly compare?: Comparison;
  /** It must have been good for this long, without another answer in between. */
  readonly forMs: number;
  readonly everyMs: number;
  /** So many bad answers in a row halt the rollout. */
  readonly failuresMax: number;
}

/** Bounds of the updated nodes' value: so many times that of all others, give or take `tolerance`. */
export interface Comparison {
  readonly min?: number;
  readonly max?: number;
  readonly tolerance: number;
}

export type GateAnswer =
  /** `others`: of the nodes that are not on the release; missing where there are none. */
  | { readonly is: 'value'; readonly value: number; readonly others?: number }
  | { readonly is: 'none'; readonly why: string };

export type GateVerdict =
  | { readonly is: 'good'; readonly seen: string }
  | { readonly is: 'bad'; readonly seen: string }
  | { readonly is: 'inconclusive'; readonly seen: string };

/** What a query speaks of. */
export interface GateSubject {
  readonly service: ServiceName;
  readonly version: string;
  readonly region?: Region;
}

const VARIABLES = ['service', 'version', 'region'] as const;
const VARIABLE = /\$\{?([A-Za-z]\w*)\}?/g;
/** `version="$version"`: its other half are all nodes that are not on the release, however many, whatever they run. */
const ON_THE_RELEASE = /(?<![!=])=(\s*)(["'])\$version\2/g;

/** Is it asked in each region by itself? */
export function isAskedByRegion({ query }: Gate): boolean {
  return query.includes('$region');
}

/** What is wrong with a query, each with its remedy. */
export function queryProblems(query: string, compares: boolean): readonly string[] {
  const unknown = [...query.matchAll(VARIABLE)].filter(
    ([text, name]) => text.startsWith('${') || !VARIABLES.some((known) => known === name),
  );
  const problems = unknown.map(([text]) => `knows no ${text}: write $service, $version or $region`);
  if (compares && query.search(ON_THE_RELEASE) < 0)
    problems.push('must say ="$version", which is !="$version" for the nodes that it is compared with');
  return problems;
}

/** The query for the nodes on the release. */
export function queryFor({ query }: Gate, subject: GateSubject): string {
  return query.replaceAll(VARIABLE, (text, name: string) =>
    name in subject ? inQuotes(subject[name as keyof GateSubject] ?? text) : text,
  );
}

/** The same query for all others. */
export function queryForOthers(gate: Gate, subject: GateSubject): string {
  return queryFor({ ...gate, query: gate.query.replaceAll(ON_THE_RELEASE, '!=$1$2$$version$2') }, subject);
}

/** Whoever releases names a version as he likes: it must not end the text that it stands in. */
function inQuotes(text: string): string {
  return text.replaceAll(
    /[\\"'`\n\r]/g,
    (letter) => `\\x${letter.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

export function judgeAnswer({ min, max, compare }: Gate, answer: GateAnswer): GateVerdict {
  if (answer.is === 'none') return { is: 'inconclusive', seen: answer.why };
  const { value, others } = answer;
  if (!Number.isFinite(value)) return { is: 'inconclusive', seen: `its value is ${value}` };
  if (min !== undefined && value < min) return { is: 'bad', seen: `${value} is less than min ${min}` };
  if (max !== undefined && value > max) return { is: 'bad', seen: `${value} is more than max ${max}` };
  if (compare === undefined || others === undefined) return { is: 'good', seen: String(value) };
  return judgeComparison(compare, value, others);
}

function judgeComparison({ min, max, tolerance }: Comparison, value: number, others: number): GateVerdict {
  const than = `${others} of the nodes that are not updated`;
  if (!Number.isFinite(others)) return { is: 'inconclusive', seen: `it is ${than}` };
  if (value < 0 || others < 0)
    return { is: 'inconclusive', seen: `${value} cannot be compared with ${than}: one is below 0` };
  const [least, most] = [(min ?? 0) * others - tolerance, (max ?? 0) * others + tolerance];
  if (min !== undefined && value < least)
    return { is: 'bad', seen: `${value} is less than ${least}: compare.min ${min} times ${than}` };
  if (max !== undefined && value > most)
    return { is: 'bad', seen: `${value} is more than ${most}: compare.max ${max} times ${than}` };
  return { is: 'good', seen: `${value}, beside ${than}` };
}
