/** A rollout is bad: from the word to the rest. */

import { shortDigest } from '@swell/shared/domain/image.ts';
import type { Rollout } from '@swell/shared/domain/rollout.ts';
import { isHeldFor } from '../nodes/leases.ts';
import { hasToReturn } from '../nodes/standing.ts';
import { isHaltStanding } from '../orders.ts';
import { type ServiceState, withRecord, withRollout } from '../state.ts';
import { tell } from '../tell.ts';
import { settledBefore } from './sparing.ts';
import { isInTheMiddle, isStaying } from './staying.ts';

const HALTED_KEPT = 64;

/**
 * From now on the digest is known as bad (B12), and what the fleet has settled on is what it was before. A newer word about
 * the same rollout takes the place of the one before it. From what cannot be undone nobody returns, nor from what the fleet
 * had settled on before this rollout, and has settled on still.
 */
export function halt(state: ServiceState, rollout: Rollout, reason: string, stay?: true): ServiceState {
  const { rollout: number, image, version } = rollout.release;
  const { paused: _, ...unpaused } = rollout;
  const settledAs = settledBefore(state.record, rollout.release);
  const stays = stay === true || returnsNobody(state, rollout);
  const newest = {
    rollout: number,
    digest: image.digest,
    version,
    reason,
    ...(stays && { stay: true as const }),
    ...(settledAs !== undefined && { settledAs }),
  };
  const halted = [newest, ...state.record.halted.filter((one) => one.rollout !== number)];
  const { settled } = state.record;
  const stopped = withRecord(state, {
    rollout: { ...unpaused, phase: { name: 'halting', reason } },
    halted: halted.slice(0, HALTED_KEPT),
    settled: settledAs === undefined ? settled.filter((one) => one.image.digest !== image.digest) : settled,
  });
  const spared =
    settledAs === undefined
      ? ''
      : `, and who is on it stays, since the fleet had settled on it as rollout ${settledAs}`;
  return tell(stopped, {
    name: 'rollout-halted',
    rollout: number,
    line: `rollout ${number} of ${state.service} (${version}, ${shortDigest(image.digest)}) is halted${spared}: ${reason}`,
  });
}

/** A person's word. Who was let stay may be taken back later; who is back stays back. */
export function haltBy(state: ServiceState, rollout: Rollout, reason: string, stay?: true): ServiceState {
  const { name } = rollout.phase;
  const isHalted = name === 'halting' || name === 'rested';
  const stays = isStaying(state.record, rollout);
  const isSaid = isHalted && stays === (stay === true || returnsNobody(state, rollout));
  const isTooLate = name === 'rested' && !stays;
  return isSaid || isTooLate ? state : halt(state, rollout, reason, stay);
}

/** Whatever is said. */
function returnsNobody({ record }: ServiceState, { release }: Rollout): boolean {
  return release.irreversible === true || settledBefore(record, release) !== undefined;
}

/** The rollout rests once everybody can have heard the halt, and no present node has anything left to return from. */
export function advanceHalting(
  state: ServiceState,
  rollout: Rollout,
  reason: string,
  nowMs: number,
): ServiceState {
  const stays = isStaying(state.record, rollout);
  const isAwaited = stays ? isInTheMiddle : hasToReturn;
  if (!isHaltStanding(state) || isHeldFor(state, rollout.release.rollout)) return state;
  for (const nodes of state.census.values()) {
    for (const facts of nodes.values()) if (isAwaited(facts, rollout, nowMs)) return state;
  }
  return tell(withRollout(state, { ...rollout, phase: { name: 'rested', reason } }), {
    name: 'rollout-rested',
    rollout: rollout.release.rollout,
    line: `rollout ${rollout.release.rollout} of ${state.service} rests: ${stays ? 'nobody is in the middle of it, and who is on it stays' : 'every node that is there has gone back'}`,
  });
}
