/** Doors between the bus and the programs: what NATS says of a message, and what a message is taken for by its subject. */

import {
  readPresence,
  readReport,
  translateControl,
  translateOrder,
  translatePolicy,
  translateRelease,
  translateSlot,
} from '@swell/coordinator/shell/translate.ts';
import type { StoredMessage } from '@swell/shared/adapters/bus.ts';
import { deliveredFrom, heardFrom } from '@swell/shared/adapters/nats-messages.ts';
import { controlSchema } from '@swell/shared/protocol/control.ts';
import { readLogEntry } from '@swell/shared/protocol/log.ts';
import { haltSchema, waveSchema } from '@swell/shared/protocol/orders.ts';
import { eventSchema } from '@swell/shared/protocol/records.ts';
import { presenceSchema, reportSchema } from '@swell/shared/protocol/reports.ts';
import { slotHolderSchema } from '@swell/shared/protocol/slots.ts';
import * as fc from 'fast-check';
import { type Body, bodies } from '../bodies.ts';
import { isInBounds } from '../bounds.ts';
import { expectEqual, leavesPrototypesAlone, promptly } from '../demands.ts';
import type { Door } from '../door.ts';
import { fromSchema } from '../from-schema.ts';
import { strangeText } from '../strange.ts';
import { anyName } from './well-formed.ts';

type Heard = Parameters<typeof heardFrom>[0];

/** Headers as a client holds them: many values each, whatever they say. */
function headersWith(values: Readonly<Record<string, string>>): Heard['headers'] {
  const found = (name: string): string => (Object.hasOwn(values, name) ? (values[name] ?? '') : '');
  return {
    get: found,
    last: found,
    has: (name: string) => Object.hasOwn(values, name),
  } as unknown as Heard['headers'];
}

const anyNumeral = fc.oneof(
  fc.maxSafeInteger().map(String),
  strangeText,
  fc.constantFrom('0', '-1', '1.5', '1e3', '0x10', ' 7', '9007199254740993', 'NaN', 'Infinity', ''),
);
const anyHeaders = fc.dictionary(
  fc.constantFrom(
    'Nats-Sequence',
    'Nats-Last-Sequence',
    'KV-Operation',
    'Nats-Marker-Reason',
    'Nats-Stream-Source',
  ),
  fc.oneof(
    anyNumeral,
    anyNumeral.map((sequence) => `SWELL_HEALTH ${sequence} > > a`),
    fc.constantFrom('DEL', 'PURGE', 'MaxAge'),
  ),
);
const anyReply = fc.oneof(
  fc
    .array(fc.oneof(anyNumeral, anyName), { maxLength: 14 })
    .map((tokens) => ['$JS', 'ACK', ...tokens].join('.')),
  strangeText,
);

function isCount(value: number | undefined, name: string): void {
  if (value === undefined) return;
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${name} is read as ${value}`);
}

const natsMessage: Door = {
  name: 'headers of a message',
  property: fc.property(strangeText, anyHeaders, anyReply, (subject, headers, reply) => {
    const message = {
      subject,
      reply,
      headers: headersWith(headers),
      data: new Uint8Array(),
    } as unknown as Heard;
    const heard = heardFrom(message);
    isCount(heard.sequence, 'its sequence');
    isCount(heard.lastSequence, 'the sequence before it');
    const delivered = deliveredFrom(message);
    isCount(delivered?.place, 'its place');
    isCount(delivered?.message.sequence, 'its sequence');
    isCount(delivered?.message.storedAtMs, 'its time');
    isCount(delivered?.message.sourceSequence, 'its sequence at its source');
  }),
};

/** Messages of every kind, under every subject: most of them where they do not belong. */
const anySubject = fc
  .tuple(
    fc.constantFrom('swell.', '$KV.swell_orders.', '$KV.swell_slots.', '$KV.swell_nodes.', ''),
    fc.constantFrom('wave.', 'halt.', 'slot.', 'health.', 'event.', 'release.', 'node.', ''),
    fc.array(fc.oneof(anyName, fc.constantFrom('0', '17', 'web', 'eu')), { maxLength: 4 }),
  )
  .map(([prefix, kind, tokens]) => `${prefix}${kind}${tokens.join('.')}`);

const wellFormed = fc.oneof(
  ...[waveSchema, haltSchema, slotHolderSchema, reportSchema, presenceSchema, eventSchema, controlSchema].map(
    (schema) => fromSchema(schema),
  ),
  anyName.map((image) => ({ image: image.toLowerCase() })),
);

const anyMessage: fc.Arbitrary<StoredMessage & { readonly body: Uint8Array }> = fc
  .tuple(anySubject, fc.nat(), fc.boolean(), bodies(wellFormed))
  .map(([subject, sequence, deleted, { bytes }]: [string, number, boolean, Body]) => ({
    subject,
    sequence,
    storedAtMs: 1_750_000_000_000,
    deleted,
    body: bytes,
  }));

const logEntry: Door = {
  name: 'log entry',
  property: fc.property(anyMessage, (message) => {
    const entry = promptly(() => readLogEntry({ ...message, sourceSequence: message.sequence }));
    leavesPrototypesAlone();
    // A release that nobody's service can be is refused by an event of its own.
    if (entry?.kind !== 'release') isInBounds(entry);
  }),
};

const translations = [translateRelease, translateControl, translatePolicy, translateOrder] as const;

const coordinatorMessage: Door = {
  name: 'what a coordinator hears',
  property: fc.property(anyMessage, (message) => {
    for (const translate of translations) isInBounds(promptly(() => translate(message))?.event);
    for (const read of [readPresence, readReport]) {
      const heard = read(message);
      if (heard.is === 'unreadable' && heard.problems.length === 0)
        throw new Error('unreadable without a reason');
    }
    const slot = translateSlot(message, 0)?.event;
    // I7. Nobody knows who holds it; free it is not.
    if (slot?.kind === 'slot-seen') expectEqual(slot.entry.holder === undefined, message.deleted);
    leavesPrototypesAlone();
  }),
};

/** A wave in the place of another one is none: followed, it would bring a node another service's image. */
const orderInItsPlace: Door = {
  name: 'order in its place',
  property: fc.property(
    fromSchema(waveSchema),
    fc.constantFrom('region', 'service', 'release'),
    (value, wrong) => {
      const wave = value as { region: string; service: string; release: object; halt?: object };
      const { service, halt } = wave;
      const right = {
        ...wave,
        release: { ...wave.release, service },
        ...(halt !== undefined && { halt: { ...halt, service } }),
      };
      const other = wave.service === 'x0' || wave.region === 'x0' ? 'x1' : 'x0';
      const elsewhere =
        wrong === 'release'
          ? { ...right, release: { ...right.release, service: other } }
          : { ...right, [wrong]: other };
      for (const [order, isTaken] of [
        [right, true],
        [elsewhere, false],
      ] as const) {
        const body = new TextEncoder().encode(JSON.stringify(order));
        const subject = `$KV.swell_orders.wave.${wave.region}.${wave.service}`;
        const event = translateOrder({ subject, sequence: 1, storedAtMs: 0, deleted: false, body })?.event;
        const taken = event?.kind === 'wave-seen' && event.wave !== undefined;
        if (taken !== isTaken)
          throw new Error(isTaken ? 'refused in its own place' : `taken with another ${wrong}`);
      }
    },
  ),
};

export const BUS_DOORS: readonly Door[] = [natsMessage, logEntry, coordinatorMessage, orderInItsPlace];
