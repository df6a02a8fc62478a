/**
 * All containers of a service on a node, each with those that live in its namespaces: they go out and come back together,
 * and one such *member* after the other.
 */

import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { PartName } from '@swell/shared/domain/unit.ts';
import type { SwapProgress } from '../../../core/container.ts';
import {
  type Marked,
  type Part,
  presentPart,
  probedPart,
  progressOf,
  readMarks,
  type Swap,
} from '../marks.ts';
import type { Memo } from '../memo.ts';
import { inOrder } from '../parts.ts';

/** The service's own container first, then its tenants, in the order in which they start. */
export type Member = readonly [Swap, ...Swap[]];

/** What there is of a service. */
export type Found =
  | { readonly kind: 'absent' }
  /** `alongWith`: one of them is being moved, as it lives in the namespaces of that service. */
  | { readonly kind: 'settled'; readonly parts: readonly Part[]; readonly alongWith?: ServiceName }
  | MemberSwap;

export interface MemberSwap {
  readonly kind: 'swap';
  readonly members: readonly Member[];
  /** Those that have nothing to do with it, or no more. */
  readonly settled: readonly Part[];
}

/**
 * Reads the marks of the containers that bear a service's label, and of those that go along with them. A stopped container
 * beside one that runs is no member.
 */
export function readMembers(service: ServiceName, own: readonly Part[], along: readonly Part[]): Found {
  const marked = markedOf(own);
  const swaps = marked.filter((one) => one.kind === 'swap').filter((one) => !goesAlong(one, service));
  const others = marked.filter((one) => one.kind === 'single' || goesAlong(one, service));
  const settled = membersOf(others.flatMap((one) => presentPart(one) ?? []));
  const members = withTenants(service, swaps, markedOf(along));
  if (members.length > 0) return { kind: 'swap', members, settled };
  const mover = others.flatMap((one) => (one.kind === 'swap' ? (one.fresh?.memo?.along?.service ?? []) : []));
  if (settled.length === 0) return { kind: 'absent' };
  return { kind: 'settled', parts: settled, ...(mover[0] !== undefined && { alongWith: mover[0] }) };
}

/** Do its members go to images of their own, as parts of a unit? */
export function isUnit(found: MemberSwap): boolean {
  return memoOf(found)?.part !== undefined;
}

/** How far the swap of a service has come. */
export function memberProgress(found: MemberSwap): SwapProgress {
  const { members } = found;
  if (members.some(isPastPoint) || members.every((member) => progressOfOne(member) === 'committed'))
    return 'committed';
  const isBegun = doneOf(found).length > 0 || members.some((member) => progressOfOne(member) !== 'prepared');
  return isBegun ? 'cut-over' : 'prepared';
}

/** Those that still have the old image, the one first that had begun to leave it. */
export function membersLeft({ members }: MemberSwap): readonly Member[] {
  const left = members.filter((member) => progressOfOne(member) === 'prepared');
  return left.toSorted(([a], [b]) => Number(hasBegun(b)) - Number(hasBegun(a)));
}

/** What the marks say of the swap as a whole. */
export function memoOf({ members }: MemberSwap): Memo | undefined {
  return members.flatMap(([{ fresh }]) => fresh?.memo ?? [])[0];
}

/** Under which part's name a container's last good image is kept: of several parts, each has its own. */
export function partKept({ members, settled }: MemberSwap, { part }: Part): PartName | undefined {
  const all = [...members.flatMap(([{ fresh }]) => fresh ?? []), ...settled];
  return new Set(all.map((one) => one.part)).size > 1 ? part : undefined;
}

/** Those that are through with it already. */
function doneOf(found: MemberSwap): readonly Part[] {
  const memo = memoOf(found);
  return memo === undefined ? [] : found.settled.filter((part) => part.memo?.attempt === memo.attempt);
}

/** Why a service has to wait, one of whose containers is moved for the sake of another one. */
export function movedAlong(found: Found): string | undefined {
  const service = found.kind === 'settled' ? found.alongWith : undefined;
  return service && `${service}, in whose namespaces it lives, is being updated`;
}

/** The containers that stand for the service now. */
export function presentParts(found: Found): readonly Part[] {
  if (found.kind === 'absent') return [];
  if (found.kind === 'settled') return found.parts;
  const leads = found.members.map(([lead]) => lead).filter(({ fresh }) => fresh?.memo?.along === undefined);
  return [...leads.flatMap((lead) => presentPart(lead) ?? []), ...found.settled];
}

/**
 * Those that are asked for their health, with their marks: in the middle of a swap all that have gone over, and before it
 * all that there are.
 */
export function probedParts(found: Found): readonly { readonly part: Part; readonly marked: Marked }[] {
  return askedOf(found).flatMap((marked) => {
    const part = probedPart(marked);
    return part === undefined ? [] : [{ part, marked }];
  });
}

function askedOf(found: Found): readonly Marked[] {
  const single = (part: Part): Marked => ({ kind: 'single', part });
  if (found.kind !== 'swap') return presentParts(found).map(single);
  const { members, settled } = found;
  if (memberProgress(found) === 'prepared') return [...members.map(([lead]) => lead), ...settled.map(single)];
  const over = members.filter((member) => progressOfOne(member) !== 'prepared').map(([lead]) => lead);
  return [...doneOf(found).map(single), ...over];
}

function markedOf(parts: readonly Part[]): readonly Marked[] {
  const groups = [...Map.groupBy(parts, ({ base }) => base)];
  groups.sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
  return groups.map(([base, group]) => readMarks(base, group));
}

/** Where some run, or would if they could, whoever stopped the others meant it. */
function membersOf(parts: readonly Part[]): readonly Part[] {
  const wanted = parts.filter((part) => part.wanted);
  return wanted.length > 0 ? wanted : parts;
}

/** Is it moved for the sake of another service? */
function goesAlong(marked: Marked, service: ServiceName): boolean {
  const along = marked.kind === 'swap' ? marked.fresh?.memo?.along : undefined;
  return along !== undefined && along.service !== service;
}

function withTenants(
  service: ServiceName,
  leads: readonly Swap[],
  along: readonly Marked[],
): readonly Member[] {
  const known = leads.flatMap(({ fresh }) => fresh?.memo?.tenants ?? []);
  const tenants = along
    .filter((one) => one.kind === 'swap')
    .filter(({ old, fresh }) => fresh?.memo?.along?.service === service || known.includes(old?.id ?? ''));
  const members = inOrder(leads, needs).map((lead): Member => [lead, ...tenantsOf(lead, tenants)]);
  const housed = new Set(members.flat());
  // Whoever had them was taken away, or is done before them.
  return [...members, ...tenants.filter((one) => !housed.has(one)).map((one): Member => [one])];
}

/** Whom Compose starts before it goes over before it. */
function needs(one: Swap, other: Swap): boolean {
  const { after = [] } = composedOf(one) ?? {};
  const { name } = composedOf(other) ?? {};
  return name !== undefined && after.includes(name);
}

function composedOf({ old, fresh }: Swap): Part['composed'] {
  return (old ?? fresh)?.composed;
}

function tenantsOf({ old, fresh }: Swap, tenants: readonly Swap[]): readonly Swap[] {
  const ids = fresh?.memo?.tenants ?? [];
  const lead = old?.id ?? fresh?.memo?.replaces;
  const place = (one: Swap): number => ids.indexOf(one.fresh?.memo?.replaces ?? one.old?.id ?? '');
  return tenants
    .filter((one) => place(one) >= 0 || (lead !== undefined && one.fresh?.memo?.along?.lead === lead))
    .toSorted((a, b) => place(a) - place(b));
}

function progressOfOne(member: Member): SwapProgress {
  if (isPastPoint(member)) return 'committed';
  const all = member.map(progressOf);
  if (all.every((progress) => progress === 'committed')) return 'committed';
  return all.includes('prepared') ? 'prepared' : 'cut-over';
}

function isPastPoint(member: Member): boolean {
  return member.some(({ old }) => old?.suffix === '.swell-old');
}

function hasBegun({ old }: Swap): boolean {
  return old !== undefined && (old.suffix !== '' || !old.up);
}
