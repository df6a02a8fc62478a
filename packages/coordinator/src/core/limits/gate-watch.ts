/**
 * What the gates of a watched stage have answered so far. It lies in memory alone: whoever leads next asks anew, so that
 * nothing passes by being forgotten.
 */

import { type Gate, type GateAnswer, type GateVerdict, judgeAnswer } from '@swell/shared/domain/gate.ts';
import type { Region } from '@swell/shared/domain/names.ts';

/** The stage that is watched, since when it counts. */
export interface WatchedStage {
  readonly rollout: number;
  readonly group: number;
  readonly percent: number;
  readonly sinceMs: number;
}

/** One question, asked once. */
export interface Asking extends WatchedStage {
  readonly gate: string;
  /** Missing: it is asked of all regions at once. */
  readonly region?: Region;
  readonly number: number;
}

export interface GateQuestion {
  readonly kind: 'ask-gate';
  readonly asking: Asking;
  readonly query: string;
  /** The query for all other nodes, where the two are compared. */
  readonly others?: string;
}

export interface GateWatch {
  readonly stage: WatchedStage;
  readonly gates: readonly Gate[];
  /** When it was begun: with the stage, with a leader, or anew after a pause or with another policy. */
  readonly begunMs: number;
  /** Of each gate in each of its regions. */
  readonly runs: ReadonlyMap<string, GateRun>;
}

/** Answers in a row. */
export interface GateRun {
  readonly askedAtMs: number;
  /** The question on its way. */
  readonly number?: number;
  /** When the first and the last of those answers were asked for that are all good, up to the newest. */
  readonly good?: { readonly fromMs: number; readonly untilMs: number };
  /** Bad answers since the last good one. */
  readonly failures: number;
  readonly verdict?: GateVerdict;
}

export function runKey(gate: string, region: Region | undefined): string {
  return region === undefined ? gate : `${gate}/${region}`;
}

/** For people. */
export function describeRun(gate: string, region: Region | undefined): string {
  return region === undefined ? `gate ${gate}` : `gate ${gate} in ${region}`;
}

/** Is it time to ask? Also once more when the soak is over, so that no stage ends by what was so before. */
export function isDue(run: GateRun | undefined, { everyMs }: Gate, endsAtMs: number, nowMs: number): boolean {
  if (run === undefined) return true;
  if (run.number !== undefined) return false;
  return nowMs >= run.askedAtMs + everyMs || (nowMs >= endsAtMs && run.askedAtMs < endsAtMs);
}

/** Was it good for as long as it must, up to an answer that was asked for after the soak? */
export function hasPassed(run: GateRun | undefined, { forMs }: Gate, endsAtMs: number): boolean {
  const good = run?.good;
  return good !== undefined && good.untilMs >= endsAtMs && good.untilMs - good.fromMs >= forMs;
}

/** What says nothing ends a row of good answers, and neither lengthens nor ends one of bad ones. */
export function answered(asked: GateRun, gate: Gate, answer: GateAnswer): GateRun {
  const { number: _, good, ...run } = asked;
  const verdict = judgeAnswer(gate, answer);
  switch (verdict.is) {
    case 'good':
      return {
        ...run,
        verdict,
        failures: 0,
        good: { fromMs: good?.fromMs ?? run.askedAtMs, untilMs: run.askedAtMs },
      };
    case 'bad':
      return { ...run, verdict, failures: run.failures + 1 };
    case 'inconclusive':
      return { ...run, verdict };
  }
}
