/**
 * What is stored in any stream, as the entry of the log that it is: read by the code that reads real logs, and as if
 * `SWELL_LOG` had a copy of it at the instant. The copied log itself has holes where a bucket was set back or made anew.
 */

import type { StoredMessage } from '@swell/shared/adapters/bus.ts';
import type { LogEntry } from '@swell/shared/domain/log.ts';
import { readLogEntry } from '@swell/shared/protocol/log.ts';
import { STREAMS } from '@swell/shared/protocol/subjects.ts';
import type { StreamShape } from '../bus/definition.ts';
import type { Rewrite } from '../bus/subjects.ts';

/** Of the streams that the log copies: those that rules speak of. */
const READ: readonly string[] = [STREAMS.releases, STREAMS.orders, STREAMS.slots, STREAMS.health];

export class LogReader {
  readonly #rewrites: ReadonlyMap<string, Rewrite>;
  #sequence = 0;

  constructor(shapes: readonly StreamShape[]) {
    const log = shapes.find(({ name }) => name === STREAMS.log);
    if (log === undefined) throw new Error(`no stream ${STREAMS.log} is defined`);
    const read = log.sources.filter(({ stream }) => READ.includes(stream));
    this.#rewrites = new Map(read.map(({ stream, rewrite }) => [stream, rewrite]));
  }

  /** Undefined for what no rule speaks of, and for what does not parse. */
  read(stream: string, message: StoredMessage, atMs: number): LogEntry | undefined {
    const subject =
      stream === STREAMS.log ? ownSubject(message) : this.#rewrites.get(stream)?.(message.subject);
    if (subject === undefined) return undefined;
    const entry = readLogEntry({
      ...message,
      subject,
      sequence: this.#sequence + 1,
      storedAtMs: atMs,
      sourceSequence: message.sequence,
    });
    if (entry !== undefined) this.#sequence += 1;
    return entry;
  }
}

/** Of what the log holds, events are its own; all else is a copy, and was read where it came from. */
function ownSubject({ subject, sourceSequence }: StoredMessage): string | undefined {
  return sourceSequence === undefined ? subject : undefined;
}
