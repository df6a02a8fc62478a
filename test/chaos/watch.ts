/**
 * What the cluster stores, read from the streams themselves while it happens, by several connections that are each at
 * another server first: whoever is ahead is believed, and all must tell the same. The log's own stream would not do:
 * it has holes where a bucket was set back or made anew.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { Follower, StoredMessage } from '@swell/shared/adapters/bus.ts';
import type { NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import type { LogEntry } from '@swell/shared/domain/log.ts';
import { readLogEntry } from '@swell/shared/protocol/log.ts';
import { STREAMS } from '@swell/shared/protocol/subjects.ts';

/** An entry, and its place in the stream that it comes from. */
export interface Seen {
  readonly stream: string;
  readonly revision: number;
  readonly entry: LogEntry;
}

/** How far each stream has been read. */
export type Marks = ReadonlyMap<string, number>;

interface Source {
  readonly stream: string;
  readonly subjects: string;
  /** A key's subject as the log has it. */
  readonly logged: (subject: string) => string;
}

const asItIs = (subject: string): string => subject;

const SOURCES: readonly Source[] = [
  {
    stream: STREAMS.orders,
    subjects: '$KV.swell_orders.>',
    logged: (subject) => subject.replace('$KV.swell_orders.', 'swell.'),
  },
  {
    stream: STREAMS.slots,
    subjects: '$KV.swell_slots.>',
    logged: (subject) => subject.replace('$KV.swell_slots.', 'swell.slot.'),
  },
  { stream: STREAMS.health, subjects: 'swell.health.>', logged: asItIs },
  { stream: STREAMS.log, subjects: 'swell.event.>', logged: asItIs },
  { stream: STREAMS.releases, subjects: 'swell.release.*', logged: asItIs },
];

const RETRY_MS = 250;

export interface WatchOptions {
  readonly buses: readonly NatsBus[];
  /** Behind what is known already. */
  readonly from: Marks;
  /** A number of its own for each entry. */
  readonly number: () => number;
  readonly onSeen: (seen: Seen) => void;
  /** Two servers tell different things of the same place. */
  readonly onContradiction: (message: string) => void;
}

export class Watch implements Disposable {
  readonly #options: WatchOptions;
  readonly #read: Map<string, number>;
  readonly #told = new Map<string, string>();
  readonly #followers: Follower[] = [];
  readonly #watchers = new Set<() => void>();
  #entries = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#read = new Map(options.from);
    for (const source of SOURCES) for (const bus of options.buses) void this.#follow(bus, source);
  }

  get marks(): Marks {
    return new Map(this.#read);
  }

  /** Resolves once everything is read that is stored. What is still on its way to the servers comes while one looks twice. */
  async untilAllRead(signal: AbortSignal): Promise<void> {
    for (let before = -1, now = this.#entries; before < now; now = this.#entries) {
      before = now;
      for (const source of SOURCES) {
        const last = await this.#lastOf(source, signal);
        while ((this.#read.get(source.stream) ?? 0) < last) await this.#untilMore(signal);
      }
    }
  }

  [Symbol.dispose](): void {
    for (const follower of this.#followers) follower.close();
  }

  async #follow(bus: NatsBus, source: Source): Promise<void> {
    const { stream, subjects } = source;
    const from = (this.#options.from.get(stream) ?? 0) + 1;
    const follower = bus.follow({ stream, subjects: [subjects], from });
    this.#followers.push(follower);
    for await (const message of follower) this.#hear(source, message);
  }

  #hear({ stream, logged }: Source, message: StoredMessage): void {
    const { subject, sequence: revision, body, deleted } = message;
    const place = `${stream} ${revision}`;
    const text = `${subject} ${deleted} ${new TextDecoder().decode(body)}`;
    const told = this.#told.get(place);
    if (told !== undefined && told !== text)
      this.#options.onContradiction(`${place} is "${told}" to one reader and "${text}" to another`);
    if (revision <= (this.#read.get(stream) ?? 0)) return;
    this.#told.set(place, text);
    this.#read.set(stream, revision);
    this.#entries += 1;
    const sequence = this.#options.number();
    const entry = readLogEntry({
      ...message,
      subject: logged(subject),
      sequence,
      sourceSequence: revision,
    });
    if (entry !== undefined) this.#options.onSeen({ stream, revision, entry });
    for (const wake of this.#watchers) wake();
    this.#watchers.clear();
  }

  async #lastOf({ stream, subjects }: Source, signal: AbortSignal): Promise<number> {
    for (let tries = 0; ; tries += 1) {
      signal.throwIfAborted();
      const bus = this.#options.buses[tries % this.#options.buses.length];
      try {
        return (await bus?.readLast(stream, subjects))?.sequence ?? 0;
      } catch {
        await delay(RETRY_MS, undefined, { signal });
      }
    }
  }

  async #untilMore(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#watchers.add(resolve);
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      signal.throwIfAborted();
      await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
