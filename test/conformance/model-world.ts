/** The model as a world for conformance cases: its time runs whenever a case waits for something. */

import type { StreamDefinition } from '@swell/shared/adapters/topology-drift.ts';
import { shapeOf } from '../simulation/bus/definition.ts';
import type { Backup, Copies } from '../simulation/bus/stream.ts';
import { ModelServer } from '../simulation/bus-model.ts';
import { Chance } from '../simulation/chance.ts';
import { Process } from '../simulation/process.ts';
import { VirtualTime } from '../simulation/time.ts';
import type { BusWorld } from './world.ts';

const STEP_MS = 50;

export function modelWorld(
  definitions: readonly StreamDefinition[],
  copies: Copies,
  seed: string,
): Promise<BusWorld> {
  const time = new VirtualTime(Date.now());
  const chance = new Chance(seed);
  const server = new ModelServer(time, chance, definitions.map(shapeOf), copies);
  const files = definitions.filter(({ storage }) => storage !== 'memory').map(({ name }) => name);
  let backups: readonly Backup[] = [];
  let clients = 0;
  const end = new AbortController();
  const turning = (async () => {
    while (!end.signal.aborted) await time.run(time.nowMs + STEP_MS, () => end.signal.aborted);
  })();
  const pass = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      time.after(ms, resolve);
    });
  /** As long as a real server takes, clients notice that it is gone. */
  const betweenLives = (change: () => void = () => {}): Promise<void> => {
    server.down();
    change();
    return pass(200).then(() => server.up());
  };
  return Promise.resolve({
    copies,
    pass,
    connect(patience = 'patient') {
      clients += 1;
      const process = new Process(`client-${clients}`, time, chance.fork(`client-${clients}`));
      const requestTimeoutMs = patience === 'hasty' ? 1_000 : 20_000;
      const waits = { reconnectWaitMs: 50, reconnectJitterMs: 50, requestTimeoutMs };
      return Promise.resolve(server.connect(process, { latencyMs: 1, ...waits }));
    },
    untilHeeded: () => pass(copies === 3 ? 300 : 0),
    async kill() {
      server.down();
    },
    restart: () => betweenLives(),
    async freeze() {
      server.freeze();
    },
    async thaw() {
      server.thaw();
    },
    async killLeader() {
      server.loseLeader(4_000);
    },
    ensure: () => Promise.resolve(server.ensure()),
    async recreate(stream) {
      server.recreate(stream);
    },
    save: () =>
      betweenLives(() => {
        backups = files.map((stream) => server.backup(stream));
      }),
    rewind: (stream) =>
      betweenLives(() => {
        for (const backup of backups)
          if (stream === undefined || stream === backup.stream) server.rewind(backup);
      }),
    async [Symbol.asyncDispose]() {
      end.abort();
      await turning;
    },
  } satisfies BusWorld);
}
