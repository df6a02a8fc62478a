/** The fleet's log: what `SWELL_LOG` holds, as entries that the checker and replays read. */

import type { LogEntry, LogRecord } from '../domain/log.ts';
import { decode } from './codec.ts';
import { readHalt, readWave } from './orders.ts';
import { eventSchema } from './records.ts';
import { reportSchema } from './reports.ts';
import { slotHolderSchema } from './slots.ts';
import { lastToken, parseOrderSubject, parseSlotSubject } from './subjects.ts';

/** A message of the log, as the bus hands it out. */
export interface LogMessage {
  readonly subject: string;
  readonly sequence: number;
  readonly storedAtMs: number;
  readonly deleted: boolean;
  readonly body: Uint8Array;
  /** Its sequence in the stream that it was copied from: of an order or a slot its revision. */
  readonly sourceSequence?: number;
}

/** An entry of the log; `undefined` for what no rule speaks of (records, policies, controls) and what does not parse. */
export function readLogEntry(message: LogMessage): LogEntry | undefined {
  const record = readRecord(message);
  return record === undefined
    ? undefined
    : { sequence: message.sequence, atMs: message.storedAtMs, ...record };
}

function readRecord(message: LogMessage): LogRecord | undefined {
  const [, kind] = message.subject.split('.');
  const origin = message.sourceSequence ?? 0;
  switch (kind) {
    case 'release':
      return { kind: 'release', service: lastToken(message.subject), rollout: origin };
    case 'wave':
    case 'halt':
      return readOrder(message, origin);
    case 'slot':
      return readSlot(message, origin);
    case 'health': {
      const report = decode(message.body, reportSchema);
      return report.ok ? { kind: 'report', report: report.value } : undefined;
    }
    case 'event': {
      const event = decode(message.body, eventSchema);
      return event.ok ? { kind: 'event', event: event.value } : undefined;
    }
    default:
      return undefined;
  }
}

function readOrder(message: LogMessage, revision: number): LogRecord | undefined {
  const place = parseOrderSubject(message.subject);
  if (place === undefined) return undefined;
  if (place.kind === 'halt') {
    const { service } = place;
    if (message.deleted) return { kind: 'halt', service, revision };
    const halt = readHalt(message.body, place);
    return halt.ok ? { kind: 'halt', service, revision, halt: halt.value } : undefined;
  }
  const wave = readWave(message.body, place);
  return wave.ok ? { kind: 'wave', revision, wave: wave.value } : undefined;
}

function readSlot(message: LogMessage, revision: number): LogRecord | undefined {
  const place = parseSlotSubject(message.subject);
  if (place === undefined) return undefined;
  if (message.deleted) return { kind: 'slot', ...place, revision };
  const holder = decode(message.body, slotHolderSchema);
  return holder.ok ? { kind: 'slot', ...place, revision, holder: holder.value } : undefined;
}
