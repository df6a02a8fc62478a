/** What this node ought to do, by what it knows: the question behind every step that is not in the middle of a swap. */

import { heldBy } from '@swell/shared/domain/hold.ts';
import type { NodeId } from '@swell/shared/domain/names.ts';
import { rankIn } from '@swell/shared/domain/rank.ts';
import { misfit } from '@swell/shared/domain/unit.ts';
import { admits, type Halt, PULSE_FRESH_MS, type Release, wantsStaged } from '@swell/shared/domain/wave.ts';
import { rememberLast } from '@swell/shared/kernel/remember.ts';
import { unreachable } from '@swell/shared/kernel/unreachable.ts';
import type { Observation } from './container.ts';
import { haltsOf, isHaltedHere } from './halts.ts';
import { objectionNow, objectionTo, objectionToChange } from './leave.ts';
import { objectionToEarlier, whyOut } from './one-way.ts';
import type { Goal, Self, ServiceState } from './state.ts';
import { mayTryAgain, triedOf } from './tried.ts';

export type Want =
  | { readonly kind: 'rest'; readonly why: string }
  /** The wave concerns this node, which cannot follow it as it stands; nor could it go back from what was halted. */
  | { readonly kind: 'refuse'; readonly release: Release; readonly why: string; readonly kept?: Keep }
  /** The image is wanted here; `soon` where the node's turn has come already. */
  | { readonly kind: 'stage'; readonly release: Release; readonly soon: boolean }
  /** The image is here; the node waits to be admitted. */
  | { readonly kind: 'stay-staged'; readonly release: Release }
  /** On the release already. */
  | { readonly kind: 'be-done'; readonly release: Release }
  | Keep
  | { readonly kind: 'go'; readonly goal: Goal };

/** After a halt there is nothing here to go back to. */
type Keep = { readonly kind: 'keep'; readonly rollout: number; readonly why: string };

export function want(state: ServiceState): Want {
  const { observation, wave } = state;
  if (state.frozen) return rest('its orders went backwards: the bus was restored or created anew');
  if (observation === undefined) return rest('the engine has not answered yet');
  if (observation.state === 'absent')
    return rest(`no container bears the label swell.service=${state.self.service}`);
  if (wave === undefined) return rest('there is no wave for it');
  const back = wantBack(state);
  const forth = wantForth(state);
  // A later release is the remedy; but where the wave only tells what the fleet had settled on, the way back is local.
  const isRemedy =
    forth.kind === 'go' && forth.goal.kind === 'update' && forth.goal.release.rollout > haltedRollout(state);
  if (isRemedy || back === undefined) return forth;
  return back.kind === 'keep' ? insteadOfKeeping(back, forth) : back;
}

/** Who cannot go back goes on by whatever wave is for him, from its staging on: nobody is to wait for him in vain. */
function insteadOfKeeping(keep: Keep, forth: Want): Want {
  switch (forth.kind) {
    case 'stage':
    case 'stay-staged':
    case 'go':
      return forth;
    case 'refuse':
      return { ...forth, kept: keep };
    case 'rest':
    case 'be-done':
    case 'keep':
      return keep;
    default:
      return unreachable(forth);
  }
}

function haltedRollout(state: ServiceState): number {
  return Math.max(0, ...haltsOf(state).map(({ rollout }) => rollout));
}

const ownRank = rememberLast((self: Self, seed: string, canaries: readonly NodeId[] | undefined) =>
  rankIn({ seed, ...(canaries !== undefined && { canaries }) }, self.node),
);

function rest(why: string): Want {
  return { kind: 'rest', why };
}

/** Any of the halts may demand it. */
type Back = Keep | Extract<Want, { kind: 'go' }>;

function wantBack(state: ServiceState): Back | undefined {
  const ways = haltsOf(state).map((halt) => wayBack(state, halt));
  return ways.find((back) => back !== undefined);
}

/** The way back after a halt, if this node runs what was halted. */
function wayBack(state: ServiceState, halt: Halt): Back | undefined {
  const { observation, wave } = state;
  if (wave === undefined || observation === undefined) return undefined;
  if (halt.stay === true) return undefined;
  if (!observation.digests.includes(halt.digest)) return undefined;
  const { release } = wave.order;
  const acceptedAgain = release.image.digest === halt.digest && release.rollout > halt.rollout;
  if (acceptedAgain || triedOf(state, halt.rollout).return.ended === 'kept') return undefined;
  const objection = observation.obstacle ?? objectionToChange(state);
  if (objection !== undefined) return { kind: 'keep', rollout: halt.rollout, why: objection };
  if (observation.lastGood === undefined) {
    return { kind: 'keep', rollout: halt.rollout, why: 'there is no last good image on this node' };
  }
  if (observation.lastGood.digest === halt.digest) {
    return { kind: 'keep', rollout: halt.rollout, why: 'its last good image is the one that was halted' };
  }
  return { kind: 'go', goal: { kind: 'return', halt, wave } };
}

function wantForth(state: ServiceState): Want {
  const { observation, wave, self } = state;
  if (observation === undefined || wave === undefined) return rest('nothing is known yet');
  const { release, phase, seed, canaries, holds = [] } = wave.order;
  if (isHaltedHere(state, release)) return rest(`rollout ${release.rollout} is halted`);
  if (phase === 'halted' || phase === 'aborted') return rest(`rollout ${release.rollout} is ${phase}`);
  const { ended } = triedOf(state, release.rollout).update;
  if (observation.digests.includes(release.image.digest)) {
    const out = whyOut(state);
    if (out !== undefined) return rest(out);
    return ended === 'failed'
      ? rest(`its attempt at rollout ${release.rollout} failed, and there was nothing to go back to`)
      : { kind: 'be-done', release };
  }
  if (ended !== undefined && ended !== 'healthy' && !mayTryAgain(state, release))
    return rest(`its attempt at rollout ${release.rollout} ended: ${ended}`);
  if (phase === 'paused') return rest(`rollout ${release.rollout} is paused`);
  const rank = ownRank(self, seed, canaries);
  const admitted = admits(wave.order, rank);
  if (!admitted && !wantsStaged(wave.order, rank))
    return rest('its turn has not come: it stands behind the cursor');
  const node = { node: self.node, labels: self.labels ?? [], digests: observation.digests };
  const objection = againstUpdate(state, observation, release) ?? heldBy(holds, node);
  if (objection !== undefined) return { kind: 'refuse', release, why: objection };
  if (state.staged !== release.image.digest) return { kind: 'stage', release, soon: admitted };
  return admitted
    ? { kind: 'go', goal: { kind: 'update', release, wave } }
    : { kind: 'stay-staged', release };
}

/** What stands on this node against having the release here. */
function againstUpdate(
  state: ServiceState,
  { obstacle, parts }: Observation,
  release: Release,
): string | undefined {
  return (
    obstacle ??
    misfit(release.image, parts) ??
    objectionToEarlier(state, release) ??
    objectionTo(state, release)
  );
}

/** I3, and what else must hold before anything starts; the reason where it does not. */
export function obstacleToStart(state: ServiceState, nowMs: number): string | undefined {
  if (state.stopping) return 'the agent is stopping';
  if (!state.connected) return 'the bus is out of reach';
  if (nowMs < state.restUntilMs) return 'it rests before it tries again';
  if (!isFresh(state, nowMs)) return 'no coordinator has stood behind the wave for 30 s';
  return objectionNow(state, nowMs);
}

/** Does a coordinator stand behind the wave that we know? */
export function isFresh(state: ServiceState, nowMs: number): boolean {
  const { wave, pulse, halt } = state;
  if (wave === undefined) return false;
  if (wave.order.phase === 'settled') return true;
  return (
    pulse !== undefined &&
    nowMs - pulse.atMs < PULSE_FRESH_MS &&
    pulse.wave <= wave.revision &&
    pulse.halt <= (halt?.revision ?? state.journal.highest.halt)
  );
}
