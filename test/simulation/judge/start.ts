/** The instant at which an agent begins: what it went by, compared with what really was (I2, I3, I5, I6). */

import type { Attempt, ServiceState } from '@swell/agent/core/state.ts';
import type { NodeId, Region } from '@swell/shared/domain/names.ts';
import { rankIn } from '@swell/shared/domain/rank.ts';
import {
  admits,
  type Halt,
  isHalted,
  PULSE_FRESH_MS,
  type Standing,
  type Wave,
} from '@swell/shared/domain/wave.ts';
import type { Bench } from './bench.ts';
import type { Orders } from './orders.ts';
import type { Slots, TrueTenure } from './slots.ts';

/** An attempt that has begun, with what it went by. */
export interface Start {
  readonly region: Region;
  readonly node: NodeId;
  readonly attempt: Attempt;
  readonly wave: Standing<Wave>;
  readonly halt: Halt | undefined;
  readonly slot: number;
  readonly atMs: number;
}

/** What an agent's step began, if it began anything: the step that writes the attempt into the journal. */
export function startOf(before: ServiceState, after: ServiceState, atMs: number): Start | undefined {
  if (before.phase.name !== 'checking' || after.phase.name !== 'preparing') return undefined;
  const { attempt, lease } = after.phase;
  const { wave, halt, self } = after;
  if (wave === undefined || lease === undefined)
    throw new Error(`${self.node} starts without a wave or a lease`);
  return { region: self.region, node: self.node, attempt, wave, halt: halt?.order, slot: lease.slot, atMs };
}

export class Starts {
  readonly #bench: Bench;
  readonly #orders: Orders;
  readonly #slots: Slots;
  /** When each node last heard a pulse that it took for the leader's. */
  readonly #pulses = new Map<NodeId, number>();
  /** The highest wave that each node has gone by. */
  readonly #obeyed = new Map<NodeId, number>();

  constructor(bench: Bench, orders: Orders, slots: Slots) {
    this.#bench = bench;
    this.#orders = orders;
    this.#slots = slots;
  }

  heardPulse(node: NodeId): void {
    this.#pulses.set(node, this.#bench.nowMs);
  }

  /** Its journal is gone, or an older one: nobody can ask it to remember. */
  forget(node: NodeId): void {
    this.#obeyed.delete(node);
  }

  judge(start: Start): void {
    this.#judgeWarrant(start);
    this.#judgePulse(start);
    this.#judgeOrder(start);
    this.#judgeHalt(start);
  }

  /** The old container is about to stop: the slot is held, and its lease has not run out. */
  judgeCutOver(start: Start): void {
    const { node, attempt, slot } = start;
    this.#bench.judged('I2');
    const tenure = this.#tenureOf(start);
    const problem = tenure === undefined ? 'never held' : slotProblem(tenure, this.#bench.nowMs);
    if (problem === undefined) return;
    this.#break(
      'I2',
      start,
      `${node} cut over in attempt ${attempt.id} by slot ${slot}, which it ${problem}`,
    );
  }

  /** I2. Admitted, slot held, wave re-read after the claim. */
  #judgeWarrant(start: Start): void {
    const { region, node, attempt, wave, slot, atMs } = start;
    this.#bench.judged('I2');
    const tenure = this.#tenureOf(start);
    const by = `${node} started attempt ${attempt.id} by wave ${wave.revision}`;
    if (tenure === undefined) return this.#break('I2', start, `${by} and slot ${slot}, which it never held`);
    if (this.#orders.waveBetween(region, wave, tenure.claimedAtMs, atMs) === undefined)
      return this.#break('I2', start, `${by}, which stood at no moment since it claimed slot ${slot}`);
    if (slot >= wave.order.slots)
      return this.#break('I2', start, `${by}, which has ${wave.order.slots} slots, by slot ${slot}`);
    if (attempt.kind === 'return') return;
    const { release } = wave.order;
    if (release.rollout !== attempt.rollout || release.image.digest !== attempt.digest)
      return this.#break('I2', start, `${by}, which orders rollout ${release.rollout}`);
    if (!admits(wave.order, rankIn(wave.order, node)))
      this.#break('I2', start, `${by}, which does not admit it`);
  }

  /** I3. By the true time since the last pulse was heard. */
  #judgePulse(start: Start): void {
    if (start.wave.order.phase === 'settled') return;
    this.#bench.judged('I3');
    const ageMs = start.atMs - (this.#pulses.get(start.node) ?? Number.NEGATIVE_INFINITY);
    if (ageMs <= PULSE_FRESH_MS) return;
    const since = Number.isFinite(ageMs) ? `${Math.round(ageMs)} ms after the last pulse` : 'without a pulse';
    this.#break('I3', start, `${start.node} started attempt ${start.attempt.id} ${since} that it heard`);
  }

  /** I6. No lower revision than it has gone by before, also after a restart. */
  #judgeOrder(start: Start): void {
    const { node, wave, attempt } = start;
    const highest = this.#obeyed.get(node);
    this.#obeyed.set(node, Math.max(highest ?? 0, wave.revision));
    if (highest === undefined) return;
    this.#bench.judged('I6');
    if (wave.revision < highest)
      this.#break(
        'I6',
        start,
        `${node} goes by wave ${wave.revision} in attempt ${attempt.id}, after wave ${highest}`,
      );
  }

  /** I5. The orders are read again after the claim, so a halt that stood at the claim, and stands, was read. */
  #judgeHalt(start: Start): void {
    const { node, attempt, atMs } = start;
    const { kind, rollout, digest } = attempt;
    const claimedAtMs = this.#tenureOf(start)?.claimedAtMs;
    if (kind === 'return' || digest === undefined || claimedAtMs === undefined) return;
    const halt = this.#orders.haltThroughout(claimedAtMs, atMs);
    if (halt?.order === undefined) return;
    this.#bench.judged('I5');
    if (isHalted(halt.order, { rollout, image: { digest } }))
      this.#break(
        'I5',
        start,
        `${node} started rollout ${rollout}, whose halt (${halt.revision}) stood before its claim`,
      );
  }

  #tenureOf({ node, attempt, slot }: Start): TrueTenure | undefined {
    return this.#slots.of({ node, attempt: attempt.id }, slot);
  }

  #break(rule: 'I2' | 'I3' | 'I5' | 'I6', { region, node, attempt }: Start, message: string): void {
    this.#bench.break(rule, message, { region, node, rollout: attempt.rollout });
  }
}

/** Lost by the bus's clock or forgotten by the bus is no fault of the node's; given back, or past its lease, is. */
function slotProblem(tenure: TrueTenure, nowMs: number): string | undefined {
  if (tenure.ended === 'freed') return 'had freed';
  const overdueMs = nowMs - tenure.writtenAtMs - tenure.holder.leaseMs;
  return overdueMs >= 0 ? `had held until its lease ran out ${Math.round(overdueMs)} ms before` : undefined;
}
