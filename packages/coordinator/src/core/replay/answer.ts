/** What is said of a replay: how it was, how it would have been, and what had to be assumed. */

import type { Policy } from '@swell/shared/domain/policy.ts';
import { formatDuration } from '@swell/shared/kernel/units.ts';
import { timeOf } from '../limits/cool-down.ts';
import type { Outcome, Recording, ReplayEnd } from './recording.ts';
import { unrecordedTakes } from './replay.ts';

export interface ReplayAnswer {
  readonly service: string;
  readonly rollout: number;
  readonly line: string;
  readonly as: EndView;
  readonly would: EndView;
  /** Nodes in the replay, and of how many of them the log tells how they took the release. */
  readonly nodes: { readonly all: number; readonly recorded: number };
  /** One sentence each. */
  readonly assumed: readonly string[];
}

interface EndView {
  readonly outcome: Outcome;
  readonly at: string;
  /** Since the release was published. */
  readonly after: string;
  readonly updated: number;
  readonly failed: number;
  readonly reason?: string;
}

export function replayAnswer(recording: Recording, would: ReplayEnd, policy: Policy): ReplayAnswer {
  const { before, at, as, nodes } = recording;
  const rollout = at.sequence;
  const recorded = nodes.filter(({ taken }) => taken.is !== 'unrecorded').length;
  return {
    service: before.service,
    rollout,
    line: `rollout ${rollout} of ${before.service} ${inWords(as, 'is')}; by this policy it ${inWords(would, 'would')}`,
    as: view(as, recording),
    would: view(would, recording),
    nodes: { all: nodes.length, recorded },
    assumed: assumptions(recording, nodes.length - recorded, policy),
  };
}

function view({ atMs, ...end }: ReplayEnd, { at }: Recording): EndView {
  return { ...end, at: timeOf(atMs), after: formatDuration(Math.max(0, atMs - at.storedAtMs)) };
}

const WORDS: Readonly<Record<Outcome, readonly [string, string]>> = {
  settled: ['settled', 'would have settled'],
  halted: ['was halted', 'would have been halted'],
  aborted: ['was aborted', 'would have been aborted'],
  superseded: ['was superseded', 'would have been superseded'],
  rejected: ['was rejected', 'would have been rejected'],
  paused: ['is paused', 'would have paused'],
  'under way': ['is under way', 'would still be under way'],
};

function inWords({ outcome, atMs, updated, failed }: ReplayEnd, tense: 'is' | 'would'): string {
  const [was, would] = WORDS[outcome];
  return `${tense === 'is' ? was : would} at ${timeOf(atMs)} with ${updated} nodes updated and ${failed} failed`;
}

function assumptions(recording: Recording, unrecorded: number, policy: Policy): readonly string[] {
  const took = formatDuration(unrecordedTakes(recording, policy).afterMs);
  return [
    ...(unrecorded === 0
      ? []
      : [
          `${unrecorded} nodes of which the log does not tell how they took the release: each is well after ${took}`,
        ]),
    'nodes: those that the log had heard of by then, and those that are known now, with the labels of now',
    'every node has the image once the stagingSpread of the policy is over, and takes as long as it did then',
    ...((policy.gates ?? []).length === 0 ? [] : ['gates are not asked again, and let it through']),
    'nobody says a word but "approve", at once, wherever it is waited for',
  ];
}
