/** NATS messages as the bus's own, and the headers that we write and read. */

import type { StoredMsg } from '@nats-io/jetstream';
import { headers, type Msg, type MsgHdrs } from '@nats-io/nats-core';
import { printable } from '../kernel/printable.ts';
import type { HeardMessage, Publication, Refusal, StoredMessage } from './bus.ts';

const LINE = 'Swell-Line';

/**
 * The id as the server gets it. Streams compare ids and nothing else, and `SWELL_LOG` compares those of all its sources:
 * two statements with one id would leave a hole in the log, or in their own stream. So an id belongs to its subject.
 */
export const wireId = (publication: { readonly subject: string; readonly id: string }): string =>
  printable(`${publication.subject} ${publication.id}`);

/** Headers of a publication. */
export function headersOf(publication: Publication): MsgHdrs {
  const written = headers();
  written.set(LINE, printable(publication.line));
  if (publication.id !== undefined) {
    written.set('Nats-Msg-Id', wireId({ subject: publication.subject, id: publication.id }));
  }
  if (publication.expectLast !== undefined) {
    written.set('Nats-Expected-Last-Subject-Sequence', String(publication.expectLast));
  }
  if (publication.deletes === true) written.set('KV-Operation', 'DEL');
  return written;
}

/** Headers of a message that is not stored. */
export function headersOfBroadcast(line: string): MsgHdrs {
  const written = headers();
  written.set(LINE, printable(line));
  return written;
}

/** A key is gone when somebody deleted or purged it, or when the server's marker says that it expired. */
function isDeletion(read: MsgHdrs | undefined): boolean {
  if (read === undefined) return false;
  const operation = read.get('KV-Operation');
  return operation === 'DEL' || operation === 'PURGE' || read.has('Nats-Marker-Reason');
}

function numberIn(read: MsgHdrs | undefined, header: string): number | undefined {
  return numberOf(read?.last(header));
}

/** Of a sequence, a place or a time; anything but a whole number that is exact is none. */
function numberOf(text: string | undefined): number | undefined {
  const number = text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(number) ? number : undefined;
}

/** `Nats-Stream-Source: <stream> <sequence> <filter> <transform> <subject>`, on what a stream copied from another. */
function sourceSequence(read: MsgHdrs | undefined): number | undefined {
  return numberOf(read?.last('Nats-Stream-Source').split(' ')[1]);
}

/** A message of a plain subscription. */
export function heardFrom(message: Msg): HeardMessage {
  const sequence = numberIn(message.headers, 'Nats-Sequence');
  const lastSequence = numberIn(message.headers, 'Nats-Last-Sequence');
  return {
    subject: message.subject,
    body: message.data,
    deleted: isDeletion(message.headers),
    ...(sequence === undefined ? {} : { sequence }),
    ...(lastSequence === undefined ? {} : { lastSequence }),
    ...(message.reply
      ? {
          answer: (body: Uint8Array, refusal?: Refusal) =>
            void message.respond(body, refusal === undefined ? {} : { headers: headersOfRefusal(refusal) }),
        }
      : {}),
  };
}

const REFUSED = 'Nats-Service-Error';
const REFUSED_CODE = 'Nats-Service-Error-Code';

function headersOfRefusal({ code, description }: Refusal): MsgHdrs {
  const written = headers();
  written.set(REFUSED, printable(description));
  written.set(REFUSED_CODE, String(code));
  return written;
}

/** Why a question was not answered; `undefined`: it was. */
export function refusalIn(read: MsgHdrs | undefined): string | undefined {
  return read?.has(REFUSED_CODE) === true ? read.get(REFUSED) : undefined;
}

/** A message that the stream's leader handed out by request. */
export function storedFromLeader(message: StoredMsg): StoredMessage {
  return {
    subject: message.subject,
    sequence: message.seq,
    storedAtMs: Date.parse(message.timestamp),
    deleted: isDeletion(message.header),
    body: message.data,
  };
}

/** A message of a direct get: where it was stored stands in headers that the server added. */
export function storedFromDirectGet(message: Msg): StoredMessage {
  return {
    subject: message.headers?.last('Nats-Subject') ?? '',
    sequence: numberIn(message.headers, 'Nats-Sequence') ?? 0,
    storedAtMs: Date.parse(message.headers?.last('Nats-Time-Stamp') ?? ''),
    deleted: isDeletion(message.headers),
    body: message.data,
  };
}

/** A message that a consumer delivered, and its place in the delivery. */
export interface Delivered {
  readonly message: StoredMessage;
  /** 1 for the consumer's first message, without a gap from there. */
  readonly place: number;
}

/**
 * A message that a consumer delivered: where it was stored stands in its reply subject,
 * `$JS.ACK[.<domain>.<account>].<stream>.<consumer>.<deliveries>.<sequence>.<place>.<nanoseconds>.<pending>[.<random>]`.
 */
export function deliveredFrom(message: Msg): Delivered | undefined {
  const tokens = message.reply?.split('.') ?? [];
  if (tokens[0] !== '$JS' || tokens[1] !== 'ACK') return undefined;
  const source = sourceSequence(message.headers);
  const counts = tokens.slice(tokens.length === 9 ? 5 : 7);
  const [sequence, place] = counts.map(numberOf);
  // Cut, not divided: nanoseconds since 1970 are beyond what a number holds exactly.
  const storedAtMs = numberOf(counts[2]?.slice(0, -6));
  if (sequence === undefined || place === undefined || storedAtMs === undefined) return undefined;
  return {
    place,
    message: {
      subject: message.subject,
      sequence,
      storedAtMs,
      deleted: isDeletion(message.headers),
      body: message.data,
      ...(source !== undefined && { sourceSequence: source }),
    },
  };
}
