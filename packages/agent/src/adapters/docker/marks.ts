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

import type { SwapProgress } from '../../core/container.ts';
import {
  hasStartError,
  type InspectedContainer,
  isUp,
  plainName,
  type RestartPolicy,
  wasStarted,
} from './inspected.ts';

export const SERVICE_LABEL = 'swell.service';
export const LAST_GOOD_IMAGE_LABEL = 'swell.last-good.image-id';
export const LAST_GOOD_DIGEST_LABEL = 'swell.last-good.digest';

const ATTEMPT = 'swell.swap.attempt';
const REPLACES = 'swell.swap.replaces';
const TARGET = 'swell.swap.target';
const POLICY = 'swell.swap.restart-policy';
const REFERENCE = 'swell.swap.reference';
const STOP_TIMEOUT = 'swell.swap.stop-timeout-ms';
const OLD_STATE = 'swell.swap.old-state';
const BROUGHT = 'swell.swap.brought-volumes';

const RESTART_POLICIES: readonly string[] = ['no', 'always', 'unless-stopped', 'on-failure'];
const STOP_TIMEOUT_MAX_MS = 30 * 86_400_000;

export type Suffix = '' | '.swell-draft' | '.swell-next' | '.swell-failed' | '.swell-prev' | '.swell-old';
const SUFFIXES: readonly Suffix[] = [
  '.swell-draft',
  '.swell-next',
  '.swell-failed',
  '.swell-prev',
  '.swell-old',
];

/** What the new container's labels say of its swap. */
export interface Memo {
  readonly attempt: string;
  /** The old container's id. */
  readonly replaces: string;
  readonly target?: string;
  /** The old one's, before anybody guarded it. */
  readonly policy: RestartPolicy;
  /** The name under which the service's image is known, `web:latest`. */
  readonly reference: string;
  readonly stopTimeoutMs?: number;
  /** `broken`: it could not run, or ran in circles; it need not run again for the swap to be undone. */
  readonly oldState: 'running' | 'broken';
  /** Where the new image brought a volume that the old container had not: on the way back it is left behind. */
  readonly broughtVolumes?: readonly string[];
}

/** A container as far as a swap looks at it. */
export interface Part {
  readonly id: string;
  /** Without the suffix: the name that the service's container has when no swap is under way. */
  readonly base: string;
  readonly suffix: Suffix;
  readonly up: boolean;
  /** It was started at least once, or somebody tried. */
  readonly started: boolean;
  readonly policy: RestartPolicy;
  readonly imageId: string;
  readonly networks: readonly string[];
  readonly memo?: Memo;
}

export interface Swap {
  readonly kind: 'swap';
  readonly base: string;
  readonly old?: Part;
  readonly fresh?: Part;
}

/** What there is of a service. */
export type Found =
  | { readonly kind: 'absent' }
  | { readonly kind: 'replicas'; readonly bases: readonly string[] }
  | { readonly kind: 'single'; readonly part: Part }
  | Swap;

/** The labels of a new container. */
export function memoLabels(memo: Memo): Record<string, string> {
  return {
    [ATTEMPT]: memo.attempt,
    [REPLACES]: memo.replaces,
    [POLICY]: `${memo.policy.Name}:${memo.policy.MaximumRetryCount ?? 0}`,
    [REFERENCE]: memo.reference,
    [OLD_STATE]: memo.oldState,
    ...(memo.target !== undefined && { [TARGET]: memo.target }),
    ...(memo.stopTimeoutMs !== undefined && { [STOP_TIMEOUT]: String(memo.stopTimeoutMs) }),
    ...(memo.broughtVolumes !== undefined && { [BROUGHT]: memo.broughtVolumes.join('\n') }),
  };
}

export function readMemo(labels: Readonly<Record<string, string>>): Memo | undefined {
  const { [ATTEMPT]: attempt, [REPLACES]: replaces, [POLICY]: policy, [REFERENCE]: reference } = labels;
  if (attempt === undefined || replaces === undefined || policy === undefined || reference === undefined)
    return undefined;
  const { [TARGET]: target, [STOP_TIMEOUT]: stopTimeout, [BROUGHT]: brought } = labels;
  const stopTimeoutMs = numberIn(stopTimeout, STOP_TIMEOUT_MAX_MS);
  return {
    attempt,
    replaces,
    policy: readPolicy(policy),
    reference,
    oldState: labels[OLD_STATE] === 'broken' ? 'broken' : 'running',
    ...(target !== undefined && { target }),
    ...(stopTimeoutMs !== undefined && { stopTimeoutMs }),
    ...(brought !== undefined && { broughtVolumes: brought.split('\n') }),
  };
}

/**
 * Where volumes are left behind because the container goes back to its last good image, whose container had none there.
 * What lies in them stays on the node, as after `docker rm`.
 */
export function volumesLeftBehind(container: InspectedContainer, targetImageId: string): ReadonlySet<string> {
  const labels = container.Config.Labels ?? {};
  const goesBack = labels[LAST_GOOD_IMAGE_LABEL] === targetImageId;
  return new Set(goesBack ? (readMemo(labels)?.broughtVolumes ?? []) : []);
}

/** What Docker would not take is as good as none: a swap must come to its end whatever somebody wrote over it. */
function readPolicy(text: string): RestartPolicy {
  const [name = '', retries] = text.split(':');
  return {
    Name: RESTART_POLICIES.includes(name) ? name : 'no',
    MaximumRetryCount: numberIn(retries, Number.MAX_SAFE_INTEGER) ?? 0,
  };
}

function numberIn(text: string | undefined, max: number): number | undefined {
  return text !== undefined && /^\d{1,16}$/.test(text) && Number(text) <= max ? Number(text) : undefined;
}

/** A container that was created without a policy has one without a name. */
export function policyOf({ HostConfig: { RestartPolicy } }: InspectedContainer): RestartPolicy {
  return { Name: RestartPolicy?.Name || 'no', MaximumRetryCount: RestartPolicy?.MaximumRetryCount ?? 0 };
}

export function readPart(container: InspectedContainer): Part {
  const name = plainName(container.Name);
  const suffix = SUFFIXES.find((ending) => name.endsWith(ending)) ?? '';
  const memo = readMemo(container.Config.Labels ?? {});
  return {
    id: container.Id,
    base: name.slice(0, name.length - suffix.length),
    suffix,
    up: isUp(container.State),
    started: wasStarted(container.State) || hasStartError(container.State),
    policy: policyOf(container),
    imageId: container.Image,
    networks: Object.keys(container.NetworkSettings.Networks ?? {}),
    ...(memo !== undefined && { memo }),
  };
}

/**
 * Reads the marks of all containers that bear a service's label. Leftovers of a swap belong to the container whose name
 * they had, so they are never replicas; a stopped container beside a running one is not one either.
 */
export function readMarks(parts: readonly Part[]): Found {
  const groups = Map.groupBy(parts, ({ base }) => base);
  // What was begun is ended first, whatever came beside it.
  const begun = [...groups.values()].map(readGroup).find(({ kind }) => kind === 'swap');
  if (begun !== undefined) return begun;
  const running = [...groups.values()].filter((group) => group.some(({ up }) => up));
  const [group, ...others] = running.length > 0 ? running : [...groups.values()];
  if (group === undefined) return { kind: 'absent' };
  if (others.length > 0)
    return { kind: 'replicas', bases: [group, ...others].map(([first]) => first?.base ?? '') };
  return readGroup(group);
}

function readGroup(group: readonly Part[]): Found {
  const [first] = group;
  if (first === undefined) return { kind: 'absent' };
  const { base } = first;
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
  if (memo === undefined) return false;
  return !started || (up && policy.Name === 'no' && memo.policy.Name !== 'no');
}

/** How far a swap has come. */
export function progressOf({ old, fresh }: Swap): SwapProgress {
  if (old === undefined) return 'committed';
  if (fresh === undefined) return 'prepared';
  if (old.suffix === '.swell-old') return 'committed';
  // Two containers that know nothing of each other: the one in place is the operator's, the other one is litter.
  if (!isSuccessor(fresh, old)) return fresh.suffix === '' ? 'committed' : 'prepared';
  return fresh.suffix === '' && fresh.started && !old.up ? 'cut-over' : 'prepared';
}

/** The container that stands for the service now: the new one once it has taken over. */
export function presentPart(found: Found): Part | undefined {
  if (found.kind === 'single') return found.part;
  if (found.kind !== 'swap') return undefined;
  return progressOf(found) === 'prepared' ? (found.old ?? found.fresh) : (found.fresh ?? found.old);
}

/** The new container was started and runs no more, and the old one runs again: dockerd went back, as it was told to. */
export function hasGoneBack(found: Found): boolean {
  if (found.kind !== 'swap') return false;
  const { old, fresh } = found;
  return isSuccessor(fresh, old) && fresh?.started === true && !fresh.up && old?.up === true;
}

/**
 * The container that is asked for its health. After a restart of dockerd the old one may run again under the new one's
 * eyes; it must not answer for it.
 */
export function probedPart(found: Found): Part | undefined {
  const inPlace = found.kind === 'swap' && found.fresh?.suffix === '' && found.fresh.started;
  return inPlace ? found.fresh : presentPart(found);
}
