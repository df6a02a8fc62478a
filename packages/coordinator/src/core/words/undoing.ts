/**
 * Back to what the fleet had settled on before. That is a release like any other, by stages and through slots; only that we
 * publish it ourselves, pinned to the digest that the fleet had.
 */

import type { Digest } from '@swell/shared/domain/image.ts';
import { isWritten, writtenImage } from '@swell/shared/domain/publishing.ts';
import { isUnderWay, type Rollout } from '@swell/shared/domain/rollout.ts';
import type { Release } from '@swell/shared/domain/wave.ts';
import { type ServiceState, withRecord } from '../state.ts';
import { type Asked, applied, refused } from './answering.ts';

/** To the release that had settled before the present one, however far that one has come. */
export function undo(state: ServiceState, rollout: Rollout, asked: Asked): ServiceState {
  const { settled, candidate, publishing } = state.record;
  const pending = [publishing, candidate, isUnderWay(rollout) ? rollout : undefined];
  if (pending.some((one) => one?.publication?.startsWith(prefixOf('undo'))))
    return applied(state, asked, 'it is under way already');
  const { digest } = rollout.release.image;
  const target = settled.find(({ image }) => image.digest !== digest);
  return target === undefined
    ? refused(state, asked, [
        `there is nothing to go back to: before ${rollout.release.version} the fleet had settled on nothing else`,
      ])
    : release(state, target, asked);
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
    return applied(state, asked, `rollout ${rollout.release.rollout} brings ${version} already`);
  return release(state, target, asked);
}

/** Is that what the present rollout brings, or has brought? */
function isBrought(rollout: Rollout, digest: Digest): boolean {
  const isMeant = isUnderWay(rollout) || rollout.phase.name === 'settled';
  return isMeant && rollout.release.image.digest === digest;
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
function objectionTo({ record: { irreversible } }: ServiceState, target: Release): string | undefined {
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
  return `${known}. It was halted as rollout ${bad.rollout} (${bad.reason}): release it with "acceptHalted": true`;
}
