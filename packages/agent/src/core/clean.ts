/**
 * When the images go that Swell brought here and nobody needs any more: once no rollout moves. At `settled` the soak is
 * over; after a halt or an abort nobody goes on to what was halted. Until then everything stays, what is older than the
 * last good image included, unless a download finds no room.
 *
 * What runs, what a node goes back to, and what somebody named stays in any case: the engine sees to it
 * (`core/images.ts`), so that nothing that is decided here can take a way back from anybody.
 */

import type { Digest } from '@swell/shared/domain/image.ts';
import { imagesOf } from '@swell/shared/domain/unit.ts';
import type { Effect } from './effects.ts';
import type { AgentEvent } from './events.ts';
import { isHaltedHere } from './halts.ts';
import type { ServiceState } from './state.ts';

/** @param before what was known before this event */
export function clean(before: ServiceState, state: ServiceState, event: AgentEvent): readonly Effect[] {
  if (event.kind === 'image-not-staged' && event.lacksRoom === true) return [cleanImages(state)];
  if (!isAtEase(state)) return [];
  // From time to time as well: an engine may have been away, or an operator has taken a name back.
  const isDue = event.kind === 'timer-fired' && event.timer === 'look';
  return isDue || !isAtEase(before) || before.wave !== state.wave ? [cleanImages(state)] : [];
}

/** Nothing is under way here or in the fleet, and nothing is to come. */
function isAtEase({ recovered, frozen, stopping, phase, observation, wave }: ServiceState): boolean {
  const isSeen = observation !== undefined && observation.state !== 'absent';
  return recovered && !frozen && !stopping && phase.name === 'idle' && isSeen && isOver(wave);
}

function isOver(wave: ServiceState['wave']): boolean {
  const phase = wave?.order.phase;
  return phase === 'settled' || phase === 'halted' || phase === 'aborted';
}

function cleanImages(state: ServiceState): Effect {
  const wanted = wantedHere(state);
  return { kind: 'clean-images', ...(wanted !== undefined && { wanted }) };
}

/** What this node may be asked to run by the orders that it knows. */
function wantedHere(state: ServiceState): readonly Digest[] | undefined {
  const { wave } = state;
  if (wave === undefined) return undefined;
  const { release, phase } = wave.order;
  const isGivenUp = phase === 'halted' || phase === 'aborted' || isHaltedHere(state, release);
  if (isGivenUp) return undefined;
  return [...new Set([release.image, ...imagesOf(release.image)].map(({ digest }) => digest))];
}
