/** The agent's core driven by hand: tell it something, see what it orders. Every state it makes is frozen. */

import type { PinnedImage } from '@swell/shared/domain/image.ts';
import { DEFAULT_POLICY } from '@swell/shared/domain/policy.ts';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import type { SlotEntry } from '@swell/shared/domain/slot.ts';
import type { Halt, Wave } from '@swell/shared/domain/wave.ts';
import type { Observation, ProbeOutcome } from '../../packages/agent/src/core/container.ts';
import type { Asked, Effect, Timer } from '../../packages/agent/src/core/effects.ts';
import type { AgentEvent, Told } from '../../packages/agent/src/core/events.ts';
import {
  EMPTY_JOURNAL,
  type Journal,
  newService,
  type Phase,
  type Self,
  type ServiceState,
} from '../../packages/agent/src/core/state.ts';
import { step } from '../../packages/agent/src/core/step.ts';

export const SELF: Self = { region: 'eu', node: 'n1', service: 'web' };
export const V1 = `sha256:${'1'.repeat(64)}`;
export const V2 = `sha256:${'2'.repeat(64)}`;
export const V3 = `sha256:${'3'.repeat(64)}`;
export const HEALTH = { ...DEFAULT_POLICY.health, minHealthyTimeMs: 0, healthyDeadlineMs: 60_000 };
export const LEASE_MS = 120_000;
/** When the coordinator in these stories was elected. */
export const TERM = 4;

export function image(digest: string): PinnedImage {
  return { repository: 'registry.example/web', digest };
}

/** Rollout 7 brings V2, and everybody's turn has come. */
export function newWave(
  change: Partial<Wave> & { readonly rollout?: number; readonly digest?: string } = {},
): Wave {
  const { rollout = 7, digest = V2, ...rest } = change;
  return {
    region: SELF.region,
    service: SELF.service,
    release: { rollout, service: SELF.service, image: image(digest), version: `v${rollout}` },
    phase: 'open',
    stage: { number: 1, of: 1, percent: 100 },
    seed: 'seed',
    stageBelow: 1,
    cursor: 1,
    slots: 1,
    slotLeaseMs: LEASE_MS,
    stagingSpreadMs: 30_000,
    health: HEALTH,
    drain: DEFAULT_POLICY.drain,
    rejoin: DEFAULT_POLICY.rejoin,
    ...rest,
  };
}

export function newHalt(rollout = 7, digest = V2): Halt {
  return { service: SELF.service, rollout, digest, version: `v${rollout}`, reason: 'it is bad' };
}

export const HEALTHY: ProbeOutcome = { healthy: true, seen: 'HTTP 200' };
export const SICK: ProbeOutcome = { healthy: false, seen: 'HTTP 500' };

/** What the engine shows before anything was done. */
export const ON_V1: Observation = { state: 'running', digests: [V1], lastGood: { digest: V1 } };
export const ON_V2: Observation = { state: 'running', digests: [V2], lastGood: { digest: V1 } };

const NO_WORD = { read: { ok: true, value: [] }, wallMs: Date.parse('2026-11-20T12:00:00Z') } as const;

export class AgentStory {
  state: ServiceState;
  nowMs = 1_000_000;
  /** What the last event made it order. */
  effects: readonly Effect[] = [];
  /** What the operator says on the node, and the wall's clock, at every look at the orders. */
  word: Extract<AgentEvent, { kind: 'orders-read' }>['word'] = NO_WORD;

  constructor(journal: Journal = EMPTY_JOURNAL) {
    this.state = deepFreeze(newService(SELF, journal));
  }

  /** Tells it one thing after the other, at the same moment; what the last one made it order. */
  tell(...events: readonly AgentEvent[]): readonly Effect[] {
    for (const event of events) {
      const next = step(this.state, deepFreeze(event), this.nowMs);
      this.state = deepFreeze(next.state);
      this.effects = deepFreeze(next.effects);
    }
    return this.effects;
  }

  after(ms: number): this {
    this.nowMs += ms;
    return this;
  }

  /** The engine answers. */
  look(observation: Observation = ON_V1): readonly Effect[] {
    return this.tell({ kind: 'observed', era: this.state.era, observation });
  }

  /** The leader answers what was asked last (or `asked`). */
  read(wave: Told<Wave>, halt: Told<Halt> = { revision: 0 }, asked: Asked = this.#asked): readonly Effect[] {
    return this.tell({ kind: 'orders-read', asked, wave, halt, word: this.word });
  }

  pulse(wave: number, halt = 0, term = TERM): readonly Effect[] {
    return this.tell({ kind: 'pulse-heard', term, wave, halt });
  }

  probe(outcome: ProbeOutcome): readonly Effect[] {
    return this.tell({ kind: 'probed', attempt: this.state.journal.attempt?.id ?? '', outcome });
  }

  /** The engine has committed the swap; what it was meant to bring runs. */
  commit(): readonly Effect[] {
    const { kind, digest = V2 } = this.state.journal.attempt ?? {};
    return this.tell({ kind: 'swap-committed', digests: [kind === 'return' ? V1 : digest] });
  }

  fire(timer: Timer): readonly Effect[] {
    return this.tell({ kind: 'timer-fired', timer });
  }

  /** Every slot as it stands: all free, but for those named. */
  readSlots(...entries: readonly (readonly [number, SlotEntry])[]): this {
    this.tell({ kind: 'slots-read', entries: new Map(entries) });
    return this;
  }

  /** On V1, connected, with a wave at revision 10 that a coordinator stands behind. */
  listen(wave: Wave = newWave(), observation: Observation = ON_V1): this {
    this.look(observation);
    this.tell({ kind: 'connected' });
    this.read({ revision: 10, order: wave });
    this.pulse(10);
    return this;
  }

  /** Takes the straight way of an update to the phase. */
  reach(phase: Phase['name'], wave: Wave = newWave()): this {
    const steps: readonly [Phase['name'], () => unknown][] = [
      ['staging', () => this.listen(wave)],
      ['queued', () => this.tell({ kind: 'image-staged', digest: V2 })],
      ['claiming', () => this.readSlots().fire('claim')],
      ['checking', () => this.tell({ kind: 'slot-claimed', slot: 0, revision: 100 })],
      ['preparing', () => this.read({ revision: 10, order: wave })],
      ['swapping', () => this.tell({ kind: 'swap-prepared' })],
      ['probing', () => this.tell({ kind: 'swapped' })],
      ['settling', () => this.probe(HEALTHY)],
    ];
    for (const [name, take] of steps) {
      take();
      if (this.phase !== name) throw new Error(`the way to ${name} led to ${this.phase}`);
      if (name === phase) return this;
    }
    throw new Error(`no straight way leads to ${phase}`);
  }

  /** From wherever it stands on an image to another attempt being prepared: its claim, and the look at the orders. */
  begin(wave: Told<Wave>, halt?: Told<Halt>): this {
    this.readSlots().fire('claim');
    const claim = this.effects.find((effect) => effect.kind === 'claim-slot');
    if (claim === undefined) throw new Error(`it claims no slot, but is ${this.phase}`);
    this.tell({ kind: 'slot-claimed', slot: claim.slot, revision: claim.expect + 100 });
    this.read(wave, halt);
    if (this.phase !== 'preparing') throw new Error(`it begins nothing, but is ${this.phase}`);
    return this;
  }

  /** The agent dies, and another one finds its journal. */
  dies(): AgentStory {
    const next = new AgentStory(this.state.journal);
    next.nowMs = this.nowMs;
    return next;
  }

  get #asked(): Asked {
    const asking = this.effects.find((effect) => effect.kind === 'read-orders');
    return asking?.asked ?? this.state.journal.highest;
  }

  get phase(): Phase['name'] {
    return this.state.phase.name;
  }

  /** What it has said, and what the bus has not stored yet. */
  get said(): readonly NodeReport[] {
    return this.state.journal.outbox;
  }
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
