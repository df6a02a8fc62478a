import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

export interface BuildInfo {
  readonly version: string;
  readonly component: 'coordinator' | 'agent';
}

/**
 * A registry of its own for one program (never the library's global one, which two programs in one test would share),
 * with the process's metrics and what was built.
 */
export function createMetricsRegistry(build: BuildInfo): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  addBuildInfo(registry, build);
  return registry;
}

/** `swell_build_info{version,component} 1`: to join other metrics with the version that wrote them. */
export function addBuildInfo(registry: Registry, build: BuildInfo): void {
  new Gauge({
    name: 'swell_build_info',
    help: 'Always 1; which version of which program this is.',
    labelNames: ['version', 'component'],
    registers: [registry],
  }).set({ version: build.version, component: build.component }, 1);
}

/** `swell_events_handled_total{service,event}`: the same for both programs, whose cores both live by events. */
export function createEventCounter(registry: Registry): Counter<'service' | 'event'> {
  return new Counter({
    name: 'swell_events_handled_total',
    help: 'Events that the core has handled.',
    labelNames: ['service', 'event'],
    registers: [registry],
  });
}
