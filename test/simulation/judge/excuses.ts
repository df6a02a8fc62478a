/**
 * The checker goes by what nodes report and coordinators order. Where a fault has destroyed what they would have had to
 * remember for that, it finds what nobody could have kept: that is counted apart. The world's own truth needs none of this.
 */

import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { NodeId } from '@swell/shared/domain/names.ts';
import type { RuleId } from '@swell/shared/domain/rules/rule.ts';
import type { Bench } from './bench.ts';
import type { Start } from './start.ts';

export class Excuses {
  readonly #bench: Bench;
  /** When each node's journal was lost or replaced last. */
  readonly #forgot = new Map<NodeId, number>();
  /** When each node has begun each of its attempts. */
  readonly #begun = new Map<NodeId, Map<string, number>>();
  #newestRollout = 0;
  /** Of rollouts up to this one the record of how far they had come was lost. */
  #unrecorded = 0;

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  get nodes(): readonly NodeId[] {
    return [...this.#begun.keys()];
  }

  see(entry: LogEntry): void {
    if (entry.kind === 'release') this.#newestRollout = Math.max(this.#newestRollout, entry.rollout);
  }

  began({ node, attempt, atMs }: Start): void {
    const begun = this.#begun.get(node) ?? new Map<string, number>();
    this.#begun.set(node, begun.set(attempt.id, atMs));
  }

  forgets(node: NodeId): void {
    this.#forgot.set(node, this.#bench.nowMs);
  }

  recordsLost(): void {
    this.#unrecorded = this.#newestRollout;
  }

  /** @param named the nodes that it is about */
  of(rule: RuleId, entry: LogEntry, named: readonly NodeId[]): string | undefined {
    if (rule === 'I8' && entry.kind === 'report') {
      const { node, attempt = '' } = entry.report;
      const begunAtMs = this.#begun.get(node)?.get(attempt) ?? 0;
      if (this.#hasForgotten(node, begunAtMs))
        return 'I8: a journal was lost or set back before its result was told';
    }
    if (rule === 'I1' && named.some((node) => this.#hasForgotten(node, this.#lastBegun(node, entry.atMs))))
      return 'I1: a journal was lost or set back before it was told that its node had come back';
    if (rule === 'I4' && entry.kind === 'wave' && entry.wave.release.rollout <= this.#unrecorded)
      return 'I4: the record of how far its rollout had come was set back';
    return undefined;
  }

  #hasForgotten(node: NodeId, sinceMs: number): boolean {
    return (this.#forgot.get(node) ?? Number.NEGATIVE_INFINITY) >= sinceMs;
  }

  #lastBegun(node: NodeId, beforeMs: number): number {
    const begun = [...(this.#begun.get(node)?.values() ?? [])].filter((atMs) => atMs <= beforeMs);
    return begun.at(-1) ?? beforeMs;
  }
}
