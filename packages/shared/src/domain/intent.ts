/** What people want, as they publish it: well-formed, not yet weighed. */

import type { Digest } from './image.ts';
import type { Candidate } from './rollout.ts';

/** A release before it has a number. */
export type ReleaseIntent = Omit<Candidate, 'rollout' | 'publishedAtMs' | 'digest' | 'waitsUntilMs'>;

export const CONTROL_ACTIONS = ['approve', 'pause', 'resume', 'halt', 'abort', 'reject'] as const;
export type ControlAction = (typeof CONTROL_ACTIONS)[number];

export interface ControlIntent {
  readonly action: ControlAction;
  /** Only if this rollout is the present one: makes a late or repeated word harmless. */
  readonly rollout?: number;
  /** What is proposed: approved or rejected instead of a stage. */
  readonly digest?: Digest;
  readonly reason?: string;
}
