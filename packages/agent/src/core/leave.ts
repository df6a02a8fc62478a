/**
 * What others have to say before a container stops and after another one has come through: the operator by policy file and
 * labels (I12), the application by its lock and its hooks (B6, B10).
 */

import {
  againstChange,
  againstNow,
  againstRelease,
  type OperatorWord,
  type Wanted,
} from '@swell/shared/domain/operator-word.ts';
import type { ServiceState } from './state.ts';

/** Against having a release here; undefined: nobody is. */
export function objectionTo(state: ServiceState, release: Wanted): string | undefined {
  return firstOf(state, (word) => againstRelease(word, release)) ?? state.observation?.locked;
}

/** Against any change, the way back after a halt included. */
export function objectionToChange(state: ServiceState): string | undefined {
  return firstOf(state, againstChange);
}

/** Against stopping a container at this moment. */
export function objectionNow(state: ServiceState, nowMs: number): string | undefined {
  const { word } = state;
  if (word === undefined) return "the operator's policy has not been read yet";
  return firstOf(state, (one) => againstNow(one, nowMs + word.wallOffsetMs));
}

/** What does not parse may forbid anything, so it forbids everything. */
function firstOf(
  { word, observation }: ServiceState,
  against: (word: OperatorWord) => string | undefined,
): string | undefined {
  for (const read of [word?.read, observation?.word]) {
    if (read === undefined) continue;
    if (!read.ok) return `its operator's policy is not understood: ${read.problems.join('; ')}`;
    for (const one of read.value) {
      const objection = against(one);
      if (objection !== undefined) return objection;
    }
  }
  return undefined;
}
