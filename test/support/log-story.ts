/**
 * A log as a fleet in good order would write it, told step by step: one region, one service. A test tells a story, and
 * lets one thing in it go wrong.
 */

import type { EventName, FleetEvent } from '@swell/shared/domain/event.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { LogEntry, LogRecord } from '@swell/shared/domain/log.ts';
import type { NodeId } from '@swell/shared/domain/names.ts';
import { DEFAULT_POLICY } from '@swell/shared/domain/policy.ts';
import { LAST } from '@swell/shared/domain/rank.ts';
import type { NodeReport, NodeStatus } from '@swell/shared/domain/report.ts';
import type { SlotHolder } from '@swell/shared/domain/slot.ts';
import type { Halt, Wave } from '@swell/shared/domain/wave.ts';

export const REGION = 'eu';
export const SERVICE = 'web';
export const LEASE_MS = 120_000;
const STEP_MS = 1_000;

export function digestOf(rollout: number): Digest {
  return `sha256:${String(rollout).padStart(64, '0')}`;
}

/** A place in a slot, as its holder knows it. */
export interface Turn {
  readonly node: NodeId;
  readonly rollout: number;
  readonly attempt: string;
  readonly slot: number;
  readonly fence: number;
}

export class LogStory {
  readonly entries: LogEntry[] = [];
  nowMs = 1_000_000;
  #orders = 0;
  #slots = 0;
  #attempts = 0;

  /** The newest wave, which nodes go by where a story does not say otherwise. */
  wave: { readonly revision: number; readonly wave: Wave } | undefined;

  pass(ms: number): this {
    this.nowMs += ms;
    return this;
  }

  write(record: LogRecord): LogEntry {
    const entry: LogEntry = { sequence: this.entries.length + 1, atMs: this.nowMs, ...record };
    this.entries.push(entry);
    this.pass(STEP_MS);
    return entry;
  }

  order(rollout: number, order: Partial<Wave> = {}): number {
    const wave: Wave = {
      region: REGION,
      service: SERVICE,
      release: {
        rollout,
        service: SERVICE,
        image: { repository: 'registry.example/web', digest: digestOf(rollout) },
        version: `v${rollout}`,
      },
      phase: 'open',
      stage: { number: 1, of: 1, percent: 100 },
      seed: `seed-${rollout}`,
      stageBelow: LAST,
      cursor: LAST,
      slots: 2,
      slotLeaseMs: LEASE_MS,
      stagingSpreadMs: 0,
      health: DEFAULT_POLICY.health,
      drain: DEFAULT_POLICY.drain,
      rejoin: DEFAULT_POLICY.rejoin,
      ...order,
    };
    this.#orders += 1;
    this.wave = { revision: this.#orders, wave };
    this.write({ kind: 'wave', ...this.wave });
    return this.#orders;
  }

  halt(rollout: number, change: Partial<Halt> = {}): number {
    this.#orders += 1;
    this.write({
      kind: 'halt',
      service: SERVICE,
      revision: this.#orders,
      halt: {
        service: SERVICE,
        rollout,
        digest: digestOf(rollout),
        version: `v${rollout}`,
        reason: 'too many failures',
        ...change,
      },
    });
    return this.#orders;
  }

  liftHalt(): void {
    this.#orders += 1;
    this.write({ kind: 'halt', service: SERVICE, revision: this.#orders });
  }

  tell(name: EventName, facts: Partial<FleetEvent> = {}): void {
    const id = `${SERVICE}.${this.entries.length}`;
    this.write({ kind: 'event', event: { id, name, service: SERVICE, line: name, ...facts } });
  }

  claim(node: NodeId, slot: number, rollout = this.wave?.wave.release.rollout ?? 0): Turn {
    this.#attempts += 1;
    const attempt = `a${this.#attempts}`;
    const turn = { node, rollout, attempt, slot };
    return { ...turn, fence: this.writeSlot(slot, holderOf(turn)) };
  }

  renew(turn: Turn): number {
    return this.writeSlot(turn.slot, holderOf(turn));
  }

  free({ slot }: Pick<Turn, 'slot'>): number {
    return this.writeSlot(slot, undefined);
  }

  writeSlot(slot: number, holder: SlotHolder | undefined): number {
    this.#slots += 1;
    const revision = this.#slots;
    this.write({
      kind: 'slot',
      region: REGION,
      service: SERVICE,
      slot,
      revision,
      ...(holder !== undefined && { holder }),
    });
    return revision;
  }

  /** Goes out of rotation by its turn and the newest wave. */
  start(turn: Turn, change: Partial<NodeReport> = {}, status: 'updating' | 'returning' = 'updating'): void {
    const { slot, fence } = turn;
    const waveRevision = this.wave?.revision ?? 0;
    this.report(turn, status, { warrant: { waveRevision, slot, fence, pulseAgeMs: 4_000 }, ...change });
  }

  report(turn: Omit<Turn, 'slot' | 'fence'>, status: NodeStatus, change: Partial<NodeReport> = {}): void {
    const { node, rollout, attempt } = turn;
    const id = `${rollout}.${attempt}.${status}`;
    const report: NodeReport = {
      id,
      region: REGION,
      service: SERVICE,
      node,
      rollout,
      status,
      attempt,
      ...change,
    };
    this.write({ kind: 'report', report });
  }

  /** A node's whole turn, in good order. */
  update(node: NodeId, slot: number, result: 'healthy' | 'failed' = 'healthy', before = 7): void {
    const turn = this.claim(node, slot);
    this.start(turn);
    this.report(turn, result, { running: digestOf(result === 'healthy' ? turn.rollout : before) });
    this.free(turn);
  }

  /** A node's whole way back from the rollout that the newest wave halts. */
  goBack(node: NodeId, slot: number, before = 7): void {
    const turn = this.claim(node, slot);
    this.start(turn, {}, 'returning');
    this.report(turn, 'returned', { running: digestOf(before) });
    this.free(turn);
  }
}

function holderOf({ node, rollout, attempt }: Omit<Turn, 'slot' | 'fence'>): SlotHolder {
  return { node, rollout, attempt, leaseMs: LEASE_MS };
}
