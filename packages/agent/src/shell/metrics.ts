/** What an agent shows to Prometheus of its own services. */

import type { Clock } from '@swell/shared/adapters/clock.ts';
import { createEventCounter, createMetricsRegistry } from '@swell/shared/adapters/metrics.ts';
import { isResult } from '@swell/shared/domain/report.ts';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { AgentEvent } from '../core/events.ts';
import type { Self, ServiceState } from '../core/state.ts';

const PHASES = [
  'idle',
  'staging',
  'staged',
  'queued',
  'claiming',
  'checking',
  'preparing',
  'asking',
  'draining',
  'surging',
  'swapping',
  'probing',
  'confirming',
  'settling',
  'reverting',
  'rejoining',
] as const;

interface WatchedAgent {
  readonly isConnected: boolean;
  states(): readonly ServiceState[];
}

export class AgentMetrics {
  readonly registry: Registry;
  readonly #events: Counter<'service' | 'event'>;
  readonly #results: Counter;

  /** @param agent of whom the gauges tell, whenever they are asked for: of one that stands by, nothing */
  constructor(version: string, agent: () => WatchedAgent, clock: Clock) {
    this.registry = createMetricsRegistry({ version, component: 'agent' });
    const registers = [this.registry];
    this.#events = createEventCounter(this.registry);
    this.#results = new Counter({
      name: 'swell_results_total',
      help: 'Attempts by how they ended.',
      labelNames: ['service', 'result'],
      registers,
    });
    const connected: Gauge = new Gauge({
      name: 'swell_bus_connected',
      help: '1 while the bus is within reach.',
      registers,
      collect() {
        connected.set(agent().isConnected ? 1 : 0);
      },
    });
    const phase: Gauge = new Gauge({
      name: 'swell_service_phase',
      help: 'The phase of a service: 1 for the one that it is in.',
      labelNames: ['service', 'phase'],
      registers,
      collect() {
        phase.reset();
        for (const state of agent().states()) {
          for (const name of PHASES)
            phase.set({ service: state.self.service, phase: name }, state.phase.name === name ? 1 : 0);
        }
      },
    });
    const unsent: Gauge = new Gauge({
      name: 'swell_reports_unsent',
      help: 'Reports that the bus has not acknowledged yet.',
      labelNames: ['service'],
      registers,
      collect() {
        unsent.reset();
        for (const { self, journal } of agent().states())
          unsent.set({ service: self.service }, journal.outbox.length);
      },
    });
    const pulseAge: Gauge = new Gauge({
      name: 'swell_pulse_age_seconds',
      help: 'Since a coordinator last stood behind the wave of a service.',
      labelNames: ['service'],
      registers,
      collect() {
        pulseAge.reset();
        for (const { self, pulse } of agent().states()) {
          if (pulse !== undefined)
            pulseAge.set({ service: self.service }, (clock.monotonicMs() - pulse.atMs) / 1_000);
        }
      },
    });
  }

  handled({ service }: Self, event: AgentEvent, before: ServiceState, after: ServiceState): void {
    this.#events.inc({ service, event: event.kind });
    if (after.journal.reports === before.journal.reports) return;
    for (const { status, attempt } of after.journal.outbox.slice(
      before.journal.reports - after.journal.reports,
    )) {
      if (attempt !== undefined && isResult(status)) this.#results.inc({ service, result: status });
    }
  }
}
