/** What there is in a stream now, read from some place on to its end. */

import type { Bus, StoredMessage } from '@swell/shared/adapters/bus.ts';

/** Ends with the last message that was there when it began. */
export async function* readStored(
  bus: Bus,
  stream: string,
  subject: string,
  from: 'last' | number = 1,
): AsyncGenerator<StoredMessage> {
  const end = (await bus.readLast(stream, subject))?.sequence ?? 0;
  if (end === 0 || (from !== 'last' && end < from)) return;
  for await (const message of bus.follow({ stream, subjects: [subject], from })) {
    if (message.sequence <= end) yield message;
    if (message.sequence >= end) return;
  }
}
