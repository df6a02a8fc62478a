/** A Prometheus that knows of every node what it runs, and may know nothing, say nonsense, or not answer. */

import type { Prometheus, QueryAnswer } from '@swell/coordinator/adapters/prometheus.ts';
import type { Digest } from '@swell/shared/domain/image.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { NodeModel } from './node-model.ts';
import type { Process } from './process.ts';
import type { VirtualTime } from './time.ts';

/** Whose numbers are meant where a query does not say. */
const SERVICE = 'web';
const LATENCY_MS = 50;
/** What its client waits. */
const TIMEOUT_MS = 10_000;

/** It scrapes nobody; it says NaN; it does not answer in time. */
export type PrometheusFault = 'no-data' | 'nonsense' | 'slow';

interface Known {
  readonly time: VirtualTime;
  readonly nodes: () => readonly NodeModel[];
  readonly versions: ReadonlyMap<string, Digest>;
  readonly running: (node: NodeModel, service: ServiceName) => Digest | undefined;
}

export class PrometheusModel {
  readonly #known: Known;
  fault: PrometheusFault | undefined;
  /** What nodes tell together, whatever is asked of them. */
  measure: (nodes: readonly NodeModel[]) => number = () => 0;
  /** When it has last answered a number. */
  answeredAtMs = Number.NEGATIVE_INFINITY;
  /** All that it was asked, by whom. */
  readonly queries: { readonly query: string; readonly by: string; readonly atMs: number }[] = [];

  constructor(known: Known) {
    this.#known = known;
  }

  seenBy(process: Process): Prometheus {
    return {
      query: (query, signal) =>
        process.effect('query', async () => {
          const { time } = this.#known;
          this.queries.push({ query, by: process.name, atMs: time.nowMs });
          const isSlow = this.fault === 'slow';
          await process.host.sleep(isSlow ? TIMEOUT_MS : LATENCY_MS, signal);
          return isSlow ? { is: 'none', why: `no answer in ${TIMEOUT_MS} ms` } : this.#answer(query);
        }),
    };
  }

  #answer(query: string): QueryAnswer {
    if (this.fault === 'no-data') return { is: 'none', why: 'no data' };
    if (this.fault === 'nonsense') return { is: 'value', value: Number.NaN };
    const nodes = this.#chosen(query);
    if (nodes.length > 0) this.answeredAtMs = this.#known.time.nowMs;
    return nodes.length === 0 ? { is: 'none', why: 'no data' } : { is: 'value', value: this.measure(nodes) };
  }

  /** By `version="…"` or `version!="…"`, `region="…"`, and `service="…"`, which only has to be said where there are several. */
  #chosen(query: string): readonly NodeModel[] {
    const { nodes, running, versions } = this.#known;
    const [, not, version = ''] = /version(!?)="(.*?)"/.exec(query) ?? [];
    const [, region] = /region="(.*?)"/.exec(query) ?? [];
    const [, service = SERVICE] = /service="(.*?)"/.exec(query) ?? [];
    return nodes().filter(
      (node) =>
        (region === undefined || node.region === region) &&
        node.hosts.has(service) &&
        (running(node, service) === versions.get(version)) === (not === ''),
    );
  }
}
