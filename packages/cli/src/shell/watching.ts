/** Everything that is on the bus of one service, as it comes. */

import type { Bus } from '@swell/shared/adapters/bus.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import { type Assignments, isOf, type Scope } from '@swell/shared/domain/scope.ts';
import { recordWithin } from '@swell/shared/domain/within-scope.ts';
import { STREAMS } from '@swell/shared/protocol/subjects.ts';
import { isSeenIn, type Sighting, Sightings } from '../core/sightings.ts';
import { type Source, sourcesOf } from '../protocol/sightings.ts';

export interface Watching {
  /** Resolves once all that was there in the beginning has been seen. */
  readonly caughtUp: Promise<void>;
  /** Resolves when somebody closes it; rejects where the bus refuses. */
  readonly ended: Promise<void>;
  readonly sightings: Sightings;
  close(): void;
}

/** Of a service in one scope. */
export interface Watched {
  readonly service: ServiceName;
  readonly scope?: Scope;
  /** Whose each region is. */
  readonly assigned: Assignments;
}

/** @param onSeen hears everything, what was there in the beginning too */
export function watchService(bus: Bus, watched: Watched, onSeen: (sighting: Sighting) => void): Watching {
  const { service, scope, assigned } = watched;
  const sightings = new Sightings(service, scope);
  const closing = new AbortController();
  const see = (sighting: Sighting): void => {
    if (!isSeenIn(sighting, scope, assigned)) return;
    sightings.see(seenIn(sighting, watched));
    onSeen(sighting);
  };
  const sources = sourcesOf(service, scope).map((source) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    return {
      caughtUp: promise,
      ended: follow(bus, service, source, { see, resolve, closing: closing.signal }),
    };
  });
  const ended = Promise.all(sources.map((source) => source.ended)).then(() => undefined);
  const caughtUp = Promise.all(sources.map((source) => source.caughtUp)).then(() => undefined);
  return {
    sightings,
    ended,
    caughtUp: Promise.race([caughtUp, ended]),
    close: () => closing.abort(),
  };
}

/** A record keeps what it knew of regions that others lead now. */
function seenIn(sighting: Sighting, { scope, assigned }: Watched): Sighting {
  if (sighting.kind !== 'record' || sighting.record === undefined) return sighting;
  return { ...sighting, record: recordWithin(sighting.record, (region) => isOf(assigned, scope, region)) };
}

interface Hearing {
  readonly see: (sighting: Sighting) => void;
  /** All that was there has been heard. */
  readonly resolve: () => void;
  readonly closing: AbortSignal;
}

async function follow(
  bus: Bus,
  service: ServiceName,
  { stream, subject, from, read }: Source,
  { see, resolve, closing }: Hearing,
): Promise<void> {
  const end = (await bus.readLast(stream, subject))?.sequence ?? 0;
  if (end === 0) resolve();
  const follower = bus.follow({ stream, subjects: [subject], from });
  closing.addEventListener('abort', () => follower.close());
  if (closing.aborted) follower.close();
  for await (const message of follower) {
    const sighting = read(message, service);
    // What does not parse is the coordinator's to report (I13); without the record there is nothing to show.
    if (sighting?.ok === true) see(sighting.value);
    else if (sighting !== undefined && stream === STREAMS.rollouts)
      throw new Error(`the record of ${service} cannot be read: ${sighting.problems.join('; ')}`);
    if (message.sequence >= end) resolve();
  }
}
