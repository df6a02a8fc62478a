/**
 * Back to what the fleet had settled on before. That is a release like any other, by stages and through slots; only that we
 * publish it ourselves, pinned to the digest that the fleet had.
 */

import type { Digest } from '@swell/shared/domain/image.ts';
import { isWritten, writtenImage } from '@swell/shared/domain/publishing.ts';
import { type HaltedRelease, isUnderWay, type Rollout } from '@swell/shared/domain/rollout.ts';
import type { Release } from '@swell/shared/domain/wave.ts';
import { type ServiceState, withRecord } from '../state.ts';
import { type Asked, applied, refused } from './answering.ts';

/** To the release that had settled before the present one, however far that one has come. */
export function undo(state: ServiceState, rollout: Rollout, asked: Asked): ServiceState {
  const { settled, candidate, publishing } = state.record;
  const pending = [publishing, candidate, isUnderWay(rollout) ? rollout : undefined];
  if (pending.some((one) => one?.publication?.startsWith(prefixOf('undo'))))
    return applied(state, asked, 'it is under way already');
  const { release: present } = rollout;
  // What had not settled has left the fleet's word as it was, also where it brings the same image.
  const hasSettled = settled.some((one) => one.rollout === present.rollout);
  const target = hasSettled ? settled.find(({ image }) => image.digest !== present.image.digest) : settled[0];
  if (target === undefined)
    return refused(state, asked, [
      `there is nothing to go back to: before ${present.version} the fleet had settled on nothing else`,
    ]);
  if (candidate === undefined && publishing === undefined && isBrought(rollout, target.image.digest))
    return applied(state, asked, describeBrought(rollout, target.version));
  return release(state, target, asked);
}

/** To a version, if the fleet has settled on it of late. */
export function rollBack(state: ServiceState, rollout: Rollout, version: string, asked: Asked): ServiceState {
  const { settled, candidate, publishing } = state.record;
  const target = settled.find((one) => one.version === version);
  if (target === undefined) return refused(state, asked, [describeMissing(state, version)]);
  const { digest } = target.image;
  const isPublished = publishing !== undefined && isWritten(target.image, publishing.release);
  const isUnderWayAlready = isPublished || candidate?.digest === digest;
  if (isUnderWayAlready) return applied(state, asked, 'it is under way already');
  if (candidate === undefined && publishing === undefined && isBrought(rollout, digest))
    return applied(state, asked, describeBrought(rollout, version));
  return release(state, target, asked);
}

/** Is that what the present rollout brings, or has brought? */
function isBrought(rollout: Rollout, digest: Digest): boolean {
  const isMeant = isUnderWay(rollout) || rollout.phase.name === 'settled';
  return isMeant && rollout.release.image.digest === digest;
}

function describeBrought({ release: { rollout } }: Rollout, version: string): string {
  return `rollout ${rollout} brings ${version} already`;
}

/** A person has decided: that it is an older version, and that it waits for no cool-down, is said with it. */
function release(state: ServiceState, target: Release, asked: Asked): ServiceState {
  const { image, version, irreversible } = target;
  const objection = objectionTo(state, target);
  if (objection !== undefined) return refused(state, asked, [objection]);
  if (state.record.publishing !== undefined)
    return refused(state, asked, ['another release is being published at this moment: say it again']);
  return withRecord(state, {
    publishing: {
      publication: `${prefixOf(asked.action)}${asked.mark}`,
      release: {
        ...writtenImage(image),
        version,
        allowDowngrade: true,
        urgent: true,
        ...(irreversible === true && { irreversible }),
      },
      asked,
    },
  });
}

/** What was there before a release that cannot be undone may not be able to read what that has left. */
function objectionTo(
  { record: { irreversible, halted } }: ServiceState,
  target: Release,
): string | undefined {
  const bad = halted.find((one) => one.digest === target.image.digest);
  if (bad !== undefined) return `${target.version} ${describeHalted(bad)}`;
  if (irreversible === undefined || target.rollout >= irreversible.rollout) return undefined;
  return (
    `rollout ${irreversible.rollout} (${irreversible.version}) cannot be undone, and ${target.version} is from before it: ` +
    'publish a newer release, or that one with "allowDowngrade": true'
  );
}

function prefixOf(action: string): string {
  return `${action}-`;
}

function describeMissing({ record: { settled, halted } }: ServiceState, version: string): string {
  const versions = [...new Set(settled.map((one) => one.version))].join(', ') || 'none yet';
  const known = `version: the fleet has not settled on ${version} of late; it has on: ${versions}`;
  const bad = halted.find((one) => one.version === version);
  if (bad === undefined) return known;
  return `${known}. It ${describeHalted(bad)}`;
}

function describeHalted({ rollout, reason }: HaltedRelease): string {
  return `was halted as rollout ${rollout} (${reason}): release it with "acceptHalted": true`;
}
