/** What people want, as they publish it: well-formed, not yet weighed. */

import type { Candidate } from './rollout.ts';

/** A release before it has a number. */
export type ReleaseIntent = Omit<
  Candidate,
  'rollout' | 'publishedAtMs' | 'digest' | 'parts' | 'waitsUntilMs'
>;

export const CONTROL_ACTIONS = ['approve', 'pause', 'resume', 'halt', 'abort'] as const;
export type ControlAction = (typeof CONTROL_ACTIONS)[number];

export interface ControlIntent {
  readonly action: ControlAction;
  /** Only if this rollout is the present one: makes a late or repeated word harmless. */
  readonly rollout?: number;
  readonly reason?: string;
}
