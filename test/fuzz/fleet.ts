/**
 * A small fleet of real programs over the simulation's bus, half-way through a rollout that waits for a person: a moment at
 * which nothing changes by itself, and much could be changed by a message.
 */

import { MemoryEngine, MemoryNode } from '@swell/agent/adapters/memory-engine.ts';
import { SILENT_OPERATOR } from '@swell/agent/adapters/operator.ts';
import type { Journal } from '@swell/agent/core/state.ts';
import { Agent } from '@swell/agent/shell/agent.ts';
import { serveTerms } from '@swell/coordinator/shell/terms.ts';
import { createLogger, type Logger } from '@swell/shared/adapters/logger.ts';
import type { FleetEvent } from '@swell/shared/domain/event.ts';
import type { Digest, ImageReference } from '@swell/shared/domain/image.ts';
import { decode, encode } from '@swell/shared/protocol/codec.ts';
import { readLogEntry } from '@swell/shared/protocol/log.ts';
import { waveSchema } from '@swell/shared/protocol/orders.ts';
import { RECORD_BYTES_MAX, serviceRecordSchema } from '@swell/shared/protocol/records.ts';
import {
  controlSubject,
  haltKey,
  releaseSubject,
  rolloutKey,
  STREAMS,
  slotKey,
  waveKey,
} from '@swell/shared/protocol/subjects.ts';
import type { StreamShape } from '../simulation/bus/definition.ts';
import { ModelServer } from '../simulation/bus-model.ts';
import { Chance } from '../simulation/chance.ts';
import { Process } from '../simulation/process.ts';
import { VirtualTime } from '../simulation/time.ts';

export const SERVICE = 'web';
export const REGION = 'eu';
export const NODES = ['n0', 'n1', 'n2', 'n3'] as const;
export const digestOf = (version: number): Digest => `sha256:${String(version).padStart(64, '0')}`;

const START_MS = 1_750_000_000_000;
const LATENCY_MS = 5;
const STEP_MS = 1_000;
const POLICY = {
  stages: [50, 100],
  approval: 'manual',
  maxUnavailable: 1,
  stagingQuorum: '100%',
  stagingSpread: '0s',
  soak: '0s',
  health: { interval: '1s', minHealthyTime: '2s', healthyDeadline: '30s' },
};

/** A line that a program logged. */
export interface Line {
  readonly level: string;
  readonly msg: string;
  readonly subject?: string;
  readonly problems?: readonly string[];
  readonly err?: { readonly message: string; readonly stack?: string };
}

export class FuzzedFleet {
  readonly time = new VirtualTime(START_MS);
  readonly server: ModelServer;
  readonly lines: Line[] = [];
  /** Programs that ended by an error of their own. */
  readonly crashes: string[] = [];
  readonly #chance: Chance;
  readonly #nodes = new Map<string, MemoryNode>();
  readonly #agents: Agent[] = [];
  readonly #logger: Logger;

  private constructor(shapes: readonly StreamShape[], seed: string) {
    this.#chance = new Chance(seed);
    this.server = new ModelServer(this.time, this.#chance.fork('bus'), shapes);
    const write = (line: string): void => void this.lines.push(JSON.parse(line) as Line);
    this.#logger = createLogger({ name: 'fuzzed', level: 'warn', destination: { write } });
  }

  /** Returns once the first half of the nodes runs version 2, and a person is asked for the rest. */
  static async halfWay(shapes: readonly StreamShape[], seed: string): Promise<FuzzedFleet> {
    const fleet = new FuzzedFleet(shapes, seed);
    fleet.#startCoordinator();
    for (const node of NODES) fleet.#startAgent(node);
    await fleet.pass(10_000);
    fleet.server.say(releaseSubject(SERVICE), encode({ image: 'r.example/web:v2', policy: POLICY }));
    await fleet.until('the first half to be done', () => fleet.has('approval-awaited'));
    await fleet.pass(5_000);
    return fleet;
  }

  pass(ms: number): Promise<boolean> {
    return this.time.run(this.time.nowMs + ms);
  }

  async until(what: string, isSo: () => boolean): Promise<void> {
    for (let steps = 0; steps < 300; steps += 1) {
      if (isSo()) return;
      await this.pass(STEP_MS);
    }
    throw new Error(`waited in vain for ${what}; ${this.troubles().join('; ')}`);
  }

  has(name: FleetEvent['name']): boolean {
    return this.events().some((event) => event.name === name);
  }

  /** All that was told, as it stands in the log. */
  events(): readonly FleetEvent[] {
    return [...this.server.log()]
      .map((message) => readLogEntry(message))
      .flatMap((entry) => (entry?.kind === 'event' ? [entry.event] : []));
  }

  /** What no message may bring about. */
  troubles(): readonly string[] {
    const errors = this.lines.filter(({ level }) => level === 'error' || level === 'fatal');
    return [...this.crashes, ...errors.map(({ msg, err }) => `${msg}: ${err?.stack ?? err?.message ?? ''}`)];
  }

  /** All that a message could change, without the counters that tell how many there were. */
  standing(): unknown {
    const record = this.#read(STREAMS.rollouts, rolloutKey(SERVICE));
    const saved = record && decode(record, serviceRecordSchema, RECORD_BYTES_MAX);
    const wave = this.#read(STREAMS.orders, waveKey(REGION, SERVICE));
    if (saved?.ok !== true || wave === undefined) throw new Error('the record or the wave cannot be read');
    const { rollout, settled, halted, candidate, policy } = saved.value;
    return {
      saved: { rollout, settled, halted, candidate, layer: policy?.layer },
      wave: decode(wave, waveSchema),
      halt: this.#read(STREAMS.orders, haltKey(SERVICE)),
      slot: this.#read(STREAMS.slots, slotKey(REGION, SERVICE, 0)),
      agents: this.#agents.map((agent) =>
        agent
          .states()
          .map(({ phase, journal: { attempt, tried, said } }) => ({ phase, attempt, tried, said })),
      ),
      containers: [...this.#nodes.values()].map((node) => [node.container(SERVICE), node.swaps.size]),
    };
  }

  /** A person takes away what stands under a key. */
  async clear(subject: string): Promise<void> {
    const process = new Process('person', this.time, this.#chance.fork('person'));
    const bus = this.server.connect(process, { latencyMs: LATENCY_MS });
    const cleared = bus.publish({ subject, body: new Uint8Array(), line: 'cleared', deletes: true });
    await this.pass(STEP_MS);
    await cleared;
  }

  /** The person says yes, and the rest is done as if nothing had been. */
  async settle(): Promise<void> {
    this.server.say(controlSubject(SERVICE), encode({ action: 'approve' }));
    await this.until('the rollout to settle', () => this.has('rollout-settled'));
    const running = [...this.#nodes.values()].map((node) => node.container(SERVICE)?.digest);
    if (running.some((digest) => digest !== digestOf(2))) throw new Error(`nodes run ${running.join(', ')}`);
  }

  #read(stream: string, subject: string): Uint8Array | undefined {
    const message = this.server.lastOf(stream, subject);
    return message === undefined || message.deleted ? undefined : message.body;
  }

  #startAgent(name: string): void {
    const process = new Process(`agent ${name}`, this.time, this.#chance.fork(name));
    const node = new MemoryNode({ [SERVICE]: { up: true, digest: digestOf(1) } });
    const saved = new Map<string, Journal>();
    const agent = new Agent({
      region: REGION,
      node: name,
      presenceEveryMs: 60_000,
      host: process.host,
      engine: new MemoryEngine(node),
      operator: SILENT_OPERATOR,
      journals: {
        load: async (service) => ({ journal: saved.get(service), problems: [] }),
        save: async (service, journal) => void saved.set(service, journal),
      },
      connectBus: async () => this.server.connect(process, { latencyMs: LATENCY_MS }),
      logger: this.#logger,
      onHandled: () => {},
    });
    this.#nodes.set(name, node);
    this.#agents.push(agent);
    agent.run(new AbortController().signal).catch((error: unknown) => this.#crashed(name, error));
  }

  #startCoordinator(): void {
    const find = ({ tag, digest }: ImageReference): string => digest ?? digestOf(tag === 'v2' ? 2 : 3);
    const process = new Process('coordinator', this.time, this.#chance.fork('coordinator'));
    serveTerms(
      {
        name: 'c1',
        bus: this.server.connect(process, { latencyMs: LATENCY_MS }),
        registry: {
          resolve: async (image) => find(image),
          look: async (image) => ({ digest: find(image) }),
        },
        host: process.host,
        logger: this.#logger,
        watcher: { watch: () => {}, handled: () => {}, rejected: () => {}, leads: () => {} },
        leaseMs: 10_000,
        pulseEveryMs: 10_000,
      },
      new AbortController().signal,
    ).catch((error: unknown) => this.#crashed('coordinator', error));
  }

  #crashed(name: string, error: unknown): void {
    this.crashes.push(`${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}
