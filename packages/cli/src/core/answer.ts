/** The coordinator's answer to what a person published: which of its events it is. */

import type { EventName, FleetEvent } from '@swell/shared/domain/event.ts';

/** What may be said, and the events that answer it. */
export const ANSWERS = {
  release: {
    applied: ['release-accepted'],
    // Given up before it began: another release, or another person's word.
    rejected: ['release-rejected', 'rollout-superseded', 'rollout-aborted'],
    waits: ['release-delayed'],
  },
  control: { applied: ['control-applied'], rejected: ['control-rejected'], waits: [] },
  policy: { applied: ['policy-accepted'], rejected: ['policy-rejected'], waits: [] },
} as const satisfies Readonly<Record<string, Answers>>;
export type Asked = keyof typeof ANSWERS;

interface Answers {
  readonly applied: readonly EventName[];
  readonly rejected: readonly EventName[];
  /** It has been taken, and is decided on later: perhaps in days. */
  readonly waits: readonly EventName[];
}

export interface Answer {
  /** `null`: it waits. */
  readonly applied: boolean | null;
  readonly event: FleetEvent;
}

/**
 * Is this event the answer to what was published under that sequence? A release is answered by its number, a policy by its
 * revision, a word by the end of the event's id (`…control-applied.17-1700000000000`).
 */
export function answerTo(asked: Asked, sequence: number, event: FleetEvent): Answer | undefined {
  const { applied, rejected, waits }: Answers = ANSWERS[asked];
  const isApplied = waits.includes(event.name) ? null : applied.includes(event.name);
  if (isApplied === false && !rejected.includes(event.name)) return undefined;
  const marked = Number(/\.(\d+)(?:-\d+)?$/.exec(event.id)?.[1]);
  const speaksOf = {
    release: event.rollout ?? marked,
    control: marked,
    policy: event.revision ?? marked,
  }[asked];
  return speaksOf === sequence ? { applied: isApplied, event } : undefined;
}
