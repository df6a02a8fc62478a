import type { Bus, HeardMessage, Refusal, Subscription } from '@swell/shared/adapters/bus.ts';
import { systemHost } from '@swell/shared/adapters/host.ts';
import { createLogger } from '@swell/shared/adapters/logger.ts';
import { Mailbox } from '@swell/shared/adapters/mailbox.ts';
import { expect, test } from 'vitest';
import { type Endpoint, MicroServer, RefusalError } from './micro-server.ts';

interface Answered {
  readonly body: unknown;
  readonly refusal: Refusal | undefined;
}

/** A bus on which somebody asks, and a server of one endpoint that may answer or not. */
function begin(handle: Endpoint['handle']) {
  const boxes = new Map<string, Mailbox<HeardMessage>>();
  const bus: Pick<Bus, 'subscribe'> = {
    subscribe(subject): Subscription {
      const box = new Mailbox<HeardMessage>();
      boxes.set(subject, box);
      const close = (): void => {
        box.close();
        boxes.delete(subject);
      };
      return { ready: Promise.resolve(), close, [Symbol.asyncIterator]: () => box };
    },
  };
  const leading = { surely: true };
  const server = new MicroServer({
    bus: bus as Bus,
    host: systemHost,
    logger: createLogger({ name: 'test', level: 'silent' }),
    service: {
      name: 'swell-coordinator',
      id: 'term-1',
      version: '1.0.0',
      description: 'answers',
      metadata: { term: '1' },
      startedAtMs: 0,
    },
    endpoints: [{ name: 'rollout', subject: 'asked', description: 'how it stands', handle }],
    mayAnswer: () => leading.surely,
  });
  server.open();
  /** The answer; missing where nobody answers, once everything that was asked before and after has been handled. */
  async function ask(subject: string): Promise<Answered | undefined> {
    let answered: Answered | undefined;
    const answer = (body: Uint8Array, refusal?: Refusal): void => {
      const text = new TextDecoder().decode(body);
      answered = { body: text === '' ? undefined : JSON.parse(text), refusal };
    };
    boxes.get(subject)?.put({ subject, body: new Uint8Array(), deleted: false, answer });
    await new Promise((resolve) => setImmediate(resolve));
    return answered;
  }
  return { ask, leading, server, subjects: () => [...boxes.keys()] };
}

test('B15: an answer, a refusal with its code, and a failure of ours as one', async () => {
  const outcomes: (object | Error)[] = [{ line: 'well' }, new RefusalError(404, 'no such'), new Error('bug')];
  const { ask } = begin(async () => {
    const next = outcomes.shift();
    if (next instanceof Error) throw next;
    return next ?? {};
  });
  expect(await ask('asked')).toEqual({ body: { line: 'well' }, refusal: undefined });
  const refused = await ask('asked');
  expect([refused?.refusal?.code, refused?.refusal?.description]).toEqual([404, 'no such']);
  // `nats request --raw` shows no headers.
  expect(refused?.body).toEqual({ error: 'no such' });
  expect((await ask('asked'))?.refusal?.code).toBe(500);
  expect((await ask('$SRV.STATS'))?.body).toMatchObject({
    type: 'io.nats.micro.v1.stats_response',
    started: '1970-01-01T00:00:00.000Z',
    endpoints: [
      {
        name: 'rollout',
        subject: 'asked',
        queue_group: '',
        num_requests: 3,
        num_errors: 2,
        last_error: '500:the coordinator failed to answer: Error: bug',
      },
    ],
  });
});

test('it is found by its name and its id, and says what it answers', async () => {
  const { ask } = begin(() => Promise.resolve({}));
  const identity = { name: 'swell-coordinator', id: 'term-1', version: '1.0.0', metadata: { term: '1' } };
  for (const subject of ['$SRV.PING', '$SRV.PING.swell-coordinator', '$SRV.PING.swell-coordinator.term-1'])
    expect((await ask(subject))?.body).toEqual({ type: 'io.nats.micro.v1.ping_response', ...identity });
  expect((await ask('$SRV.INFO'))?.body).toEqual({
    type: 'io.nats.micro.v1.info_response',
    ...identity,
    description: 'answers',
    endpoints: [
      { name: 'rollout', subject: 'asked', queue_group: '', metadata: { description: 'how it stands' } },
    ],
  });
});

test('B13, B15: who may have been replaced says nothing, also where he was asked before; closed he hears nothing', async () => {
  const { ask, leading, server, subjects } = begin(async () => {
    leading.surely = false;
    return { line: 'of then' };
  });
  expect(await ask('asked')).toBeUndefined();
  expect(await ask('$SRV.PING')).toBeUndefined();
  leading.surely = true;
  expect(await ask('$SRV.PING')).toBeDefined();
  server.close();
  expect(subjects()).toEqual([]);
});
