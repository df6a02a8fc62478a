/**
 * A world for one agent's core: an engine, a bus, a coordinator, another node, and chance that is drawn by the test.
 * What the core orders is performed when the test says so, and answered when the test says so; either may never happen.
 * Whatever the core does is held against {@link AgentWitness}.
 */

import type { Digest } from '@swell/shared/domain/image.ts';
import type { SlotEntry, SlotHolder, SlotView } from '@swell/shared/domain/slot.ts';
import type { Halt, Wave } from '@swell/shared/domain/wave.ts';
import type { Observation } from '../../packages/agent/src/core/container.ts';
import type { Effect, Timer } from '../../packages/agent/src/core/effects.ts';
import type { AgentEvent, Told } from '../../packages/agent/src/core/events.ts';
import {
  EMPTY_JOURNAL,
  type Journal,
  newService,
  type ServiceState,
} from '../../packages/agent/src/core/state.ts';
import { begin, step } from '../../packages/agent/src/core/step.ts';
import { HEALTH, newWave, SELF, V1 } from './agent-story.ts';
import { AgentWitness } from './agent-witness.ts';

export type Outcome =
  | 'done'
  /** Done, but its answer says that nobody knows. */
  | 'unheard'
  | 'failed'
  /** Failed for good, as far as the engine can tell. */
  | 'refused';

interface Container {
  readonly digest: Digest;
  readonly lastGood?: Digest;
}

interface Swap {
  readonly attempt: string;
  readonly progress: 'prepared' | 'cut-over';
  readonly old: Container;
  readonly fresh: Container;
}

type Of<Kind extends Effect['kind']> = Extract<Effect, { readonly kind: Kind }>;
type EngineEffect = Of<'prepare-swap' | 'cut-over' | 'commit-swap' | 'undo-swap'>;

const ENGINE: readonly string[] = ['prepare-swap', 'cut-over', 'commit-swap', 'undo-swap'];
/** The slots' bucket and the lease of a node that does not renew. */
const GRACE_MS = 2_000;

export class AgentWorld {
  nowMs = 1_000_000;
  state: ServiceState = newService(SELF, EMPTY_JOURNAL);
  readonly witness = new AgentWitness(this);
  readonly timers = new Map<Timer, number>();
  /** Ordered, and not performed yet. */
  tasks: readonly Effect[] = [];
  /** Answers and messages on their way. */
  inbox: readonly AgentEvent[] = [];
  handled = 0;

  // The truth that the agent sees through its effects alone.
  container: Container = { digest: V1, lastGood: V1 };
  swap: Swap | undefined;
  obstacle: string | undefined;
  readonly sick = new Set<Digest>();
  readonly images = new Set<Digest>([V1]);
  readonly slots = new Map<number, SlotEntry & { readonly storedAtMs: number }>();
  wave: Told<Wave> = { revision: 0 };
  halt: Told<Halt> = { revision: 0 };
  readonly stored = new Set<string>();
  isConnected = false;
  #orders = 0;
  #slotRevisions = 0;

  constructor() {
    this.boot(EMPTY_JOURNAL);
  }

  /** An agent starts with what the last one had saved; what that one had ordered and not got is gone. */
  boot(journal: Journal): void {
    this.tasks = [];
    this.inbox = this.isConnected ? [{ kind: 'connected' }] : [];
    this.timers.clear();
    this.state = newService(SELF, JSON.parse(JSON.stringify(journal)) as Journal);
    this.#order(begin(this.state).effects);
  }

  tell(event: AgentEvent): void {
    const before = deepFreeze(this.state);
    const next = step(before, deepFreeze(event), this.nowMs);
    this.handled += 1;
    this.state = next.state;
    this.witness.sees(before, event, next);
    this.#order(next.effects);
  }

  #order(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'set-timer') this.timers.set(effect.timer, this.nowMs + effect.maxMs);
      else if (effect.kind === 'clear-timer') this.timers.delete(effect.timer);
      else this.tasks = [...this.tasks, effect];
    }
  }

  /** Performs one of the tasks; of those to the swap the engine takes one after the other. */
  perform(which: number, outcome: Outcome): void {
    const chosen = this.tasks[which % Math.max(1, this.tasks.length)];
    const task =
      chosen && ENGINE.includes(chosen.kind) ? this.tasks.find(({ kind }) => ENGINE.includes(kind)) : chosen;
    if (task === undefined) return;
    this.tasks = this.tasks.filter((one) => one !== task);
    const answer = this.#perform(task, outcome);
    if (answer !== undefined) this.inbox = [...this.inbox, answer];
  }

  deliver(which: number): void {
    const chosen = this.inbox[which % Math.max(1, this.inbox.length)];
    // Of all that is on its way only the connection's own changes keep their order.
    const event = chosen && isOfConnection(chosen) ? this.inbox.find(isOfConnection) : chosen;
    if (event === undefined) return;
    this.inbox = this.inbox.filter((one) => one !== event);
    this.tell(event);
  }

  /** Time passes, and timers fire in their order. */
  pass(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const due = [...this.timers].filter(([, dueMs]) => dueMs <= untilMs).toSorted((a, b) => a[1] - b[1])[0];
      if (due === undefined) break;
      this.timers.delete(due[0]);
      this.nowMs = Math.max(this.nowMs, due[1]);
      this.tell({ kind: 'timer-fired', timer: due[0] });
    }
    this.nowMs = untilMs;
  }

  publishWave(change: Parameters<typeof newWave>[0]): void {
    this.#orders += 1;
    this.wave = {
      revision: this.#orders,
      order: newWave({ health: { ...HEALTH, minHealthyTimeMs: 4_000 }, ...change }),
    };
    this.#republish({ kind: 'wave-heard', told: this.wave });
  }

  publishHalt(halt: Halt): void {
    this.#orders += 1;
    this.halt = { revision: this.#orders, order: halt };
    this.#republish({ kind: 'halt-heard', told: this.halt });
  }

  pulse(term: number): void {
    this.#republish({ kind: 'pulse-heard', term, wave: this.wave.revision, halt: this.halt.revision });
  }

  connect(isConnected: boolean): void {
    if (isConnected === this.isConnected) return;
    this.isConnected = isConnected;
    this.inbox = [...this.inbox, { kind: isConnected ? 'connected' : 'disconnected' }];
  }

  /** Another node takes a slot, or gives one up. */
  otherTakes(slot: number, holds: boolean): void {
    const entry = this.slots.get(slot);
    const isOurs = entry?.holder?.node === SELF.node;
    if (isOurs || (entry?.holder !== undefined) === holds) return;
    const holder = { node: 'n2', rollout: 7, attempt: '7.update.1', leaseMs: 3_600_000 };
    this.#store(slot, holds ? holder : undefined);
  }

  /** I7. The coordinator clears what has run out, by the bus's clock. */
  clearLost(): void {
    for (const [slot, { holder, storedAtMs }] of this.slots) {
      if (holder !== undefined && this.nowMs > storedAtMs + holder.leaseMs + GRACE_MS)
        this.#store(slot, undefined);
    }
  }

  observation(): Observation {
    const { digest, lastGood } = this.container;
    const swap = this.swap && {
      progress: this.swap.progress,
      attempt: this.swap.attempt,
      target: this.swap.fresh.digest,
    };
    return {
      state: 'running',
      digests: [digest],
      ...(lastGood !== undefined && { lastGood: { digest: lastGood } }),
      ...(swap !== undefined && { swap }),
      ...(this.obstacle !== undefined && swap === undefined && { obstacle: this.obstacle }),
    };
  }

  #republish(event: AgentEvent): void {
    if (this.isConnected) this.inbox = [...this.inbox, event];
  }

  #store(slot: number, holder: SlotHolder | undefined): number {
    this.#slotRevisions += 1;
    const entry = { revision: this.#slotRevisions, ...(holder !== undefined && { holder }) };
    this.slots.set(slot, { ...entry, storedAtMs: this.nowMs });
    this.#republish({ kind: 'slot-heard', slot, entry });
    return entry.revision;
  }

  #perform(effect: Effect, outcome: Outcome): AgentEvent | undefined {
    switch (effect.kind) {
      case 'observe':
        return outcome === 'done'
          ? { kind: 'observed', era: effect.era, observation: this.observation() }
          : { kind: 'not-observed', era: effect.era, reason: 'no answer' };
      case 'stage-image': {
        const { digest } = effect.image;
        if (outcome !== 'done') return { kind: 'image-not-staged', digest, reason: 'no such host' };
        this.images.add(digest);
        return { kind: 'image-staged', digest };
      }
      case 'probe': {
        const healthy = outcome === 'done' && !this.sick.has(this.container.digest);
        return { kind: 'probed', attempt: effect.attempt, outcome: { healthy, seen: outcome } };
      }
      case 'ask-leave': {
        if (outcome === 'done')
          return { kind: 'leave-answered', attempt: effect.attempt, leave: { is: 'given' } };
        const is = outcome === 'refused' ? 'vetoed' : 'deferred';
        return { kind: 'leave-answered', attempt: effect.attempt, leave: { is, why: outcome } };
      }
      case 'confirm':
        if (outcome === 'done') return { kind: 'confirmed' };
        return outcome === 'refused'
          ? { kind: 'confirmed', why: outcome }
          : { kind: 'not-confirmed', reason: outcome };
      case 'start-beside':
        return outcome === 'done' || outcome === 'refused'
          ? { kind: 'started-beside', isBeside: outcome === 'done' }
          : { kind: 'not-swapped', reason: outcome, retryable: true };
      case 'count-in-flight':
        return { kind: 'in-flight-counted', ...(outcome === 'done' && { count: 0 }) };
      case 'prepare-swap':
      case 'cut-over':
      case 'commit-swap':
      case 'undo-swap':
        return this.#performSwap(effect, outcome);
      default:
        return this.#performOnBus(effect, this.isConnected ? outcome : 'failed');
    }
  }

  #performSwap(effect: EngineEffect, outcome: Outcome): AgentEvent {
    const done = outcome === 'done' || outcome === 'unheard';
    const retryable = outcome !== 'refused';
    switch (effect.kind) {
      case 'prepare-swap': {
        const { target } = effect.order;
        const digest = target.kind === 'release' ? target.image.digest : this.container.lastGood;
        if (digest === undefined || !this.images.has(digest))
          return {
            kind: 'swap-not-prepared',
            reason: 'the image is gone',
            retryable: false,
            imageIsGone: true,
          };
        if (done) this.#prepare(effect, digest);
        return outcome === 'done'
          ? { kind: 'swap-prepared' }
          : { kind: 'swap-not-prepared', reason: outcome, retryable };
      }
      case 'cut-over':
        if (done && this.swap?.progress === 'prepared') {
          this.swap = { ...this.swap, progress: 'cut-over' };
          this.container = this.swap.fresh;
        }
        return outcome === 'done' ? { kind: 'swapped' } : { kind: 'not-swapped', reason: outcome, retryable };
      case 'commit-swap':
        if (done) this.swap = undefined;
        return outcome === 'done'
          ? { kind: 'swap-committed', digests: [this.container.digest] }
          : { kind: 'swap-not-committed', reason: outcome };
      case 'undo-swap':
        if (done && this.swap !== undefined) {
          this.container = this.swap.old;
          this.swap = undefined;
        }
        return outcome === 'done' ? { kind: 'swap-undone' } : { kind: 'swap-not-undone', reason: outcome };
    }
  }

  #prepare({ order }: Of<'prepare-swap'>, digest: Digest): void {
    const old = this.container;
    const lastGood = order.lastGood === 'running' ? old.digest : old.lastGood;
    if (this.swap?.attempt === order.attempt) return;
    this.witness.demands(this.swap === undefined, 'nothing is prepared over another swap');
    const fresh = { digest, ...(lastGood !== undefined && { lastGood }) };
    this.swap = { attempt: order.attempt, progress: 'prepared', old, fresh };
  }

  #entries(slots: readonly number[]): SlotView {
    const found = [...this.slots].filter(([slot]) => slots.includes(slot));
    return new Map(found.map(([slot, entry]) => [slot, plain(entry)]));
  }

  #performOnBus(effect: Effect, outcome: Outcome): AgentEvent | undefined {
    const isHeard = outcome === 'done';
    switch (effect.kind) {
      case 'read-orders':
        return isHeard
          ? {
              kind: 'orders-read',
              asked: effect.asked,
              wave: this.wave,
              halt: this.halt,
              word: { read: { ok: true, value: [] }, wallMs: this.nowMs },
              ...(effect.beyond && { beyond: this.#entries(effect.beyond.slots) }),
            }
          : { kind: 'orders-not-read', asked: effect.asked, reason: outcome };
      case 'read-slots':
        return isHeard
          ? {
              kind: 'slots-read',
              entries: this.#entries([...this.slots.keys()]),
            }
          : undefined;
      case 'claim-slot': {
        const written = this.#write(effect, outcome);
        if (written === undefined) return { kind: 'slot-not-claimed', slot: effect.slot };
        return typeof written === 'number'
          ? { kind: 'slot-claimed', slot: effect.slot, revision: written }
          : { kind: 'slot-not-claimed', slot: effect.slot, entry: written };
      }
      case 'renew-slot': {
        const sentAtMs = this.nowMs;
        const written = this.#write(effect, outcome);
        if (typeof written === 'number')
          return {
            kind: 'slot-renewed',
            slot: effect.slot,
            revision: written,
            sentAtMs,
            holder: effect.holder,
          };
        return { kind: 'slot-not-renewed', slot: effect.slot, lost: written !== undefined };
      }
      case 'free-slot': {
        const entry = this.slots.get(effect.slot);
        if (outcome === 'failed' || entry?.revision !== effect.expect || entry.holder === undefined)
          return undefined;
        this.witness.demands(
          entry.holder.attempt === effect.holder.attempt && entry.holder.node === SELF.node,
          'only what is ours is freed',
        );
        this.#store(effect.slot, undefined);
        return undefined;
      }
      case 'send-report':
        if (outcome === 'done' || outcome === 'unheard') this.stored.add(effect.report.id);
        return { kind: isHeard ? 'report-stored' : 'report-not-stored', id: effect.report.id };
      default:
        return undefined;
    }
  }

  /** Its revision; what stands there instead; nothing where nobody knows. */
  #write(
    { slot, expect, holder }: Of<'claim-slot' | 'renew-slot'>,
    outcome: Outcome,
  ): number | SlotEntry | undefined {
    if (outcome === 'failed' || outcome === 'refused') return undefined;
    const entry = this.slots.get(slot);
    const isOurs = entry?.holder?.attempt === holder.attempt && entry.holder.node === holder.node;
    if ((entry?.revision ?? 0) !== expect) {
      if (isOurs && entry.revision > expect) return outcome === 'done' ? entry.revision : undefined;
      return entry === undefined ? { revision: 0 } : plain(entry);
    }
    const revision = this.#store(slot, holder);
    return outcome === 'done' ? revision : undefined;
  }
}

function isOfConnection({ kind }: AgentEvent): boolean {
  return kind === 'connected' || kind === 'disconnected';
}

function plain({ revision, holder }: SlotEntry): SlotEntry {
  return { revision, ...(holder !== undefined && { holder }) };
}

export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
