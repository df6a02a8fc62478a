/** Holds what an agent's core does against the rules, step by step, with the world's truth beside it. */

import { strict as assert } from 'node:assert';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import { isResult } from '@swell/shared/domain/report.ts';
import { type Halt, isHalted, PULSE_FRESH_MS, type Wave } from '@swell/shared/domain/wave.ts';
import type { Effect } from '../../packages/agent/src/core/effects.ts';
import type { AgentEvent } from '../../packages/agent/src/core/events.ts';
import type { Step } from '../../packages/agent/src/core/outcome.ts';
import { type ServiceState, work } from '../../packages/agent/src/core/state.ts';
import { step } from '../../packages/agent/src/core/step.ts';
import { journalSchema } from '../../packages/agent/src/protocol/journal.ts';
import { SELF } from './agent-story.ts';
import type { AgentWorld } from './agent-world.ts';

export class AgentWitness {
  /** Begun, and not ended yet. */
  open: NodeReport | undefined;
  readonly results = new Map<string, NodeReport>();
  readonly #world: AgentWorld;
  readonly #seen = new Set<string>();
  /** What stood on the bus when the claim that is being checked was stored, or might have been. */
  #orders: { readonly wave: number; readonly halt?: Halt } | undefined;

  constructor(world: AgentWorld) {
    this.#world = world;
  }

  demands(truth: boolean, rule: string): void {
    assert(truth, rule);
  }

  sees(before: ServiceState, event: AgentEvent, next: Step): void {
    const { state, effects } = next;
    assert.deepStrictEqual(step(before, event, this.#world.nowMs), next, 'the same step twice is the same');
    if (state.journal !== before.journal) {
      const saved: unknown = JSON.parse(JSON.stringify(state.journal));
      assert.deepStrictEqual(
        journalSchema.parse(saved),
        state.journal,
        'the journal outlives the agent as it is',
      );
    }
    if (event.kind === 'slot-claimed') this.#orders = this.#standing();
    for (const report of state.journal.outbox) this.#hears(report, state);
    const { attempt } = state.journal;
    assert(attempt?.id === this.open?.attempt, 'the journal holds the attempt that is open, and no other');
    const isAsJournaled = !state.recovered || state.phase.name === 'checking';
    assert(isAsJournaled || work(state.phase)?.attempt.id === attempt?.id, 'and so does the phase');
    for (const effect of effects) this.#watches(effect, state);
  }

  #standing() {
    const { wave, halt } = this.#world;
    return { wave: wave.revision, ...(halt.order !== undefined && { halt: halt.order }) };
  }

  #hears(report: NodeReport, state: ServiceState): void {
    if (this.#seen.has(report.id)) return;
    this.#seen.add(report.id);
    const { attempt, status } = report;
    if (attempt === undefined) return;
    if (!isResult(status)) {
      assert(this.open === undefined, 'one attempt at a time');
      assert(!this.results.has(attempt), 'an attempt that has ended does not begin again (I8)');
      this.open = report;
      this.#judgesStart(report, state);
      return;
    }
    assert(this.open?.attempt === attempt, `a result belongs to an open attempt (I8): ${report.id}`);
    this.open = undefined;
    this.results.set(attempt, report);
    const { container, swap } = this.#world;
    assert(swap === undefined, 'nothing is half done when the result is told (I9)');
    if (report.running !== undefined)
      assert(report.running === container.digest, 'a result tells what runs (I9)');
  }

  /** I2, I3, I5, by the truth. */
  #judgesStart({ warrant, status, rollout }: NodeReport, state: ServiceState): void {
    const { nowMs, slots } = this.#world;
    const { wave, pulse, phase } = state;
    const order = wave?.order as Wave;
    const lease = work(phase)?.lease;
    assert(warrant !== undefined && lease !== undefined && lease.slot === warrant.slot);
    assert(slots.get(lease.slot)?.holder?.node === SELF.node, 'who begins holds its slot (I2)');
    assert(lease.slot < order.slots, 'which the wave has (I1)');
    const claimed = this.#orders;
    assert(
      claimed !== undefined && warrant.waveRevision >= claimed.wave,
      'the wave was read after the claim (I2)',
    );
    assert(state.connected && !state.stopping && !state.frozen, 'connected, willing, not frozen');
    const isFresh = pulse !== undefined && nowMs - pulse.atMs < PULSE_FRESH_MS;
    assert(order.phase === 'settled' || isFresh, 'a coordinator stands behind the wave (I3)');
    if (status !== 'updating') return;
    assert(order.phase === 'settled' || (order.phase === 'open' && order.cursor > 0), 'it is admitted (I2)');
    // One halt takes another one's place: only what still stands could have been read.
    const stands = claimed.halt === this.#world.halt.order;
    assert(!stands || !isHalted(claimed.halt, order.release), 'no halt stood when the slot was claimed (I5)');
    const failed = [...this.results.values()].some(
      (one) => one.rollout === rollout && one.status === 'failed',
    );
    assert(!failed, 'what failed here is not tried again');
  }

  #watches(effect: Effect, state: ServiceState): void {
    switch (effect.kind) {
      case 'prepare-swap':
      case 'cut-over': {
        const lease = work(state.phase)?.lease;
        const { slots, nowMs } = this.#world;
        assert(lease !== undefined && nowMs < lease.untilMs, 'no step out of rotation without a lease');
        assert(
          slots.get(lease.slot)?.holder?.attempt === this.open?.attempt,
          'and the slot is ours in truth (I1)',
        );
        return;
      }
      case 'commit-swap':
      case 'undo-swap':
      case 'probe':
        assert(this.open !== undefined, `${effect.kind} belongs to an open attempt`);
        return;
      case 'free-slot':
        assert(effect.holder.node === SELF.node, 'nobody else’s slot is freed');
        return;
      default:
    }
  }
}
