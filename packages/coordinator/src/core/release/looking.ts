/**
 * When the registry is asked for the tag that a policy watches: at every interval, at once when somebody says that the tag
 * has moved, later where the registry is away, and never while it wants to be left alone. What stands in the registry
 * decides, not what was said of it.
 */

import { rankOf } from '@swell/shared/domain/rank.ts';
import { describeTag, isMeant, type TagHint, type Watch } from '@swell/shared/domain/watch.ts';
import type { Step } from '../outcome.ts';
import type { Looking, ServiceState } from '../state.ts';

const BACK_OFF_MAX_MS = 600_000;

/** What the bucket's policy watches; a release has no say in it. */
export function watchOf({ record }: Pick<ServiceState, 'record'>): Watch | undefined {
  return record.policy?.layer?.watch;
}

/** The question that is due. */
export function lookAtTag(state: ServiceState, nowMs: number): Step {
  const watch = watchOf(state);
  if (watch === undefined) return { state, effects: [] };
  const known = lookingFor(state, describeTag(watch.image));
  if (known !== undefined && !isDue(known, watch, nowMs)) return { state, effects: [] };
  const looking: Looking = {
    failures: 0,
    restUntilMs: 0,
    ...known,
    image: describeTag(watch.image),
    askedAtMs: nowMs,
    isAsked: true,
    isHinted: false,
  };
  return { state: { ...state, looking }, effects: [{ kind: 'look-at-tag', image: watch.image }] };
}

function isDue(looking: Looking, watch: Watch, nowMs: number): boolean {
  if (looking.isAsked || nowMs < looking.restUntilMs) return false;
  return looking.isHinted || nowMs >= nextLookMs(looking, watch);
}

/**
 * On a grid that the image alone sets: services that watch the same one ask together, which is one question; others ask at
 * other times.
 */
function nextLookMs({ askedAtMs, failures, image }: Looking, { everyMs }: Watch): number {
  if (failures > 0) {
    const backOffMs = Math.min(everyMs * 2 ** (failures - 1), Math.max(everyMs, BACK_OFF_MAX_MS));
    return askedAtMs + backOffMs;
  }
  const offsetMs = rankOf(image, 'watch') * everyMs;
  return offsetMs + (Math.floor((askedAtMs - offsetMs) / everyMs) + 1) * everyMs;
}

/** It was asked for, and not for another tag than is watched by now. */
export function lookingFor({ looking }: ServiceState, image: string): Looking | undefined {
  return looking?.image === image ? looking : undefined;
}

export function answered(state: ServiceState, looking: Looking, restMs: number, nowMs: number): ServiceState {
  return {
    ...state,
    looking: { ...looking, isAsked: false, failures: 0, restUntilMs: nowMs + restMs },
  };
}

export function unanswered(
  state: ServiceState,
  looking: Looking,
  restMs: number,
  nowMs: number,
): ServiceState {
  const { failures } = looking;
  return {
    ...state,
    looking: { ...looking, isAsked: false, failures: failures + 1, restUntilMs: nowMs + restMs },
  };
}

/** Somebody says that a tag has moved. */
export function takeHint(state: ServiceState, hint: TagHint): ServiceState {
  const watch = watchOf(state);
  const { looking } = state;
  if (watch === undefined || looking === undefined || !isMeant(watch.image, hint)) return state;
  return { ...state, looking: { ...looking, isHinted: true } };
}
