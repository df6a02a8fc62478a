/** Everything that an agent asks or tells the bus, announced. What it hears is no effect of its own. */

import type { Bus, Publication } from '@swell/shared/adapters/bus.ts';
import type { NodeReport } from '@swell/shared/domain/report.ts';
import { parseOrderSubject, parseSlotSubject, STREAMS } from '@swell/shared/protocol/subjects.ts';
import type { Announcer } from './announcer.ts';

export function announceBus(bus: Bus, announcer: Announcer): Bus {
  /** What we wrote last into each slot: who writes over it renews. */
  const held = new Map<string, number>();
  return {
    async publish(publication) {
      const stored = await announcer.around(publicationName(publication, held), () =>
        bus.publish(publication),
      );
      if (parseSlotSubject(publication.subject) !== undefined) held.set(publication.subject, stored.sequence);
      return stored;
    },
    readLast: (stream, subject) =>
      announcer.around(`read ${parseOrderSubject(subject)?.kind ?? 'a slot'}`, () =>
        bus.readLast(stream, subject),
      ),
    readLastOfEach: (stream, subjects) =>
      announcer.around(stream === STREAMS.slots ? 'read slots' : `read ${stream}`, () =>
        bus.readLastOfEach(stream, subjects),
      ),
    broadcast: (...said) => bus.broadcast(...said),
    subscribe: (subject) => bus.subscribe(subject),
    follow: (options) => bus.follow(options),
    get connection() {
      return bus.connection;
    },
    connectionChanges: () => bus.connectionChanges(),
    [Symbol.asyncDispose]: () => bus[Symbol.asyncDispose](),
  };
}

function publicationName(
  { subject, body, deletes, expectLast }: Publication,
  held: ReadonlyMap<string, number>,
): string {
  if (subject.startsWith('$KV.swell_nodes.')) return 'show presence';
  if (parseSlotSubject(subject) === undefined || !subject.startsWith('$KV.swell_slots.')) {
    return `report ${(JSON.parse(new TextDecoder().decode(body)) as NodeReport).status}`;
  }
  if (deletes === true) return 'free slot';
  return held.get(subject) === expectLast ? 'renew slot' : 'claim slot';
}
