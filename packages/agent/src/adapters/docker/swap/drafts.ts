/** Brings a service's containers, and those that live in their namespaces, to their drafts: nothing stops. */

import type { Digest } from '@swell/shared/domain/image.ts';
import { misfit } from '@swell/shared/domain/unit.ts';
import type { SwapOrder } from '../../../core/container.ts';
import { EngineError } from '../../engine.ts';
import type { InspectedContainer } from '../inspected.ts';
import type { Part } from '../marks.ts';
import { readMemo } from '../memo.ts';
import { partNamesOf, runningDigests } from '../parts.ts';
import { type Found, type Member, type MemberSwap, memberProgress, memoOf, movedAlong } from './members.ts';
import { createAlong, createDraft, findTarget, refuse, type Target } from './prepare.ts';
import { type Aim, movedIn, type SwapRun } from './swap.ts';
import { tenantsOf } from './tenants.ts';

export interface Drafting extends Pick<SwapRun, 'dockerd' | 'onStep' | 'look'> {
  /** Takes what is there where it is wanted. */
  readonly run: (aim: Aim) => Promise<void>;
  /** Why a tenant must not be touched. */
  readonly objection: (container: InspectedContainer) => string | undefined;
}

/** A swap that was begun by the same order is taken up; the leftovers of another one are ended first. */
export async function prepareSwap(drafting: Drafting, order: SwapOrder): Promise<void> {
  const found = await drafting.look();
  if (found.kind === 'absent')
    throw new EngineError('no-container', `no container bears ${order.service}'s label`);
  if (found.kind === 'swap' && !(await isFor(drafting, found, order))) await endLeftovers(drafting, found);
  await draftMembers(drafting, order);
  await draftTenants(drafting, order);
  await drafting.run('prepare');
}

/** An attempt that nobody will take up again. */
async function endLeftovers({ run }: Drafting, found: MemberSwap): Promise<void> {
  const progress = memberProgress(found);
  if (progress === 'cut-over')
    throw new EngineError('not-carried', 'another swap waits to be committed or undone');
  await run(progress === 'committed' ? 'commit' : 'undo');
}

/** Was this swap begun by the same order, and is it where it may be gone on with? */
async function isFor(drafting: Drafting, found: MemberSwap, order: SwapOrder): Promise<boolean> {
  if (memoOf(found)?.attempt !== order.attempt || memberProgress(found) === 'committed') return false;
  const olds = await inspected(drafting, partsOf(found));
  for (const [{ old, fresh }] of found.members) {
    if (old === undefined || fresh?.memo?.replaces !== old.id || fresh.suffix === '.swell-failed')
      return false;
    if (fresh.memo.attempt !== order.attempt) return false;
    const target = await targetOf(drafting, order, old, olds);
    if (target?.imageId !== fresh.imageId) return false;
  }
  return true;
}

async function draftMembers(drafting: Drafting, order: SwapOrder): Promise<void> {
  const { dockerd, onStep, look, objection } = drafting;
  const found = await look();
  const moved = movedAlong(found);
  if (moved !== undefined) throw new EngineError('unavailable', moved);
  const olds = await inspected(drafting, partsOf(found));
  if (olds.size === 0 && found.kind !== 'swap')
    throw new EngineError('no-container', 'the container was removed by somebody');
  refuseMisfit(order, [...olds.values()]);
  const waiting = await due(drafting, order, found, olds);
  for (const [old, target] of waiting) await refuse(dockerd, old, target);
  const all = waiting.length === 0 ? [] : await dockerd.everyContainer();
  const running = await knownBy(drafting, [...olds.values()]);
  // Nothing is made before nothing stands against any of them.
  const drafts = waiting.map(([old, target]) => {
    const tenants = tenantsOf(old, all, objection).map(({ Id }) => Id);
    return { old, target, tenants, running };
  });
  for (const { old, ...draft } of drafts) {
    await onStep('create-new', 'before');
    await createDraft(dockerd, order, old, draft);
    await onStep('create-new', 'after');
  }
}

/** Before anything is made, all parts of a unit are there, and no others. */
function refuseMisfit({ target }: SwapOrder, olds: readonly InspectedContainer[]): void {
  const unfit = target.kind === 'release' ? misfit(target.image, partNamesOf(olds)) : undefined;
  if (unfit !== undefined) throw new EngineError('not-carried', unfit);
}

/** The digest by which several parts are known together: the one that they were brought as, if it still is one of theirs. */
async function knownBy(
  { dockerd }: Drafting,
  olds: readonly InspectedContainer[],
): Promise<Digest | undefined> {
  if ((partNamesOf(olds) ?? []).length < 2) return undefined;
  const digests = await runningDigests(dockerd, olds);
  const brought = olds.map(({ Config }) => readMemo(Config.Labels ?? {})?.target);
  return digests.find((digest) => brought.every((one) => one === digest)) ?? digests[0];
}

/** Who has no draft yet, and is not where he is to go; where all are there, all are made anew. */
async function due(
  drafting: Drafting,
  order: SwapOrder,
  found: Found,
  olds: ReadonlyMap<string, InspectedContainer>,
): Promise<readonly (readonly [InspectedContainer, Target])[]> {
  if (found.kind === 'absent') return [];
  const parts = found.kind === 'settled' ? found.parts : found.settled;
  const waiting: (readonly [InspectedContainer, Target])[] = [];
  for (const part of parts) {
    const old = olds.get(part.id);
    const isDone = found.kind === 'swap' && part.memo?.attempt === order.attempt;
    if (old === undefined || isDone) continue;
    waiting.push([old, await findTarget(drafting.dockerd, order.target, [old, ...olds.values()])]);
  }
  // What a unit goes back to stands on all its parts: one whose image stays is made anew as well.
  if (waiting.some(([, { part }]) => part !== undefined)) return waiting;
  const apart = waiting.filter(([old, { imageId }]) => old.Image !== imageId);
  return apart.length > 0 || found.kind === 'swap' ? apart : waiting;
}

async function draftTenants({ dockerd, onStep, look }: Drafting, order: SwapOrder): Promise<void> {
  for (;;) {
    const found = await look();
    const next = found.kind === 'swap' ? homeless(found.members) : undefined;
    if (found.kind !== 'swap' || next === undefined) return;
    const old = await dockerd.container(next.tenant);
    if (old === undefined)
      throw new EngineError('not-carried', 'a container that lived in its namespaces was removed');
    await onStep('create-new', 'before');
    await createAlong(dockerd, order, old, { lead: next.lead, moved: movedIn(found) });
    await onStep('create-new', 'after');
  }
}

/** The next tenant without a draft. */
function homeless(
  members: readonly Member[],
): { readonly lead: string; readonly tenant: string } | undefined {
  for (const [{ fresh }, ...tenants] of members) {
    const { memo } = fresh ?? {};
    const housed = tenants.flatMap((pair) => pair.fresh?.memo?.replaces ?? []);
    const tenant = memo?.tenants?.find((id) => !housed.includes(id));
    if (memo !== undefined && tenant !== undefined) return { lead: memo.replaces, tenant };
  }
  return undefined;
}

/** The containers that stand for the service before anything stops. */
function partsOf(found: Found): readonly Part[] {
  if (found.kind === 'absent') return [];
  if (found.kind === 'settled') return found.parts;
  return [...found.members.flatMap(([{ old }]) => old ?? []), ...found.settled];
}

async function inspected(
  { dockerd }: Drafting,
  parts: readonly Part[],
): Promise<ReadonlyMap<string, InspectedContainer>> {
  const containers = await dockerd.containers(parts.map(({ id }) => id));
  return new Map(containers.map((one) => [one.Id, one]));
}

async function targetOf(
  { dockerd }: Drafting,
  order: SwapOrder,
  old: Part,
  olds: ReadonlyMap<string, InspectedContainer>,
): Promise<Target | undefined> {
  const own = olds.get(old.id);
  return own && findTarget(dockerd, order.target, [own, ...olds.values()]);
}
