/** I12. What its operator has stopped by hand, or forbidden in his policy file, nobody touches until he says otherwise. */

import type { NodeId } from '@swell/shared/domain/names.ts';
import type { NodeModel } from '../node-model.ts';
import type { Bench } from './bench.ts';
import type { TrueTenure } from './slots.ts';
import type { Start } from './start.ts';

export class Operators {
  readonly #bench: Bench;
  readonly #stoppedAtMs = new Map<NodeId, number>();
  readonly #saidAtMs = new Map<NodeId, number>();

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  /** He forbids every change: whoever claims a slot from now on reads it before he begins. */
  says({ name }: NodeModel): void {
    this.#saidAtMs.set(name, this.#bench.nowMs);
  }

  isSilent({ name }: NodeModel): void {
    if (this.#saidAtMs.delete(name)) this.#bench.judged('I12');
  }

  judgeStart({ region, node, attempt }: Start, tenure: TrueTenure | undefined): void {
    const saidAtMs = this.#saidAtMs.get(node);
    if (saidAtMs === undefined || tenure === undefined || tenure.claimedAtMs < saidAtMs) return;
    this.#bench.judged('I12');
    this.#bench.break('I12', `${node} begins attempt ${attempt.id}, which its operator had forbidden`, {
      region,
      node,
      rollout: attempt.rollout,
    });
  }

  /** In the middle of a swap it says nothing: whoever has begun ends it. */
  stops(model: NodeModel): void {
    if (model.containers.swaps.size === 0) this.#stoppedAtMs.set(model.name, this.#bench.nowMs);
  }

  /** All the time that was his nobody has touched it: else it were broken by now. */
  starts(model: NodeModel): void {
    if (this.#stoppedAtMs.delete(model.name)) this.#bench.judged('I12');
  }

  judgeCutOver({ region, node, attempt, atMs }: Start): void {
    const stoppedAtMs = this.#stoppedAtMs.get(node);
    if (stoppedAtMs === undefined || atMs <= stoppedAtMs) return;
    this.#bench.judged('I12');
    this.#bench.break(
      'I12',
      `${node} cuts over in attempt ${attempt.id}, begun ${Math.round(atMs - stoppedAtMs)} ms after its operator stopped the container`,
      { region, node, rollout: attempt.rollout },
    );
  }
}
