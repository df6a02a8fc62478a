import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Host } from '@swell/shared/adapters/host.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LeaseDisk, LeaseFiles } from '../adapters/lease-files.ts';
import { isAlive } from '../adapters/own-process.ts';
import { NODE_LEASE_MS } from '../core/node-lease.ts';
import { acquireTenure, LeaseLost, type Tenure } from './tenure.ts';

let folder: string;
let nowMs: number;
/** Sleeping moves the clock; nothing else does. */
const host: Host = {
  monotonicMs: () => nowMs,
  wallMs: () => nowMs,
  async sleep(ms, signal) {
    signal?.throwIfAborted();
    nowMs += ms;
  },
  after: () => () => {},
  random: () => 0,
};
const never = new AbortController().signal;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swell-tenure-'));
  nowMs = 0;
});
afterEach(() => rm(folder, { recursive: true }));

async function acquire(
  container: string,
  onWaiting: () => void = () => {},
  on: Host = host,
): Promise<Tenure> {
  const files = await LeaseFiles.open(folder, container);
  return acquireTenure({ files, host: on, me: { container }, isAlive }, never, onWaiting);
}

describe('a tenure', () => {
  it('begins at once where nobody holds the lease, and after it was given back', async () => {
    const first = await acquire('a');
    await first.release();
    const second = await acquire('b', () => expect.unreachable('it is free'));
    expect(second.term).toBeGreaterThan(first.term);
    expect(nowMs).toBe(0);
    await expect(first.assertHeld()).rejects.toThrow(LeaseLost);
    await second.assertHeld();
  });

  it('begins once the holder has been seen silent for a whole lease; that one finds out before it acts', async () => {
    const first = await acquire('a');
    let waited = 0;
    const second = await acquire('b', () => {
      waited += 1;
    });
    expect(waited).toBe(1);
    expect(nowMs).toBeGreaterThan(NODE_LEASE_MS);
    await expect(first.assertHeld()).rejects.toThrow(LeaseLost);
    expect(first.signal.aborted).toBe(true);
    await second.assertHeld();
  });

  it('goes on where its holder slept past its end and nobody took it', async () => {
    const tenure = await acquire('a');
    const { term } = tenure;
    nowMs += 3 * NODE_LEASE_MS;
    await tenure.assertHeld();
    expect(tenure.term).toBe(term + 1);
  });

  it('that is handed over is over before the next one begins, and is for that one alone', async () => {
    const first = await acquire('a');
    await first.handOver('b');
    await expect(first.assertHeld()).rejects.toThrow('handed over to the container b');
    const second = await acquire('b', () => expect.unreachable('it was meant'));
    await second.assertHeld();
  });

  it('is written by nobody any more once it was given back, not by who still hands it over either', async () => {
    const links = Promise.withResolvers<void>();
    const written: string[] = [];
    const disk: LeaseDisk = {
      makeDirectory: async () => {},
      names: async () => written,
      read: async () => undefined,
      write: async () => {},
      rename: async () => {},
      remove: async () => {},
      async link(_from, to) {
        if (written.length > 0) await links.promise;
        written.push(basename(to));
        return true;
      },
    };
    const files = await LeaseFiles.open(folder, 'a', disk);
    const tenure = await acquireTenure({ files, host, me: { container: 'a' }, isAlive }, never, () => {});
    const handing = tenure.handOver('b');
    await once(tenure.signal, 'abort');
    const atReturn = tenure.release().then(() => written.length);
    // All that does not wait for the disk has been done by then.
    await nextTurn();
    links.resolve();
    await handing;
    expect(await atReturn).toBe(2);
  });

  it('comes back to who handed it over to somebody that never takes it', async () => {
    const first = await acquire('a');
    await first.handOver('b');
    const again = await acquire('a');
    expect(nowMs).toBeGreaterThan(NODE_LEASE_MS);
    await again.assertHeld();
  });

  it('is kept by renewals that a rival sees, and lost to a rival who saw none', async () => {
    const stop = new AbortController();
    const sleepsMax = 20;
    let sleeps = 0;
    const sleep: Host['sleep'] = async (ms) => {
      nowMs += ms;
      sleeps += 1;
      if (sleeps === sleepsMax) stop.abort();
    };
    const tenure = await acquire('a', () => {}, { ...host, sleep });
    const files = await LeaseFiles.open(folder, 'b');
    await tenure.keep(stop.signal);
    expect(await files.read()).toMatchObject({ term: tenure.term, renewals: sleepsMax - 1 });
    expect(nowMs).toBeGreaterThan(3 * NODE_LEASE_MS);
    await files.take({ term: tenure.term + 1, holder: { container: 'b' }, renewals: 0 });
    await tenure.keep(never);
    expect(tenure.signal.reason).toBeInstanceOf(LeaseLost);
  });
});
