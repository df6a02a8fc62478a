/** What people want, as they publish it: well-formed, not yet weighed. */

import type { HoldRule, NodeChoice } from './hold.ts';
import type { Digest } from './image.ts';
import type { Candidate } from './rollout.ts';
import type { Scope } from './scope.ts';

/** A release before it has a number. */
export type ReleaseIntent = Omit<
  Candidate,
  'rollout' | 'publishedAtMs' | 'digest' | 'parts' | 'waitsUntilMs' | 'behind' | 'waitsFor'
>;

export const CONTROL_ACTIONS = [
  'approve',
  'pause',
  'resume',
  'halt',
  'abort',
  'reject',
  'retry',
  'undo',
  'rollback',
  'hold',
  'unhold',
] as const;
export type ControlAction = (typeof CONTROL_ACTIONS)[number];

interface OfRollout {
  /** Only if this rollout is the present one: makes a late or repeated word harmless. */
  readonly rollout?: number;
  readonly reason?: string;
}

/** A watched tag's digest, which is released or not. */
interface OfProposal {
  readonly digest: Digest;
  readonly reason?: string;
}

/** `scope`: for that one's leader alone. */
export type ControlIntent = { readonly scope?: Scope } & (
  | (OfRollout & { readonly action: 'pause' | 'resume' | 'abort' | 'retry' })
  /** `stay`: nobody returns who is on it already. */
  | (OfRollout & { readonly action: 'halt'; readonly stay?: true })
  | (OfRollout & { readonly action: 'undo' })
  /** `toPercent`: every stage up to there opens without asking. */
  | (OfRollout & { readonly action: 'approve'; readonly toPercent?: number })
  | (OfProposal & { readonly action: 'approve' })
  | (OfProposal & { readonly action: 'reject' })
  | (OfRollout & { readonly action: 'rollback'; readonly version: string })
  | { readonly action: 'hold'; readonly hold: HoldRule }
  | { readonly action: 'unhold'; readonly nodes: NodeChoice }
);
