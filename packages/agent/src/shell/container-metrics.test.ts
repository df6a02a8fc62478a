import type { Digest } from '@swell/shared/domain/image.ts';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { newWave } from '../../../../test/support/agent-story.ts';
import type { Measured } from '../adapters/meter.ts';
import { EMPTY_JOURNAL, newService, type ServiceState } from '../core/state.ts';
import { ContainerMetrics } from './container-metrics.ts';

const SELF = { region: 'eu-west', node: 'n1', service: 'web' };
const OLD: Digest = `sha256:${'a'.repeat(64)}`;
const NEW: Digest = `sha256:${'b'.repeat(64)}`;

/** A service that has heard of a release. */
function hearing(digest: Digest, version: string): ServiceState {
  const order = newWave();
  const release = { ...order.release, version, image: { ...order.release.image, digest } };
  return { ...newService(SELF, EMPTY_JOURNAL), wave: { order: { ...order, release }, revision: 1 } };
}

function running(digest: Digest | undefined, change: Partial<Measured> = {}): Measured {
  const digests = digest === undefined ? [] : [digest];
  return { container: 'web', digests, isHealthy: true, restarts: 0, ...change };
}

class Shown {
  readonly #registry = new Registry();
  readonly #metrics = new ContainerMetrics([this.#registry], 'eu-west');

  /** The lines of the page, without its explanations. */
  async of(state: ServiceState, ...measured: readonly Measured[]): Promise<readonly string[]> {
    this.#metrics.show(new Map([['web', measured]]), [state]);
    const page = await this.#registry.metrics();
    return page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  }

  async versions(state: ServiceState, ...measured: readonly Measured[]): Promise<readonly string[]> {
    const lines = await this.of(state, ...measured);
    return lines.flatMap((line) => /^swell_container_info.*version="(.*?)"/.exec(line)?.[1] ?? []);
  }
}

test('N14: each container has its series, by service, region and version', async () => {
  const usage = { cpuSeconds: 12.5, memoryBytes: 1_048_576 };
  const measured = running(NEW, { isHealthy: false, restarts: 3, usage });
  const labels = 'service="web",region="eu-west",version="2.0",container="web"';
  expect(await new Shown().of(hearing(NEW, '2.0'), measured)).toEqual([
    `swell_container_info{${labels},digest="${NEW}"} 1`,
    `swell_container_healthy{${labels}} 0`,
    `swell_container_restarts_total{${labels}} 3`,
    `swell_container_cpu_seconds_total{${labels}} 12.5`,
    `swell_container_memory_working_set_bytes{${labels}} 1048576`,
  ]);
});

test('N14: one that is gone is shown no more, and nothing of one that nobody counts', async () => {
  const shown = new Shown();
  await shown.of(hearing(NEW, '2.0'), running(NEW, { usage: { cpuSeconds: 1, memoryBytes: 1 } }));
  const lines = await shown.of(hearing(NEW, '2.0'), running(NEW, { container: 'web-2' }));
  expect(lines.map((line) => /^swell_container_(\w+).*container="(.*?)"/.exec(line)?.slice(1))).toEqual([
    ['info', 'web-2'],
    ['healthy', 'web-2'],
    ['restarts_total', 'web-2'],
  ]);
});

test('N10: what is not on the release never has its version', async () => {
  const shown = new Shown();
  expect(await shown.versions(hearing(NEW, '2.0'), running(OLD), running(undefined))).toEqual([
    'aaaaaaaaaaaa',
    'unknown',
  ]);
  // Known by its own version once that was heard of; also where the next one bears the same.
  await shown.of(hearing(OLD, 'latest'));
  expect(await shown.versions(hearing(NEW, '2.0'), running(OLD))).toEqual(['latest']);
  expect(await shown.versions(hearing(NEW, 'latest'), running(OLD), running(NEW))).toEqual([
    'aaaaaaaaaaaa',
    'latest',
  ]);
});
