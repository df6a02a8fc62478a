/** What a coordinator shows to Prometheus. Labels come from small sets: services, regions, standings; never nodes. */

import { createEventCounter, createMetricsRegistry } from '@swell/shared/adapters/metrics.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { Scope } from '@swell/shared/domain/scope.ts';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { CoordinatorEvent } from '../core/events.ts';
import { lineOf } from '../core/nodes/line.ts';
import type { ServiceState } from '../core/state.ts';
import type { ServiceMachine } from './services.ts';

const PHASES = ['staging', 'rolling', 'soaking', 'gated', 'settled', 'halting', 'rested', 'aborted'] as const;

export class CoordinatorMetrics {
  readonly registry: Registry;
  readonly #events: Counter<'service' | 'event'>;
  readonly #rejected: Counter;
  readonly #leader: Gauge;
  #machines: () => ReadonlyMap<ServiceName, ServiceMachine> = () => new Map();
  #nowMs: () => number = () => 0;

  /** @param scope bears its label on everything; the global one's metrics bear none */
  constructor(version: string, scope?: Scope) {
    this.registry = createMetricsRegistry({ version, component: 'coordinator' });
    if (scope !== undefined) this.registry.setDefaultLabels({ scope });
    const registers = [this.registry];
    this.#events = createEventCounter(this.registry);
    this.#rejected = new Counter({
      name: 'swell_messages_rejected_total',
      help: 'Messages that did not parse.',
      registers,
    });
    this.#leader = new Gauge({ name: 'swell_leader', help: '1 while this coordinator leads.', registers });
    this.#addStateGauges(registers);
  }

  handled(service: ServiceName, event: CoordinatorEvent): void {
    this.#events.inc({ service, event: event.kind });
  }

  rejected(): void {
    this.#rejected.inc();
  }

  leads(leading: boolean): void {
    this.#leader.set(leading ? 1 : 0);
    if (!leading) this.#machines = () => new Map();
  }

  /** Gauges are counted when they are asked for. */
  watch(machines: () => ReadonlyMap<ServiceName, ServiceMachine>, nowMs: () => number): void {
    this.#machines = machines;
    this.#nowMs = nowMs;
  }

  #addStateGauges(registers: Registry[]): void {
    const states = (): readonly ServiceState[] => [...this.#machines().values()].map(({ state }) => state);
    const nowMs = (): number => this.#nowMs();
    gauge(
      registers,
      'swell_rollout_phase',
      'The phase of the present rollout: 1 for the one that it is in.',
      ['service', 'phase'],
      (set) => {
        for (const { service, record } of states()) {
          const is = record.rollout?.phase.name;
          for (const phase of PHASES) set({ service, phase }, phase === is ? 1 : 0);
        }
      },
    );
    gauge(registers, 'swell_rollout_paused', '1 while the present rollout is paused.', ['service'], (set) => {
      for (const { service, record } of states())
        set({ service }, record.rollout?.paused === undefined ? 0 : 1);
    });
    gauge(
      registers,
      'swell_rollout_cursor_ratio',
      'How far along the line nodes are admitted.',
      ['service', 'region'],
      (set) => {
        for (const { service, record } of states()) {
          for (const [region, { cursor }] of Object.entries(record.rollout?.regions ?? {}))
            set({ service, region }, cursor);
        }
      },
    );
    gauge(
      registers,
      'swell_slots',
      'Slots of a region: how many there are, and how many are held.',
      ['service', 'region', 'state'],
      (set) => {
        for (const { service, record, slots } of states()) {
          for (const [region, progress] of Object.entries(record.rollout?.regions ?? {})) {
            const held = [...(slots.get(region)?.values() ?? [])].filter(
              ({ entry }) => entry.holder !== undefined,
            ).length;
            set({ service, region, state: 'held' }, held);
            set({ service, region, state: 'all' }, progress.slots);
          }
        }
      },
    );
    gauge(
      registers,
      'swell_nodes',
      'Present nodes by where they stand in the present rollout.',
      ['service', 'region', 'standing'],
      (set) => {
        for (const state of states())
          for (const count of standings(state, nowMs())) set(count.labels, count.nodes);
      },
    );
  }
}

function gauge(
  registers: Registry[],
  name: string,
  help: string,
  labelNames: string[],
  collect: (set: (labels: Record<string, string>, value: number) => void) => void,
): void {
  const made: Gauge = new Gauge({
    name,
    help,
    labelNames,
    registers,
    collect() {
      made.reset();
      collect((labels, value) => made.set(labels, value));
    },
  });
}

function standings(
  { service, census, record: { rollout } }: ServiceState,
  nowMs: number,
): readonly { labels: Record<string, string>; nodes: number }[] {
  if (rollout === undefined) return [];
  return [...census.keys()].flatMap((region) => {
    const counts = Map.groupBy(lineOf(census, rollout, region, nowMs).standings, (is) => is);
    return [...counts].map(([is, { length }]) => ({
      labels: { service, region, standing: is },
      nodes: length,
    }));
  });
}
