/** What all runs share: the bus with the fleet's log, a registry, and a directory for what programs leave behind. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureTopology } from '@swell/shared/adapters/ensure-topology.ts';
import { connectNats, type NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import { STREAMS } from '@swell/shared/protocol/subjects.ts';
import { FleetLog } from '../fleet/fleet-log.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { startNatsProcess } from '../support/nats-process.ts';

export class Ground implements AsyncDisposable {
  readonly directory: string;
  /** The bus's address. */
  readonly url: string;
  readonly bus: NatsBus;
  readonly registry: DockerRegistry;
  readonly log: FleetLog;
  /** Somebody wants an end: nobody waits for anything from then on. */
  readonly stop: AbortSignal;
  /** Something went wrong: what the programs said stays. */
  keepsLogs = false;
  readonly #parts: AsyncDisposableStack;
  #runs = 0;

  private constructor(
    parts: AsyncDisposableStack,
    given: Pick<Ground, 'directory' | 'url' | 'bus' | 'registry' | 'log' | 'stop'>,
  ) {
    this.#parts = parts;
    this.directory = given.directory;
    this.url = given.url;
    this.bus = given.bus;
    this.registry = given.registry;
    this.log = given.log;
    this.stop = given.stop;
  }

  static async open(stop: AbortSignal): Promise<Ground> {
    await using parts = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), 'swell-crash-'));
    const server = parts.use(await startNatsProcess());
    const registry = parts.use(await startDockerRegistry());
    const bus = parts.use(await connectNats({ servers: [server.url], name: 'crash test' }));
    await ensureTopology(bus);
    const log = new FleetLog(bus);
    await log.follow();
    return new Ground(parts.move(), { directory, url: server.url, bus, registry, log, stop });
  }

  /** A number that no other run has. */
  nextRun(): number {
    this.#runs += 1;
    return this.#runs;
  }

  /** What agents have stored by now has come into the log. */
  async readToEnd(): Promise<void> {
    const sequences = new Map<string, number>();
    for (const stream of [STREAMS.health, STREAMS.slots, STREAMS.orders]) {
      sequences.set(stream, (await this.bus.manager.streams.info(stream)).state.last_seq);
    }
    await this.log.untilRead(sequences);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
    if (!this.keepsLogs) await rm(this.directory, { recursive: true, force: true });
  }
}
