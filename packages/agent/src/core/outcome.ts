import type { Effect } from './effects.ts';
import type { ServiceState } from './state.ts';

/** What an event makes of a state: the state after it, and what is to be done. */
export interface Step {
  readonly state: ServiceState;
  readonly effects: readonly Effect[];
}
