/** Releases that a coordinator publishes itself, on a real bus: stored once, whatever happens between store and answer. */

import { publishRelease } from '@swell/coordinator/shell/release-publisher.ts';
import { type Bus, BusError } from '@swell/shared/adapters/bus.ts';
import { ensureTopology } from '@swell/shared/adapters/ensure-topology.ts';
import { systemHost } from '@swell/shared/adapters/host.ts';
import type { NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import { releaseSubject, STREAMS } from '@swell/shared/protocol/subjects.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectPatiently } from '../support/bus.ts';
import { bytes, text } from '../support/listen.ts';
import { type NatsServer, startNats } from '../support/nats.ts';

const SUBJECT = releaseSubject('web');
const PUBLISHING = {
  publication: 'undo-7',
  release: { image: `registry.example/web@sha256:${'1'.repeat(64)}`, version: 'v1' },
};

let server: NatsServer;
let bus: NatsBus;

beforeEach(async () => {
  server = await startNats();
  bus = await connectPatiently(server, 'publishing-test');
  await ensureTopology(bus);
});

afterEach(async () => {
  await bus[Symbol.asyncDispose]();
  await server.stop();
});

const publish = (expect_: number, on: Bus = bus) =>
  publishRelease(PUBLISHING, expect_, {
    service: 'web',
    bus: on,
    host: systemHost,
    signal: AbortSignal.timeout(60_000),
  });

const put = async (body: string, subject = SUBJECT): Promise<number> =>
  (await bus.publish({ subject, body: bytes(body), line: body })).sequence;

async function count(): Promise<number> {
  const { state } = await bus.manager.streams.info(STREAMS.releases, { subjects_filter: SUBJECT });
  return state.subjects?.[SUBJECT] ?? 0;
}

test('it is stored behind the release that was taken last, though another service has released since', async () => {
  const taken = await put('theirs');
  await put('elsewhere', releaseSubject('db'));
  expect(await publish(taken)).toBeUndefined();
  const last = await bus.readLast(STREAMS.releases, SUBJECT);
  expect(JSON.parse(text(last?.body ?? bytes('')))).toEqual({ ...PUBLISHING.release, publication: 'undo-7' });
});

test('two leaders that publish it at once, and one that is very late, store it once', async () => {
  const taken = await put('theirs');
  const outcomes = await Promise.all([publish(taken), publish(taken)]);
  // The server knows the id for a while, and the expectation for ever.
  await bus.manager.streams.update(STREAMS.releases, { duplicate_window: 100_000_000 });
  const last = (await bus.readLast(STREAMS.releases, SUBJECT))?.sequence;
  const overtaken = { kind: 'release-overtaken', publication: 'undo-7', last };
  await expect.poll(() => publish(taken), { timeout: 60_000 }).toEqual(overtaken);
  expect(outcomes.filter((one) => one !== undefined)).toEqual([overtaken]);
  expect(await count()).toBe(2);
});

test('behind a release that came between it is not stored, and hears which one that was', async () => {
  const taken = await put('theirs');
  const newer = await put('newer');
  expect(await publish(taken)).toEqual({ kind: 'release-overtaken', publication: 'undo-7', last: newer });
  expect(await count()).toBe(2);
});

test('an acknowledgement that was lost is no second message', async () => {
  const taken = await put('theirs');
  let lost = 0;
  const deaf = new Proxy(bus, {
    get(target, name) {
      if (name !== 'publish') {
        const found: unknown = Reflect.get(target, name, target);
        return typeof found === 'function' ? found.bind(target) : found;
      }
      return async (publication: Parameters<Bus['publish']>[0]) => {
        const stored = await target.publish(publication);
        lost += 1;
        if (lost > 1) return stored;
        throw new BusError('unknown-outcome', 'the answer was lost');
      };
    },
  });
  const last = taken + 1;
  expect(await publish(taken, deaf)).toEqual({ kind: 'release-overtaken', publication: 'undo-7', last });
  expect([lost, await count()]).toEqual([1, 2]);
});
