/** What there is in a stream now, read from some place on to its end. */

import type { Bus, StoredMessage } from './bus.ts';

/** Ends with the last message that was there when it began. */
export async function* readStored(
  bus: Bus,
  stream: string,
  subject: string | readonly string[],
  from: 'last' | number = 1,
): AsyncGenerator<StoredMessage> {
  const subjects = typeof subject === 'string' ? [subject] : subject;
  const last = await Promise.all(subjects.map((one) => bus.readLast(stream, one)));
  const end = Math.max(0, ...last.map((message) => message?.sequence ?? 0));
  if (end === 0 || (from !== 'last' && end < from)) return;
  for await (const message of bus.follow({ stream, subjects, from })) {
    if (message.sequence <= end) yield message;
    if (message.sequence >= end) return;
  }
}
