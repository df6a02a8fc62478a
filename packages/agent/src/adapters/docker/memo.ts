/** What the labels of a new container say of the swap that it is part of. They stay on it when that is over. */

import { isName, type ServiceName } from '@swell/shared/domain/names.ts';
import type { PartName } from '@swell/shared/domain/unit.ts';
import type { InspectedContainer, RestartPolicy } from './inspected.ts';

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
const PART = 'swell.swap.part';
const TENANTS = 'swell.swap.tenants';
export const ALONG_LABEL = 'swell.swap.along-with';
const LEAD = 'swell.swap.lead';
const IRREVERSIBLE = 'swell.swap.irreversible';

const OLD_STATES = ['running', 'broken', 'stopped'] as const;
const RESTART_POLICIES: readonly string[] = ['no', 'always', 'unless-stopped', 'on-failure'];
const STOP_TIMEOUT_MAX_MS = 30 * 86_400_000;

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
  /**
   * `broken`: it could not run, or ran in circles; it need not run again for the swap to be undone. `stopped`: somebody
   * stopped it, and so it stays; only for one that goes along.
   */
  readonly oldState: OldState;
  /** Where the new image brought a volume that the old container had not: on the way back it is left behind. */
  readonly broughtVolumes?: readonly string[];
  /** Once this one has been started the old one is not started again. */
  readonly irreversible?: true;
  /** The part of a unit that it is: of each, the image is its own. */
  readonly part?: PartName;
  /** Ids of the old containers that live in the old one's namespaces, and go along. */
  readonly tenants?: readonly string[];
  /** It keeps its image, and goes along with the container `lead` (the old one's id) of this service. */
  readonly along?: { readonly service: ServiceName; readonly lead: string };
}

type OldState = (typeof OLD_STATES)[number];

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
    ...(memo.irreversible === true && { [IRREVERSIBLE]: 'true' }),
    ...(memo.part !== undefined && { [PART]: memo.part }),
    ...(memo.tenants !== undefined && { [TENANTS]: memo.tenants.join('\n') }),
    ...(memo.along !== undefined && { [ALONG_LABEL]: memo.along.service, [LEAD]: memo.along.lead }),
  };
}

export function readMemo(labels: Readonly<Record<string, string>>): Memo | undefined {
  const { [ATTEMPT]: attempt, [REPLACES]: replaces, [POLICY]: policy, [REFERENCE]: reference } = labels;
  if (attempt === undefined || replaces === undefined || policy === undefined || reference === undefined)
    return undefined;
  const { [TARGET]: target, [STOP_TIMEOUT]: stopTimeout, [BROUGHT]: brought, [TENANTS]: tenants } = labels;
  const { [ALONG_LABEL]: service, [LEAD]: lead, [PART]: part } = labels;
  const stopTimeoutMs = numberIn(stopTimeout, STOP_TIMEOUT_MAX_MS);
  return {
    attempt,
    replaces,
    policy: readPolicy(policy),
    reference,
    oldState: OLD_STATES.find((state) => state === labels[OLD_STATE]) ?? 'running',
    ...(target !== undefined && { target }),
    ...(stopTimeoutMs !== undefined && { stopTimeoutMs }),
    ...(brought !== undefined && { broughtVolumes: brought.split('\n') }),
    ...(labels[IRREVERSIBLE] === 'true' && { irreversible: true }),
    ...(part !== undefined && { part }),
    ...(tenants !== undefined && { tenants: tenants.split('\n') }),
    ...(service !== undefined && isName(service) && lead !== undefined && { along: { service, lead } }),
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
