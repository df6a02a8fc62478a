/**
 * Every subject, stream and key of the bus: the only place where one is spelled. `nats/` holds their definitions.
 */

import { isName, type NodeId, type Question, type Region, type ServiceName } from '../domain/names.ts';
import type { Scope } from '../domain/scope.ts';

export const STREAMS = {
  releases: 'SWELL_RELEASES',
  controls: 'SWELL_CONTROL',
  health: 'SWELL_HEALTH',
  log: 'SWELL_LOG',
  policies: 'KV_swell_policies',
  rollouts: 'KV_swell_rollouts',
  orders: 'KV_swell_orders',
  slots: 'KV_swell_slots',
  nodes: 'KV_swell_nodes',
} as const;

/** What a person publishes to. */
export const releaseSubject = (service: ServiceName): string => `swell.release.${service}`;
export const controlSubject = (service: ServiceName): string => `swell.control.${service}`;
export const ALL_RELEASES = 'swell.release.*';
export const ALL_CONTROLS = 'swell.control.*';

/** Keys of buckets, as the subjects that their streams store. */
export const policyKey = (service: ServiceName): string => `$KV.swell_policies.${service}`;
/** Keys without a scope are the global one's. */
const inScope = (scope: Scope | undefined): string => (scope === undefined ? '' : `.${scope}`);
export const rolloutKey = (service: ServiceName, scope?: Scope): string =>
  `$KV.swell_rollouts.service${inScope(scope)}.${service}`;
export const leaseKey = (scope?: Scope): string => `$KV.swell_rollouts.leader${inScope(scope)}`;
export const LEASE_KEY = leaseKey();
/** Whose a region is. */
export const regionKey = (region: Region): string => `$KV.swell_rollouts.region.${region}`;
export const ALL_REGIONS = '$KV.swell_rollouts.region.*';
export const waveKey = (region: Region, service: ServiceName): string =>
  `$KV.swell_orders.wave.${region}.${service}`;
export const haltKey = (service: ServiceName): string => `$KV.swell_orders.halt.${service}`;
export const slotKey = (region: Region, service: ServiceName, slot: number): string =>
  `$KV.swell_slots.${region}.${service}.${slot}`;
export const nodeKey = (region: Region, node: NodeId): string => `$KV.swell_nodes.${region}.${node}`;
export const ALL_POLICIES = '$KV.swell_policies.*';
export const allRollouts = (scope?: Scope): string => rolloutKey('*', scope);
export const ALL_ROLLOUTS = allRollouts();
export const ALL_ORDERS = '$KV.swell_orders.>';
export const ALL_SLOTS = '$KV.swell_slots.>';
export const ALL_NODES = '$KV.swell_nodes.>';
export const slotKeysOf = (region: Region, service: ServiceName): string =>
  `$KV.swell_slots.${region}.${service}.*`;

/** What an agent says, and what everybody may hear. */
export const healthSubject = (region: Region, service: ServiceName, node: NodeId): string =>
  `swell.health.${region}.${service}.${node}`;
export const ALL_HEALTH = 'swell.health.*.*.*';
export const eventSubject = (service: ServiceName, name: string): string => `swell.event.${service}.${name}`;
/** Under which the log holds what coordinators have saved of a service. */
export const recordLogged = (service: ServiceName, scope?: Scope): string =>
  `swell.rollout.service${inScope(scope)}.${service}`;
/** All that the log holds. */
export const ALL_LOG = 'swell.>';
export const pulseSubject = (region: Region): string => `swell.pulse.${region}`;

/** Plain and unstored: somebody says that a tag has moved. */
export const HINTS = 'swell.hint';

/** Questions to one node, asked with `nats request`. */
export const askSubject = (region: Region, node: NodeId): string => `swell.ask.${region}.${node}`;
/** Questions to the leading coordinator of a scope, of a service (`*`: of any). */
export const questionSubject = (question: Question, service: ServiceName, scope?: Scope): string =>
  `swell.ask.${question}.${service}${inScope(scope)}`;
/** Which service a question is about. */
export const serviceAsked = (subject: string): ServiceName => subject.split('.')[3] ?? '';

/** Where whatever answers questions is found, as NATS' microservices have it (`nats micro`). */
export const discoverySubjects = (
  verb: 'PING' | 'INFO' | 'STATS',
  name: string,
  id: string,
): readonly string[] => [`$SRV.${verb}`, `$SRV.${verb}.${name}`, `$SRV.${verb}.${name}.${id}`];

/** What the server republishes once it is stored. */
export const waveHeard = (region: Region): string => `swell.wave.${region}.*`;
export const HALT_HEARD = 'swell.halt.*';
export const slotHeard = (region: Region, service: ServiceName): string =>
  `swell.slot.${region}.${service}.*`;

/** The tokens behind one of these prefixes, a bucket's and its republished twin's; none where it is neither. */
function tokensBehind(subject: string, ...prefixes: readonly string[]): readonly string[] {
  const prefix = prefixes.find((one) => subject.startsWith(one));
  return prefix === undefined ? [] : subject.slice(prefix.length).split('.');
}

/** Of an order's key (`$KV.swell_orders.wave.eu.web`) or its republished twin (`swell.wave.eu.web`). */
export function parseOrderSubject(
  subject: string,
):
  | { kind: 'wave'; region: Region; service: ServiceName }
  | { kind: 'halt'; service: ServiceName }
  | undefined {
  const [kind, ...names] = tokensBehind(subject, '$KV.swell_orders.', 'swell.');
  const [first, second] = names;
  if (first === undefined || !names.every(isName)) return undefined;
  if (kind === 'wave' && second !== undefined && names.length === 2)
    return { kind, region: first, service: second };
  return kind === 'halt' && names.length === 1 ? { kind, service: first } : undefined;
}

/** Of a slot's key (`$KV.swell_slots.eu.web.0`) or its republished twin (`swell.slot.eu.web.0`). */
export function parseSlotSubject(
  subject: string,
): { region: Region; service: ServiceName; slot: number } | undefined {
  const [region = '', service = '', slot = '', ...more] = tokensBehind(
    subject,
    '$KV.swell_slots.',
    'swell.slot.',
  );
  const isPlace = isName(region) && isName(service) && /^\d{1,6}$/.test(slot) && more.length === 0;
  return isPlace ? { region, service, slot: Number(slot) } : undefined;
}

/** Of what a node reports. */
export function parseHealthSubject(
  subject: string,
): { region: Region; service: ServiceName; node: NodeId } | undefined {
  const [region = '', service = '', node = '', ...more] = tokensBehind(subject, 'swell.health.');
  const isPlace = [region, service, node].every(isName) && more.length === 0;
  return isPlace ? { region, service, node } : undefined;
}

/** Of a service's record: whose it is. */
export function scopeOfRecord(subject: string): Scope | undefined {
  const [scope, service] = tokensBehind(subject, '$KV.swell_rollouts.service.');
  return service === undefined ? undefined : scope;
}

/** Of `region.<region>`. */
export function regionOf(subject: string): Region | undefined {
  const [region = '', ...more] = tokensBehind(subject, '$KV.swell_rollouts.region.');
  return isName(region) && more.length === 0 ? region : undefined;
}

/** The last token: the service of a release, a control, a policy or a rollout. */
export function lastToken(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}

/** Of a node's key (`$KV.swell_nodes.eu.n1`) or its republished twin (`swell.node.eu.n1`). */
export function parseNodeSubject(subject: string): { region: Region; node: NodeId } | undefined {
  const [region = '', node = '', ...more] = tokensBehind(subject, '$KV.swell_nodes.', 'swell.node.');
  return isName(region) && isName(node) && more.length === 0 ? { region, node } : undefined;
}
