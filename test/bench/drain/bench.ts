/**
 * What clients behind HAProxy notice of two rollouts, with drain and then without. Everything else is the same: the fleet,
 * HAProxy and its configuration (deploy/haproxy: `retries 3`, `option redispatch`), and the connections.
 */

import { loadavg } from 'node:os';
import { ensureDocker } from '../../../scripts/setup/docker.ts';
import { ensureTools } from '../../../scripts/setup/tools.ts';
import { Fleet, unlessAborted } from '../../fleet/fleet.ts';
import { givePolicy } from '../../fleet/scenario.ts';
import { untilAtRest, untilSo } from '../../fleet/watching.ts';
import { BY_AGENT_CHECK, balancedFleet, UNDRAINED } from '../../support/traffic/balanced-fleet.ts';
import { Haproxy } from '../../support/traffic/haproxy.ts';
import type { Failure } from '../../support/traffic/requests.ts';
import { RotationWatch } from '../../support/traffic/rotation-watch.ts';
import { LoadProcess } from './load-process.ts';
import type { DrainBenchOptions } from './options.ts';

export interface Noticed {
  readonly seconds: number;
  readonly requests: number;
  readonly failed: number;
  readonly failures: Readonly<Partial<Record<Failure, number>>>;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Servers out of rotation at once, as HAProxy saw it. */
  readonly mostOut: number;
}

export interface DrainBenchResult extends Noticed {
  readonly connections: number;
  /** Why they are not as many as were asked for. */
  readonly connectionsLimit?: string;
  readonly everyMs: number;
  /** The machine's load average before anything was started: where that is not small, the machine is measured too. */
  readonly loadBefore: number;
  readonly rollouts: number;
  /** Before anything is rolled. */
  readonly atRest: Noticed;
  readonly withoutDrain: Noticed;
  /** What the checker finds in the log of all of it. */
  readonly violations: number;
}

type Say = (line: string) => void;

/** The socket at which HAProxy is asked, and clients that come again. */
const SPARE_CONNECTIONS = 16;
const ROLLOUT_PATIENCE_MS = 600_000;

export async function benchDrain(options: DrainBenchOptions, say: Say): Promise<DrainBenchResult> {
  const [loadBefore = 0] = loadavg();
  const docker = await ensureDocker(say);
  if (!docker.available) throw new Error(docker.reason);
  await ensureTools(['nats-server', 'nats', 'docker-registry', 'busybox', 'haproxy'], say);
  say('Starting nats-server, a registry, a coordinator, three nodes and HAProxy …');
  const balanced = await balancedFleet();
  await using fleet = await Fleet.start(balanced.options);
  await using haproxy = await Haproxy.start('web', balanced.portsOf(fleet));
  const limits = await haproxy.limits();
  const possible = limits.connections - SPARE_CONNECTIONS;
  const connections = Math.min(options.connections, possible);
  const limit =
    connections < options.connections
      ? `HAProxy takes ${possible} with the ${limits.files} files that a process may open here`
      : undefined;
  say(`Opening ${connections} connections, each with a request every ${options.everyMs / 1_000} s …`);
  if (limit !== undefined) say(limit);
  await using load = await LoadProcess.open({ port: haproxy.port, connections, everyMs: options.everyMs });
  const bench = new Bench(fleet, haproxy, load, say);
  // Every connection has sent something before anything counts.
  await bench.notice('opened', () => bench.untilRequests(connections));
  const atRest = await bench.notice('at rest', () => bench.untilRequests(connections));
  await givePolicy(fleet, BY_AGENT_CHECK);
  const drained = await bench.notice('with drain', () => bench.roll(['v2', 'v3']));
  await givePolicy(fleet, UNDRAINED);
  const withoutDrain = await bench.notice('without drain', () => bench.roll(['v4', 'v5']));
  await untilAtRest(fleet);
  return {
    connections,
    ...(limit !== undefined && { connectionsLimit: limit }),
    everyMs: options.everyMs,
    loadBefore,
    rollouts: 2,
    ...drained,
    atRest,
    withoutDrain,
    violations: fleet.log.violations().length,
  };
}

class Bench {
  readonly #fleet: Fleet;
  readonly #haproxy: Haproxy;
  readonly #load: LoadProcess;
  readonly #say: Say;

  constructor(fleet: Fleet, haproxy: Haproxy, load: LoadProcess, say: Say) {
    this.#fleet = fleet;
    this.#haproxy = haproxy;
    this.#load = load;
    this.#say = say;
  }

  /** What clients notice while something is done. */
  async notice(what: string, act: () => Promise<void>): Promise<Noticed> {
    await using watch = new RotationWatch(this.#haproxy);
    // What has ended until now belongs to what was before.
    await this.#load.take();
    const beganMs = performance.now();
    await act();
    const { latencies, requests, failed, failures } = await this.#load.take();
    const noticed: Noticed = {
      seconds: Math.round((performance.now() - beganMs) / 100) / 10,
      requests,
      failed,
      failures,
      p50Ms: latencies.percentile(50),
      p99Ms: latencies.percentile(99),
      maxMs: latencies.percentile(100),
      mostOut: watch.mostOut,
    };
    this.#say(`${what}: ${JSON.stringify(noticed)}`);
    return noticed;
  }

  /** Brings the images to every node, one after the other, until HAProxy sends all nodes everything. */
  async roll(tags: readonly string[]): Promise<void> {
    const whole = JSON.stringify(await this.#haproxy.servers());
    for (const tag of tags) {
      await this.#fleet.publishImage(tag);
      const rollout = await this.#fleet.release({ image: `${this.#fleet.repository}:${tag}` });
      const settled = this.#fleet.log.untilEvent('rollout-settled', rollout);
      await unlessAborted(this.#fleet.whileAlive(settled), AbortSignal.timeout(ROLLOUT_PATIENCE_MS));
      await untilSo(
        this.#fleet,
        `HAProxy to see its servers as before: ${whole}`,
        async () => JSON.stringify(await this.#haproxy.servers()) === whole,
      );
    }
  }

  async untilRequests(count: number): Promise<void> {
    await untilSo(
      this.#fleet,
      `${count} requests to have ended`,
      async () => (await this.#load.count()) >= count,
    );
  }
}
