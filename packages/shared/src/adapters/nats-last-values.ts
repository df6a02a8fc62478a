/**
 * The last message of each of many subjects.
 *
 * Up to 1,024 come by one direct get, which costs the server no consumer and answers for one instant. More are read through
 * an ephemeral consumer, page by page, until it has nothing left: as of the end of the reading nothing is missing.
 */

import type { JetStreamManager } from '@nats-io/jetstream';
import type { Msg, NatsConnection } from '@nats-io/nats-core';
import { BusError, type StoredMessage } from './bus.ts';
import { subscribeForAnswers } from './nats-answers.ts';
import { deliveredFrom, storedFromDirectGet } from './nats-messages.ts';
import { EPHEMERAL } from './nats-pull.ts';

/** The server answers `413` above this, whatever the page size. */
const DIRECT_GET_MAX = 1_024;
const PAGES_MAX = 1_024;
const ATTEMPTS_MAX = 3;
/** Of a direct get. Unasked, a page may hold as much as the server cuts a connection for that is slow to take it. */
const PAGE_BYTES = 16 * 1_024 * 1_024;
/** Messages, of a consumer: with `max_bytes`, one without acknowledgements loses the message that did not fit. */
const PAGE_SIZE = 500;
const NO_RESULTS = '404 No Results';

export interface LastValuesGround {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly apiPrefix: string;
  readonly inboxPrefix: string | undefined;
  readonly timeoutMs: number;
}

/** Reads the last message of every subject that matches. Throws {@link BusError} or what NATS throws. */
export async function readLastValues(
  ground: LastValuesGround,
  stream: string,
  subjects: readonly string[],
): Promise<readonly StoredMessage[]> {
  const wanted = withoutCovered(subjects);
  if (wanted.length === 0) return [];
  if (wanted.length <= DIRECT_GET_MAX) {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const found = await getDirectly(ground, stream, wanted);
      if (found === 'too many') break;
      if (found !== 'torn') return found;
    }
  }
  return readThroughConsumer(ground, stream, wanted);
}

/** `torn`: a message went away while it was read, so that one may be missing. */
async function getDirectly(
  ground: LastValuesGround,
  stream: string,
  subjects: readonly string[],
): Promise<readonly StoredMessage[] | 'too many' | 'torn'> {
  const found: StoredMessage[] = [];
  let page: { readonly seq: number; readonly up_to_seq: number } | undefined;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const { messages, status } = await ask(ground, `${ground.apiPrefix}.DIRECT.GET.${stream}`, {
      multi_last: subjects,
      max_bytes: PAGE_BYTES,
      ...page,
    });
    found.push(...messages.map(storedFromDirectGet));
    const code = status.headers?.code ?? 0;
    if (code === 413) return 'too many';
    if (code === 404) return found.length === 0 && describe(status) === NO_RESULTS ? found : 'torn';
    if (code === 503) {
      throw new BusError('unavailable', `direct get on ${stream}: no such stream, or nobody serves it`);
    }
    if (code !== 204) throw new BusError('refused', `direct get on ${stream}: ${describe(status)}`);
    if (Number(status.headers?.get('Nats-Num-Pending')) === 0) return found;
    // The server ends a page at its bytes; the next one is of the same instant.
    page = {
      seq: (found.at(-1)?.sequence ?? 0) + 1,
      up_to_seq: Number(status.headers?.get('Nats-UpTo-Sequence')),
    };
  }
  throw new BusError('refused', `direct get on ${stream}: more than ${PAGES_MAX} pages`);
}

async function readThroughConsumer(
  ground: LastValuesGround,
  stream: string,
  subjects: readonly string[],
): Promise<readonly StoredMessage[]> {
  const [first] = subjects;
  const consumer = await ground.manager.consumers.add(stream, {
    ...EPHEMERAL,
    deliver_policy: 'last_per_subject',
    ...(subjects.length === 1 && first !== undefined
      ? { filter_subject: first }
      : { filter_subjects: [...subjects] }),
  });
  try {
    const next = `${ground.apiPrefix}.CONSUMER.MSG.NEXT.${stream}.${consumer.name}`;
    const last = new Map<string, StoredMessage>();
    let place = 0;
    // Ends at a page with nothing on it. What is written meanwhile comes along, and replaces what it replaces.
    for (;;) {
      const { messages, status } = await ask(ground, next, { batch: PAGE_SIZE, no_wait: true }, PAGE_SIZE);
      const code = status.headers?.code ?? 0;
      if (code !== 0 && code !== 404 && code !== 408) {
        throw new BusError('unavailable', `reading ${stream}: ${describe(status)}`);
      }
      for (const message of messages) {
        const delivered = deliveredFrom(message);
        if (delivered?.place !== place + 1)
          throw new BusError('unavailable', `reading ${stream}: a gap at ${place}`);
        place += 1;
        last.set(delivered.message.subject, delivered.message);
      }
      if (messages.length === 0) return [...last.values()].sort((a, b) => a.sequence - b.sequence);
    }
  } finally {
    await ground.manager.consumers.delete(stream, consumer.name).catch(() => undefined);
  }
}

/** Sends one request, and collects its answers up to the one that ends them: a status, or the last of `messagesMax`. */
async function ask(
  { connection, inboxPrefix, timeoutMs }: LastValuesGround,
  subject: string,
  request: object,
  messagesMax = Number.POSITIVE_INFINITY,
): Promise<{ readonly messages: readonly Msg[]; readonly status: Msg }> {
  const { promise, resolve, reject } = Promise.withResolvers<Msg>();
  const messages: Msg[] = [];
  let heard = false;
  const { subscription, inbox } = subscribeForAnswers(connection, inboxPrefix, subject, (error, message) => {
    heard = true;
    if (error !== null) {
      reject(error);
    } else if ((message.headers?.code ?? 0) !== 0) {
      resolve(message);
    } else {
      messages.push(message);
      if (messages.length >= messagesMax) resolve(message);
    }
  });
  void subscription.closed.then(() => reject(new BusError('unavailable', 'the connection was closed')));
  // The time is between two answers: many answers may take long.
  const watchdog = setInterval(() => {
    if (!heard) reject(new BusError('unavailable', `no answer from ${subject} within ${timeoutMs} ms`));
    heard = false;
  }, timeoutMs);
  try {
    connection.publish(subject, JSON.stringify(request), { reply: `${inbox}1` });
    return { messages, status: await promise };
  } finally {
    clearInterval(watchdog);
    subscription.unsubscribe();
  }
}

const describe = (status: Msg): string =>
  `${status.headers?.code} ${status.headers?.description ?? ''}`.trim();

/** Subjects without those that another of them matches too: a consumer refuses filters that overlap. */
function withoutCovered(subjects: readonly string[]): readonly string[] {
  const distinct = [...new Set(subjects)];
  const patterns = distinct.filter((subject) => subject.includes('*') || subject.endsWith('>'));
  return distinct.filter(
    (subject) => !patterns.some((pattern) => pattern !== subject && covers(pattern, subject)),
  );
}

function covers(pattern: string, subject: string): boolean {
  const expected = pattern.split('.');
  const found = subject.split('.');
  for (const [index, token] of expected.entries()) {
    const other = found[index];
    if (other === undefined) return false;
    if (token === '>') return true;
    if (other === '>' || (token !== '*' && token !== other)) return false;
  }
  return expected.length === found.length;
}
