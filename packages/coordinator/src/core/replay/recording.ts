/** What the log holds of a rollout, as far as it can be lived again: who was there, and how each of them took the release. */

import type { EventName } from '@swell/shared/domain/event.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { ReleaseIntent } from '@swell/shared/domain/intent.ts';
import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { NodeId, Region } from '@swell/shared/domain/names.ts';
import type { Place } from '@swell/shared/domain/place.ts';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import type { RolloutEnd, ServiceRecord } from '@swell/shared/domain/rollout.ts';

/** How a node took the release. */
export type Taken =
  | { readonly is: 'healthy'; readonly afterMs: number }
  | { readonly is: 'failed'; readonly afterMs: number; readonly reason: string }
  /** It never had the image, or would not have it. */
  | { readonly is: 'stage-failed' | 'refused'; readonly reason: string }
  /** It began, and was not heard of again in time. */
  | { readonly is: 'lost' }
  /** It was never its turn, or its attempt showed nothing. */
  | { readonly is: 'unrecorded' };

export interface RecordedNode {
  readonly region: Region;
  readonly node: NodeId;
  readonly labels: readonly string[];
  /** What ran there before; missing: nobody knows. */
  readonly running: Digest | undefined;
  readonly taken: Taken;
}

export type Outcome = RolloutEnd | 'rejected' | 'paused' | 'under way';

/** How a rollout ended, in the world or in a replay. */
export interface ReplayEnd {
  readonly outcome: Outcome;
  readonly atMs: number;
  readonly updated: number;
  readonly failed: number;
  readonly reason?: string;
}

export interface Recording {
  /** Where the release was published. */
  readonly at: Place;
  readonly intent: ReleaseIntent;
  readonly digest: Digest;
  /** What was saved of the service before it. */
  readonly before: ServiceRecord;
  readonly nodes: readonly RecordedNode[];
  readonly as: ReplayEnd;
}

/** A node that is known of now: where the log holds nothing of it, it may have been there all the same. */
export interface KnownNode {
  readonly region: Region;
  readonly node: NodeId;
  readonly labels: readonly string[];
}

interface Heard {
  readonly region: Region;
  readonly node: NodeId;
  running: Digest | undefined;
  /** When its present attempt at this rollout began. */
  begun?: { readonly attempt: string | undefined; readonly atMs: number };
  taken: Taken;
}

const ENDS: Readonly<Partial<Record<EventName, Outcome>>> = {
  'release-rejected': 'rejected',
  'rollout-superseded': 'superseded',
  'rollout-halted': 'halted',
  'rollout-aborted': 'aborted',
  'rollout-settled': 'settled',
};

/** The log has what nodes say a moment after the coordinator has heard it, and told what came of it. */
const LOG_LAGS_MS = 5_000;

/** Listens to the log, entry by entry, up to the rollout's end. */
export class Recorder {
  readonly #rollout: number;
  readonly #nodes = new Map<string, Heard>();
  #end: Omit<ReplayEnd, 'updated' | 'failed'> | undefined;
  #lastMs = 0;

  constructor(rollout: number) {
    this.#rollout = rollout;
  }

  hear(entry: LogEntry): void {
    const { atMs } = entry;
    if (entry.kind === 'report' && atMs <= (this.#end?.atMs ?? atMs) + LOG_LAGS_MS)
      this.#hearReport(entry.report, atMs);
    // A rollout that has settled may be halted later: it is the first end that a policy led to.
    if (this.#end !== undefined) return;
    this.#lastMs = atMs;
    if (entry.kind === 'event' && entry.event.rollout === this.#rollout) {
      const { name, region, node, line, problems } = entry.event;
      if (name === 'slot-lost' && region !== undefined && node !== undefined)
        this.#nodeAt(region, node).taken = { is: 'lost' };
      const outcome = ENDS[name];
      if (outcome === undefined) return;
      const reason = outcome === 'settled' ? {} : { reason: problems?.join('; ') ?? line };
      this.#end = { outcome, atMs, ...reason };
    }
  }

  /** How it ended, by what was heard. */
  get end(): ReplayEnd {
    return { ...(this.#end ?? { outcome: 'under way', atMs: this.#lastMs }), ...this.#counted() };
  }

  /** Everybody who was heard of by then, and who is known now. */
  nodes(known: readonly KnownNode[]): readonly RecordedNode[] {
    const labels = new Map(known.map((one) => [keyOf(one), one.labels]));
    for (const { region, node } of known) this.#nodeAt(region, node);
    return [...this.#nodes.values()]
      .map(({ region, node, running, taken }) => ({
        region,
        node,
        running,
        taken,
        labels: labels.get(keyOf({ region, node })) ?? [],
      }))
      .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }

  #hearReport(report: NodeReport, atMs: number): void {
    const { region, node, rollout, status, attempt, running, reason = 'it did not say why' } = report;
    const heard = this.#nodeAt(region, node);
    if (rollout < this.#rollout) heard.running = running ?? heard.running;
    if (rollout !== this.#rollout || heard.taken.is === 'lost') return;
    switch (status) {
      case 'updating':
        heard.begun = { attempt, atMs };
        return;
      case 'healthy':
        // Without an attempt it was on the image before.
        if (attempt === undefined) heard.running = running;
        else heard.taken = { is: 'healthy', afterMs: tookMs(heard, attempt, atMs) };
        return;
      case 'failed':
        heard.taken = { is: 'failed', afterMs: tookMs(heard, attempt, atMs), reason };
        return;
      case 'stage-failed':
      case 'refused':
        heard.taken = { is: status, reason };
        return;
      case 'staged':
        // It came by the image after all.
        if (heard.taken.is === 'stage-failed' || heard.taken.is === 'refused')
          heard.taken = { is: 'unrecorded' };
        return;
      default:
        return;
    }
  }

  #counted(): { readonly updated: number; readonly failed: number } {
    const all = [...this.#nodes.values()].map(({ taken }) => taken.is);
    const count = (...wanted: readonly Taken['is'][]): number =>
      all.filter((is) => wanted.includes(is)).length;
    return { updated: count('healthy'), failed: count('failed', 'lost') };
  }

  #nodeAt(region: Region, node: NodeId): Heard {
    const key = keyOf({ region, node });
    const heard = this.#nodes.get(key) ?? { region, node, running: undefined, taken: { is: 'unrecorded' } };
    this.#nodes.set(key, heard);
    return heard;
  }
}

function keyOf({ region, node }: { readonly region: Region; readonly node: NodeId }): string {
  return `${region}.${node}`;
}

function tookMs({ begun }: Heard, attempt: string | undefined, atMs: number): number {
  return begun === undefined || begun.attempt !== attempt ? 0 : Math.max(0, atMs - begun.atMs);
}
