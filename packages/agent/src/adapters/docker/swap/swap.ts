/**
 * Performs swaps: look, plan, do, look again. Docker is the only memory, so a run that dies anywhere is taken up by the
 * next one, in this process or another.
 */

import { EngineError } from '../../engine.ts';
import type { Dockerd } from '../dockerd.ts';
import { keepsakeOf, type Place } from '../images/brought.ts';
import { movableReference } from '../images/images.ts';
import { type InspectedContainer, isUp, ownStopTimeoutMs } from '../inspected.ts';
import { LAST_GOOD_IMAGE_LABEL, volumesLeftBehind } from '../memo.ts';
import {
  carriedSpec,
  connectBody,
  differences,
  expectedSpec,
  freshVolumes,
  rehomed,
  seenSpec,
} from '../spec/spec.ts';
import { copyWritten, missingWritten } from '../spec/written.ts';
import {
  type Found,
  isUnit,
  type MemberSwap,
  memberProgress,
  membersLeft,
  memoOf,
  partKept,
} from './members.ts';
import { type Intent, nextStep, type Performed, performedKey, type Step, type StepName } from './plan.ts';

/** Called before and after every step: a crash test dies here. */
export type OnStep = (step: StepName | 'create-new', moment: 'before' | 'after') => void | Promise<void>;

export interface SwapRun {
  readonly dockerd: Dockerd;
  /** For whom last good images are kept from being pruned. */
  readonly place: Place;
  readonly onStep: OnStep;
  readonly look: () => Promise<Found>;
}

type Performers = {
  readonly [Name in StepName]: (
    run: SwapRun,
    step: Extract<Step, { step: Name }>,
    found: MemberSwap,
  ) => Promise<void>;
};

const NEVER = { Name: 'no', MaximumRetryCount: 0 };
const ALWAYS = { Name: 'always', MaximumRetryCount: 0 };

const performers: Performers = {
  'connect-network': async ({ dockerd }, { fresh, old, network }) => {
    const { [network]: endpoint } = carriedSpec(await present(dockerd, old.id), {}).networks;
    if (endpoint !== undefined) await dockerd.connect(network, fresh.id, connectBody(endpoint));
  },
  'copy-files': async ({ dockerd }, { fresh, old }) =>
    copyWritten(dockerd, await present(dockerd, old.id), await present(dockerd, fresh.id)),
  prove: async ({ dockerd }, { fresh, old }, found) => {
    await prove(dockerd, old.id, fresh.id, movedIn(found));
    await dockerd.rename(fresh.id, `${fresh.base}.swell-next`);
  },
  'move-reference': async ({ dockerd }, { fresh, reference }) => {
    // So that a later `docker compose up` finds the container to be of the service's image, and leaves it alone.
    const known = movableReference(reference);
    if (known !== undefined) await dockerd.tag(fresh.imageId, known.repository, known.tag);
  },
  'guard-old': ({ dockerd }, { old }) => dockerd.setPolicy(old.id, ALWAYS),
  'stop-old': ({ dockerd }, { old, stopTimeoutMs }) => stop(dockerd, old.id, stopTimeoutMs),
  'set-aside-old': ({ dockerd }, { old }) => dockerd.rename(old.id, `${old.base}.swell-prev`),
  'name-new': ({ dockerd }, { fresh }) => dockerd.rename(fresh.id, fresh.base),
  'start-new': ({ dockerd }, { fresh, mayFail }) => start(dockerd, fresh.id, mayFail),

  'pass-commit-point': ({ dockerd }, { old }) => dockerd.rename(old.id, `${old.base}.swell-old`),
  'restore-new-policy': ({ dockerd }, { fresh, policy }) => dockerd.setPolicy(fresh.id, policy),
  'keep-last-good': async ({ dockerd, place }, { fresh }, found) => {
    const image = (await dockerd.container(fresh.id))?.Config.Labels?.[LAST_GOOD_IMAGE_LABEL];
    const { repository, tag } = keepsakeOf(place, partKept(found, fresh));
    if (image !== undefined) await dockerd.tag(image, repository, tag);
  },
  'disarm-old': ({ dockerd }, { old }) => dockerd.setPolicy(old.id, NEVER),
  // Its anonymous volumes are the new one's now.
  'remove-old': ({ dockerd }, { old }) => dockerd.remove(old.id, 'keep-volumes'),

  'mark-failed': ({ dockerd }, { fresh }) => dockerd.rename(fresh.id, `${fresh.base}.swell-failed`),
  'stop-new': ({ dockerd }, { fresh, stopTimeoutMs }) => stop(dockerd, fresh.id, stopTimeoutMs),
  'return-reference': async ({ dockerd }, { fresh, old, reference }) => {
    const known = movableReference(reference);
    if (known === undefined) return;
    // Somebody may have moved it since; then it is his.
    const image = await dockerd.image(`${known.repository}:${known.tag}`);
    if (image?.Id === fresh.imageId) await dockerd.tag(old.imageId, known.repository, known.tag);
  },
  'name-old': ({ dockerd }, { old }) => dockerd.rename(old.id, old.base),
  'start-old': ({ dockerd }, { old, mayFail }) => start(dockerd, old.id, mayFail),
  'restore-old-policy': ({ dockerd }, { old, policy }) => dockerd.setPolicy(old.id, policy),
  // What it brought of its own goes with it; the volumes it was given are carried by name, and stay.
  'remove-new': ({ dockerd }, { fresh }) => dockerd.remove(fresh.id, 'with-volumes'),
};

/**
 * What is wanted of a swap: an intent for all its members (`beside`: for the next one), or that so many of them go over
 * that at most `left` are left.
 */
export type Aim = Exclude<Intent, 'cut-over'> | { readonly left: number };

/** Takes a swap where it is wanted; without one, nothing happens. */
export async function runSwap(run: SwapRun, aim: Aim): Promise<void> {
  const performed = new Set<string>();
  let last: string | undefined;
  for (;;) {
    const found = await run.look();
    if (found.kind !== 'swap') return;
    const step = stepTowards(found, aim, performed);
    if (step === undefined) return;
    const fingerprint = JSON.stringify(step);
    if (fingerprint === last)
      throw new EngineError('unavailable', `Docker said yes to ${step.step}, and did nothing`);
    last = fingerprint;
    await run.onStep(step.step, 'before');
    await perform(run, step, found);
    performed.add(performedKey(step.step, 'fresh' in step ? step.fresh.base : step.old.base));
    await run.onStep(step.step, 'after');
  }
}

/** One step, whoever has planned it. */
export function perform<Name extends StepName>(
  run: SwapRun,
  step: Extract<Step, { step: Name }>,
  found: MemberSwap,
): Promise<void> {
  const performer: Performers[Name] = performers[step.step];
  return performer(run, step, found);
}

/** One member after the other goes over, and comes back; the last one that went is the first that comes. */
function stepTowards(found: MemberSwap, aim: Aim, performed: Performed): Step | undefined {
  const { members } = found;
  if (aim === 'prepare' || aim === 'commit') return nextStep(members.flat(), aim, performed);
  if (aim === 'undo') {
    // Past its commit point all of it goes on.
    if (memberProgress(found) === 'committed') return nextStep(members.flat(), 'commit', performed);
    // Replicas serve for one another meanwhile; parts of a unit need each other.
    if (isUnit(found)) return nextStep(members.flat(), 'undo', performed);
    return first(members.toReversed(), (member) => nextStep(member, 'undo', performed));
  }
  const left = membersLeft(found);
  if (aim === 'beside') return left[0] && nextStep(left[0].slice(0, 1), aim, performed);
  const isDone = left.length <= aim.left && memberProgress(found) !== 'prepared';
  const [next] = left;
  if (isDone || next === undefined) return undefined;
  // Where there is no way back all stop before any starts: none is to work on what another one has made of it.
  const leaving = memoOf(found)?.irreversible === true ? left.flat() : next;
  return nextStep(leaving, 'cut-over', performed);
}

function first<Item, Value>(
  items: readonly Item[],
  of: (item: Item) => Value | undefined,
): Value | undefined {
  for (const item of items) {
    const value = of(item);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Whose place each new container takes. */
export function movedIn({ members }: MemberSwap): ReadonlyMap<string, string> {
  const pairs = members
    .flat()
    .flatMap(({ fresh }) => (fresh?.memo === undefined ? [] : [[fresh.memo.replaces, fresh.id] as const]));
  return new Map(pairs);
}

/** Throws, and takes the new container away again, unless it is the old one but for its image. */
async function prove(
  dockerd: Dockerd,
  oldId: string,
  freshId: string,
  moved: ReadonlyMap<string, string>,
): Promise<void> {
  const [old, fresh] = await Promise.all([present(dockerd, oldId), present(dockerd, freshId)]);
  const [oldImage, freshImage] = await Promise.all([dockerd.image(old.Image), dockerd.image(fresh.Image)]);
  if (oldImage === undefined || freshImage === undefined)
    throw new EngineError('not-carried', 'an image is gone');
  const carried = carriedSpec(old, oldImage.Config ?? {}, volumesLeftBehind(old, fresh.Image));
  const spec = rehomed(carried, moved);
  const expected = expectedSpec(spec, freshImage.Config ?? {});
  const shown = seenSpec(fresh, freshVolumes(spec, freshImage.Config ?? {}));
  const found = [...differences(expected, shown), ...(await missingWritten(dockerd, old, fresh))];
  if (found.length === 0) return;
  await dockerd.remove(freshId, 'with-volumes');
  throw new EngineError('not-carried', `the new container would differ: ${found.join('; ')}`);
}

/** @param mayFail it was broken before, or there is nothing better: what follows must not wait for it */
async function start(dockerd: Dockerd, id: string, mayFail: boolean): Promise<void> {
  try {
    await dockerd.start(id);
  } catch (error) {
    if (!mayFail || !(error instanceof EngineError) || error.code !== 'start-failed') throw error;
  }
}

async function stop(dockerd: Dockerd, id: string, stopTimeoutMs: number | undefined): Promise<void> {
  const container = await dockerd.container(id);
  if (container === undefined || !isUp(container.State)) return;
  await dockerd.stop(id, stopTimeoutMs, ownStopTimeoutMs(container.Config));
}

async function present(dockerd: Dockerd, id: string): Promise<InspectedContainer> {
  const container = await dockerd.container(id);
  if (container === undefined) throw new EngineError('no-container', `container ${id} is gone`);
  return container;
}
