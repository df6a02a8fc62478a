/** What an agent shows to Prometheus of the containers of its services: one series for each container. */

import type { Digest } from '@swell/shared/domain/image.ts';
import { shortDigest } from '@swell/shared/domain/image.ts';
import type { Region, ServiceName } from '@swell/shared/domain/names.ts';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Measured } from '../adapters/meter.ts';
import type { ServiceState } from '../core/state.ts';
import type { Measurements } from './measurements.ts';

const LABELS = ['service', 'region', 'version', 'container'] as const;
/** As many as anybody goes back to. */
const VERSIONS_KEPT = 8;

type Release = { readonly digest: Digest; readonly version: string };

export class ContainerMetrics {
  readonly #region: Region;
  readonly #info: Gauge;
  readonly #healthy: Gauge;
  readonly #restarts: Counter;
  readonly #cpu: Counter;
  readonly #memory: Gauge;
  /** Releases that were heard of since the start, the newest last. */
  readonly #releases = new Map<ServiceName, readonly Release[]>();

  constructor(registers: Registry[], region: Region) {
    this.#region = region;
    this.#info = new Gauge({
      name: 'swell_container_info',
      help: 'Always 1; which image a container of a service runs.',
      labelNames: [...LABELS, 'digest'],
      registers,
    });
    this.#healthy = new Gauge({
      name: 'swell_container_healthy',
      help: '1 while the container runs and its health check, where it has one, passes.',
      labelNames: LABELS,
      registers,
    });
    this.#restarts = new Counter({
      name: 'swell_container_restarts_total',
      help: 'How often Docker has started the container again.',
      labelNames: LABELS,
      registers,
    });
    this.#cpu = new Counter({
      name: 'swell_container_cpu_seconds_total',
      help: 'CPU time that the container has taken.',
      labelNames: LABELS,
      registers,
    });
    this.#memory = new Gauge({
      name: 'swell_container_memory_working_set_bytes',
      help: 'Memory of the container without files that merely lie about, as docker stats shows it.',
      labelNames: LABELS,
      registers,
    });
  }

  /** Takes the place of all that was shown before: a container that is gone is shown no more. */
  show(measurements: Measurements, states: readonly ServiceState[]): void {
    for (const metric of [this.#info, this.#healthy, this.#restarts, this.#cpu, this.#memory]) metric.reset();
    for (const state of states) {
      this.#remember(state);
      const { service } = state.self;
      for (const measured of measurements.get(service) ?? []) this.#showOne(service, state, measured);
    }
  }

  #showOne(service: ServiceName, state: ServiceState, measured: Measured): void {
    const { container, digests, isHealthy, restarts, usage } = measured;
    const { digest, version } = this.#releaseOf(state, digests);
    const labels = { service, region: this.#region, version, container };
    this.#info.set({ ...labels, digest }, 1);
    this.#healthy.set(labels, isHealthy ? 1 : 0);
    this.#restarts.inc(labels, restarts);
    if (usage === undefined) return;
    this.#cpu.inc(labels, usage.cpuSeconds);
    this.#memory.set(labels, usage.memoryBytes);
  }

  #remember({ self: { service }, wave }: ServiceState): void {
    if (wave === undefined) return;
    const { image, version } = wave.order.release;
    const others = (this.#releases.get(service) ?? []).filter(({ digest }) => digest !== image.digest);
    this.#releases.set(service, [...others, { digest: image.digest, version }].slice(-VERSIONS_KEPT));
  }

  /** What nobody has released since the start has no version but its digest; neither has one whose version is given anew. */
  #releaseOf({ self, wave }: ServiceState, digests: readonly Digest[]): { digest: string; version: string } {
    const present = wave?.order.release;
    const known = this.#releases.get(self.service)?.findLast(({ digest }) => digests.includes(digest));
    const digest = known?.digest ?? digests[0];
    if (digest === undefined) return { digest: '', version: 'unknown' };
    const isTaken = known?.version === present?.version && digest !== present?.image.digest;
    return { digest, version: known === undefined || isTaken ? shortDigest(digest) : known.version };
  }
}
