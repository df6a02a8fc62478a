/**
 * dockerd carries out what it was asked even if the asking agent dies: a new container may appear after another life of the
 * agent found none, and told how the attempt ended. It is nobody's attempt any more (I8), and goes.
 */

import type { Observation } from './container.ts';
import type { Effect } from './effects.ts';
import type { AgentEvent } from './events.ts';
import type { ServiceState } from './state.ts';
import { countOf, readId, triedOf } from './tried.ts';

/** Does what the engine shows belong to an attempt that has ended? A journal that is lost, or older, knows of none. */
export function isLeftover(state: ServiceState, { swap }: Observation): boolean {
  if (swap?.progress !== 'prepared' || state.journal.attempt !== undefined) return false;
  const named = readId(swap.attempt);
  return named !== undefined && triedOf(state, named.rollout)[named.kind].begun >= countOf(swap.attempt);
}

/** After each look at the engine, while nothing is under way. */
export function clearLeftover(state: ServiceState, { kind }: AgentEvent): readonly Effect[] {
  const { observation, phase } = state;
  const isAtRest = phase.name === 'idle' || phase.name === 'staging' || phase.name === 'staged';
  const isDue =
    kind === 'observed' && isAtRest && observation !== undefined && isLeftover(state, observation);
  return isDue ? [{ kind: 'undo-swap' }] : [];
}
