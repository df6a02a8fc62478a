/** Publishing something for the coordinator, and waiting for what it says to it. */

import { randomUUID } from 'node:crypto';
import type { StoredMessage } from '@swell/shared/adapters/bus.ts';
import { systemHost } from '@swell/shared/adapters/host.ts';
import type { NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import { publishUntilStored } from '@swell/shared/adapters/persistent-publish.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import { eventSchema } from '@swell/shared/protocol/records.ts';
import { eventSubject, STREAMS } from '@swell/shared/protocol/subjects.ts';
import { ANSWERS, type Answer, type Asked, answerTo } from '../core/answer.ts';
import { TooLateError } from './usage.ts';

export interface Asking {
  readonly asked: Asked;
  readonly subject: string;
  readonly body: Uint8Array;
  /** For whoever tails the stream. */
  readonly line: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface Answered {
  /** Where it stands in its stream. */
  readonly sequence: number;
  /** Missing where nobody answered in time. */
  readonly answer?: Answer;
}

/** Publishes it once, however often the bus has to be told, and waits. Throws {@link BusError}, {@link TooLateError}. */
export async function askCoordinator(bus: NatsBus, asking: Asking): Promise<Answered> {
  const { asked, subject, body, line, timeoutMs, signal } = asking;
  const late = AbortSignal.timeout(timeoutMs);
  const either = AbortSignal.any([signal, late]);
  const { applied, rejected, waits } = ANSWERS[asked];
  // A service that no coordinator can look after is answered for under another name.
  const subjects = [...applied, ...rejected, ...waits].map((name) => eventSubject('*', name));
  const before = await lastSequence(bus, subjects);
  const publication = { subject, body, line, id: randomUUID() };
  const { sequence } = await publishUntilStored(bus, publication, systemHost, either).catch(
    (error: unknown) => {
      if (!late.aborted || signal.aborted) throw error;
      const open = 'it may be stored or not. swell doctor looks at the bus';
      throw new TooLateError(`the bus has not acknowledged ${subject} in time: ${open}`, { cause: error });
    },
  );
  const events = bus.follow({ stream: STREAMS.log, subjects, from: before + 1 });
  either.addEventListener('abort', () => events.close());
  if (either.aborted) events.close();
  for await (const message of events) {
    const event = decode(message.body, eventSchema);
    if (!event.ok) continue;
    const answer = answerTo(asked, sequence, event.value);
    if (answer !== undefined) return { sequence, answer };
  }
  signal.throwIfAborted();
  return { sequence };
}

async function lastSequence(bus: NatsBus, subjects: readonly string[]): Promise<number> {
  const last = await Promise.all(subjects.map((subject) => bus.readLast(STREAMS.log, subject)));
  return Math.max(0, ...last.map((message: StoredMessage | undefined) => message?.sequence ?? 0));
}
