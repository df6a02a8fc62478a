/** The fleet's log while it grows: waited on by tests, drawn by the demo, judged by the checker. */

import type { Bus, Follower } from '@swell/shared/adapters/bus.ts';
import type { EventName, FleetEvent } from '@swell/shared/domain/event.ts';
import type { LogEntry } from '@swell/shared/domain/log.ts';
import type { NodeReport, NodeStatus } from '@swell/shared/domain/report.ts';
import type { Violation } from '@swell/shared/domain/rules/rule.ts';
import { checkLog, type LogEnd } from '@swell/shared/domain/rules.ts';
import { readLogEntry } from '@swell/shared/protocol/log.ts';
import { STREAMS } from '@swell/shared/protocol/subjects.ts';

export class FleetLog {
  readonly entries: LogEntry[] = [];
  readonly #bus: Bus;
  readonly #watchers = new Set<() => void>();
  /** How far the log has been read: of the log itself, and of each stream that it copies from. */
  readonly #read = new Map<string, number>();
  #follower: Follower | undefined;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** Reads the log from its beginning, and goes on reading in the background until the bus is disposed. */
  async follow(onEntry: (entry: LogEntry) => void = () => {}): Promise<void> {
    this.#follower = this.#bus.follow({ stream: 'SWELL_LOG', subjects: ['swell.>'], from: 1 });
    const follower = this.#follower;
    void (async () => {
      for await (const message of follower) {
        this.#note(STREAMS.log, message.sequence);
        this.#note(originOf(message.subject), message.sourceSequence ?? 0);
        const entry = readLogEntry(message);
        if (entry !== undefined) {
          this.entries.push(entry);
          onEntry(entry);
        }
        for (const wake of this.#watchers) wake();
        this.#watchers.clear();
      }
    })();
  }

  /** Resolves once everything up to these sequences (by stream; the log itself or what it copies from) has been read. */
  async untilRead(sequences: ReadonlyMap<string, number>): Promise<void> {
    const isRead = (): boolean =>
      [...sequences].every(([stream, sequence]) => (this.#read.get(stream) ?? 0) >= sequence);
    while (!isRead()) await new Promise<void>((resolve) => this.#watchers.add(resolve));
  }

  /** Resolves with the first entry, there already or still to come, for which `pick` gives something. */
  async until<Found>(pick: (entry: LogEntry) => Found | undefined): Promise<Found> {
    for (let next = 0; ; ) {
      for (; next < this.entries.length; next += 1) {
        const entry = this.entries[next];
        const found = entry === undefined ? undefined : pick(entry);
        if (found !== undefined) return found;
      }
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  untilEvent(name: EventName, rollout: number): Promise<FleetEvent> {
    return this.until((entry) =>
      entry.kind === 'event' && entry.event.name === name && entry.event.rollout === rollout
        ? entry.event
        : undefined,
    );
  }

  untilReport(node: string, status: NodeStatus, rollout: number): Promise<NodeReport> {
    return this.until((entry) => {
      if (entry.kind !== 'report') return undefined;
      const { report } = entry;
      return report.node === node && report.status === status && report.rollout === rollout
        ? report
        : undefined;
    });
  }

  reports(rollout: number): readonly NodeReport[] {
    return this.entries.flatMap((entry) =>
      entry.kind === 'report' && entry.report.rollout === rollout ? [entry.report] : [],
    );
  }

  events(): readonly FleetEvent[] {
    return this.entries.flatMap((entry) => (entry.kind === 'event' ? [entry.event] : []));
  }

  /** What the checker finds in all that has been read so far. */
  violations(end: LogEnd = {}): readonly Violation[] {
    return checkLog(this.entries, end);
  }

  #note(stream: string, sequence: number): void {
    this.#read.set(stream, Math.max(this.#read.get(stream) ?? 0, sequence));
  }
}

/** The stream that a message of the log was published to. */
function originOf(subject: string): string {
  const origins: Readonly<Record<string, string>> = {
    release: STREAMS.releases,
    control: STREAMS.controls,
    health: STREAMS.health,
    policy: STREAMS.policies,
    rollout: STREAMS.rollouts,
    wave: STREAMS.orders,
    halt: STREAMS.orders,
    slot: STREAMS.slots,
  };
  return origins[subject.split('.')[1] ?? ''] ?? STREAMS.log;
}
