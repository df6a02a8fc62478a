/** Messages of the bus as sightings of one service; `undefined` for what does not concern it. */

import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { NodeReport, ServicePresence } from '@swell/shared/domain/report.ts';
import type { Scope } from '@swell/shared/domain/scope.ts';
import type { Parsed } from '@swell/shared/kernel/parsed.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import type { LogMessage } from '@swell/shared/protocol/log.ts';
import { readWave } from '@swell/shared/protocol/orders.ts';
import { eventSchema, readServiceRecord } from '@swell/shared/protocol/records.ts';
import { presenceSchema, reportSchema } from '@swell/shared/protocol/reports.ts';
import { slotHolderSchema } from '@swell/shared/protocol/slots.ts';
import {
  eventSubject,
  healthSubject,
  nodeKey,
  parseNodeSubject,
  parseOrderSubject,
  parseSlotSubject,
  releaseSubject,
  rolloutKey,
  STREAMS,
  slotKeysOf,
  waveKey,
} from '@swell/shared/protocol/subjects.ts';
import type { Sighting } from '../core/sightings.ts';

type Read = Parsed<Sighting> | undefined;

/** What is heard of a service, and how each message of it is read. */
export interface Source {
  readonly stream: string;
  readonly subject: string;
  /** `last`: of each subject the last value is enough. */
  readonly from: 'last' | 1;
  readonly read: (message: LogMessage, service: ServiceName) => Read;
}

export function sourcesOf(service: ServiceName, scope?: Scope): readonly Source[] {
  return [
    { stream: STREAMS.rollouts, subject: rolloutKey(service, scope), from: 'last', read: readRecord },
    { stream: STREAMS.releases, subject: releaseSubject(service), from: 'last', read: readRelease },
    { stream: STREAMS.orders, subject: waveKey('*', service), from: 'last', read: readOrder },
    { stream: STREAMS.slots, subject: slotKeysOf('*', service), from: 'last', read: readSlot },
    { stream: STREAMS.nodes, subject: nodeKey('*', '*'), from: 'last', read: readPresence },
    { stream: STREAMS.health, subject: healthSubject('*', service, '*'), from: 'last', read: readReport },
    { stream: STREAMS.log, subject: eventSubject(service, '*'), from: 1, read: readEvent },
  ];
}

function readRecord({ deleted, body }: LogMessage, service: ServiceName): Read {
  if (deleted) return seen({ kind: 'record' });
  const record = readServiceRecord(body, service);
  return record.ok ? seen({ kind: 'record', record: record.value }) : record;
}

function readRelease({ sequence }: LogMessage): Read {
  return seen({ kind: 'release', rollout: sequence });
}

function readOrder({ subject, deleted, body }: LogMessage): Read {
  const place = parseOrderSubject(subject);
  if (place?.kind !== 'wave') return undefined;
  const { region } = place;
  if (deleted) return seen({ kind: 'wave', region });
  const wave = readWave(body, place);
  return wave.ok ? seen({ kind: 'wave', region, wave: wave.value }) : wave;
}

function readSlot({ subject, deleted, body }: LogMessage): Read {
  const place = parseSlotSubject(subject);
  if (place === undefined) return undefined;
  const { region, slot } = place;
  if (deleted) return seen({ kind: 'slot', region, slot });
  const holder = decode(body, slotHolderSchema);
  return holder.ok ? seen({ kind: 'slot', region, slot, holder: holder.value }) : holder;
}

function readPresence({ subject, deleted, body }: LogMessage, service: ServiceName): Read {
  const place = parseNodeSubject(subject);
  if (place === undefined) return undefined;
  if (deleted) return seen({ kind: 'presence', ...place });
  const read = decode(body, presenceSchema);
  if (!read.ok) return read;
  const presence: ServicePresence | undefined = read.value.services[service];
  return seen({ kind: 'presence', ...place, ...(presence !== undefined && { presence }) });
}

function readReport({ body, deleted }: LogMessage): Read {
  if (deleted) return undefined;
  const report: Parsed<NodeReport> = decode(body, reportSchema);
  return report.ok ? seen({ kind: 'report', report: report.value }) : report;
}

function readEvent({ body, storedAtMs }: LogMessage): Read {
  const event = decode(body, eventSchema);
  return event.ok ? seen({ kind: 'event', told: { event: event.value, atMs: storedAtMs } }) : event;
}

function seen(value: Sighting): Parsed<Sighting> {
  return { ok: true, value };
}
