/**
 * How far a swap has come, written on the containers themselves, so that it survives whoever wrote it.
 *
 * The *new* container's labels tell whom it replaces and how that one was; names tell the rest:
 *
 *     old   X ──────────────────────────────► X.swell-prev ──► X.swell-old ──► removed
 *     new   X.swell-draft ──► X.swell-next ──────► X                │
 *                        proven        │                      commit point
 *                                      └─ or X ──► X.swell-failed ──► removed
 *
 * Anybody may remove any container at any time, so every combination has a meaning here.
 */

import type { PartName } from '@swell/shared/domain/unit.ts';
import type { SwapProgress } from '../../core/container.ts';
import {
  hasStartError,
  type InspectedContainer,
  isUp,
  plainName,
  type RestartPolicy,
  wasStarted,
} from './inspected.ts';
import { type Memo, readMemo } from './memo.ts';
import { COMPOSE_SERVICE, dependencies, partOf } from './parts.ts';
import { standingOf } from './spec/obstacles.ts';

export type Suffix = '' | '.swell-draft' | '.swell-next' | '.swell-failed' | '.swell-prev' | '.swell-old';
const SUFFIXES: readonly Suffix[] = [
  '.swell-draft',
  '.swell-next',
  '.swell-failed',
  '.swell-prev',
  '.swell-old',
];

/** A container as far as a swap looks at it. */
export interface Part {
  readonly id: string;
  /** Without the suffix: the name that the service's container has when no swap is under way. */
  readonly base: string;
  readonly suffix: Suffix;
  readonly up: boolean;
  /** It runs, or would if it could: whoever stopped one that does not, meant it. */
  readonly wanted: boolean;
  /** It was started at least once, or somebody tried. */
  readonly started: boolean;
  readonly policy: RestartPolicy;
  readonly imageId: string;
  readonly networks: readonly string[];
  /** The part of a stack that it is. */
  readonly part?: PartName;
  /** What Compose calls its service, and those that it starts before. */
  readonly composed?: { readonly name: string; readonly after: readonly string[] };
  readonly memo?: Memo;
}

export interface Swap {
  readonly kind: 'swap';
  readonly base: string;
  readonly old?: Part;
  readonly fresh?: Part;
}

/** What there is under one name. */
export type Marked = { readonly kind: 'single'; readonly part: Part } | Swap;

/** A container that was created without a policy has one without a name. */
export function policyOf({ HostConfig: { RestartPolicy } }: InspectedContainer): RestartPolicy {
  return { Name: RestartPolicy?.Name || 'no', MaximumRetryCount: RestartPolicy?.MaximumRetryCount ?? 0 };
}

export function readPart(container: InspectedContainer): Part {
  const name = plainName(container.Name);
  const suffix = SUFFIXES.find((ending) => name.endsWith(ending)) ?? '';
  const labels = container.Config.Labels ?? {};
  const memo = readMemo(labels);
  const { [COMPOSE_SERVICE]: composed } = labels;
  const part = partOf(labels);
  return {
    id: container.Id,
    base: name.slice(0, name.length - suffix.length),
    suffix,
    up: isUp(container.State),
    wanted: standingOf(container) !== undefined,
    started: wasStarted(container.State) || hasStartError(container.State),
    policy: policyOf(container),
    imageId: container.Image,
    networks: Object.keys(container.NetworkSettings.Networks ?? {}),
    ...(part !== undefined && { part }),
    ...(composed !== undefined && { composed: { name: composed, after: dependencies(labels) } }),
    ...(memo !== undefined && { memo }),
  };
}

/** Reads the marks of all containers that have one name, but for what a swap has put behind it. */
export function readMarks(base: string, group: readonly Part[]): Marked {
  const fresh = group.find((part) => group.some((other) => isSuccessor(part, other)));
  if (fresh !== undefined) {
    const old = group.find((other) => isSuccessor(fresh, other));
    return { kind: 'swap', base, fresh, ...(old !== undefined && { old }) };
  }
  const inPlace = group.find(({ suffix }) => suffix === '');
  const setAside = group.find(({ suffix }) => suffix === '.swell-prev' || suffix === '.swell-old');
  const waiting = group.find(({ suffix }) => /draft|next|failed/.test(suffix));
  if (inPlace !== undefined && waiting !== undefined)
    return { kind: 'swap', base, old: inPlace, fresh: waiting };
  if (inPlace !== undefined && setAside !== undefined)
    return { kind: 'swap', base, old: setAside, fresh: inPlace };
  if (inPlace !== undefined) {
    return isUnfinished(inPlace) ? { kind: 'swap', base, fresh: inPlace } : { kind: 'single', part: inPlace };
  }
  if (setAside !== undefined) return { kind: 'swap', base, old: setAside };
  return { kind: 'swap', base, ...(waiting !== undefined && { fresh: waiting }) };
}

/** Is `part` the new container of the swap whose old one is `other`? */
export function isSuccessor(part: Part | undefined, other: Part | undefined): boolean {
  return part?.memo !== undefined && part.memo.replaces === other?.id;
}

/**
 * The old container is gone, and this one was never started, or still has the policy of a probation: somebody pruned
 * stopped containers in the middle. One that ran and runs no more may as well have been stopped by its operator, who has
 * the last word (I12).
 */
function isUnfinished({ memo, policy, up, started }: Part): boolean {
  if (memo === undefined || memo.oldState === 'stopped') return false;
  return !started || (up && policy.Name === 'no' && memo.policy.Name !== 'no');
}

/** Somebody stopped the one before it, and nobody starts it for that. */
export function staysStopped({ memo }: Part): boolean {
  return memo?.oldState === 'stopped';
}

/** How far a swap has come. */
export function progressOf({ old, fresh }: Swap): SwapProgress {
  if (old === undefined) return 'committed';
  if (fresh === undefined) return 'prepared';
  if (old.suffix === '.swell-old') return 'committed';
  // Two containers that know nothing of each other: the one in place is the operator's, the other one is litter.
  if (!isSuccessor(fresh, old)) return fresh.suffix === '' ? 'committed' : 'prepared';
  const hasBegun = fresh.started || staysStopped(fresh);
  const isAlone = !old.up || fresh.memo?.irreversible === true;
  return fresh.suffix === '' && hasBegun && isAlone ? 'cut-over' : 'prepared';
}

/** Has a container been started that there is no way back from? */
export function isPastReturn({ fresh }: Swap): boolean {
  return fresh?.memo?.irreversible === true && fresh.started && fresh.memo.along === undefined;
}

/** The container that stands for both now: the new one once it has taken over. */
export function presentPart(found: Marked): Part | undefined {
  if (found.kind === 'single') return found.part;
  return progressOf(found) === 'prepared' ? (found.old ?? found.fresh) : (found.fresh ?? found.old);
}

/** The new container was started and runs no more, and the old one runs again: dockerd went back, as it was told to. */
export function hasGoneBack(found: Marked): boolean {
  if (found.kind !== 'swap') return false;
  const { old, fresh } = found;
  const isInPlace = fresh?.suffix === '' && fresh.started;
  return isInPlace && isSuccessor(fresh, old) && !fresh.up && old?.up === true;
}

/**
 * The container that is asked for its health: the new one as soon as it was started. After a restart of dockerd the old one
 * may run again under its eyes, or serve beside it; it must not answer for it.
 */
export function probedPart(found: Marked): Part | undefined {
  const { fresh } = found.kind === 'swap' ? found : {};
  const isAsked = fresh?.started === true && (fresh.suffix === '' || fresh.suffix === '.swell-next');
  return isAsked ? fresh : presentPart(found);
}
