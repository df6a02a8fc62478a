/** The bus on three servers with three copies of everything, while the leader of a stream dies. */

import { setTimeout as delay } from 'node:timers/promises';
import { BusError } from '@swell/shared/adapters/bus.ts';
import { ensureTopology } from '@swell/shared/adapters/ensure-topology.ts';
import { connectNats } from '@swell/shared/adapters/nats-bus.ts';
import { expect, test } from 'vitest';
import { bytes, take } from '../support/listen.ts';
import { startNatsCluster } from '../support/nats-cluster.ts';

const HEALTH = 'SWELL_HEALTH';

test('leaders die one after the other: nothing acknowledged is lost, nothing is said twice', async () => {
  await using cluster = await startNatsCluster();
  const patience = { reconnectWaitMs: 50, reconnectJitterMs: 50, requestTimeoutMs: 2_000 };
  await using bus = await connectNats({ servers: cluster.urls, name: 'cluster-test', ...patience });
  const ensured = (): Promise<unknown> =>
    ensureTopology(bus, { replicas: 3 }).then(
      ({ drift }) => drift,
      (error: unknown) => (error instanceof BusError && error.retryable ? 'not yet' : error),
    );
  // They elect first.
  await expect.poll(ensured, { timeout: 60_000 }).toEqual([]);

  const followed = bus.follow({ stream: HEALTH, subjects: ['swell.health.>'], from: 1 });
  const sequences = new Set<number>();
  let said = 0;
  /** Says one thing until it is acknowledged, as a program would. */
  const say = async (): Promise<void> => {
    said += 1;
    const body = bytes(`${said}`);
    const publication = { subject: `swell.health.eu.web.node-${said % 7}`, body, line: '', id: `${said}` };
    sequences.add((await insist(() => bus.publish(publication))).sequence);
  };

  for (let round = 0; round < 3; round += 1) {
    for (let turn = 0; turn < 50; turn += 1) await say();
    const leader = await leaderOf();
    const dying = cluster.server(leader).kill();
    for (let turn = 0; turn < 50; turn += 1) await say();
    await dying;
    await cluster.server(leader).restart();
    // What is read from the leader is what was acknowledged last, whoever it is by now.
    const last = { subject: 'swell.health.eu.web.last', body: bytes(''), line: '', id: `last ${round}` };
    const newest = await insist(() => bus.publish(last));
    sequences.add(newest.sequence);
    expect(await insist(() => bus.readLast(HEALTH, last.subject))).toMatchObject({
      sequence: newest.sequence,
    });
  }
  const heard = await take(followed, sequences.size);
  expect(heard.map(({ sequence }) => sequence)).toEqual([...sequences].toSorted((a, b) => a - b));

  async function leaderOf(): Promise<string> {
    const { cluster: place } = await bus.manager.streams.info(HEALTH);
    if (place?.leader === undefined) throw new Error('the stream has no leader');
    return place.leader;
  }
});

/** Whoever is being elected answers a moment later. */
async function insist<Value>(call: () => Promise<Value>): Promise<Value> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof BusError && error.retryable) || tries === 1_000) throw error;
      // "Not connected" comes without waiting for anything.
      await delay(20);
    }
  }
}
