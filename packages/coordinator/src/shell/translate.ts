/** Stored messages as events of the core, and which service each is for. */

import type { StoredMessage } from '@swell/shared/adapters/bus.ts';
import { readSlotEntry } from '@swell/shared/adapters/slot-bucket.ts';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { Place } from '@swell/shared/domain/place.ts';
import type { NodeReport, Presence } from '@swell/shared/domain/report.ts';
import type { Scope } from '@swell/shared/domain/scope.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import { controlSchema } from '@swell/shared/protocol/control.ts';
import { releaseSchema } from '@swell/shared/protocol/intent.ts';
import { readHalt, readWave } from '@swell/shared/protocol/orders.ts';
import { policySchema } from '@swell/shared/protocol/policy.ts';
import { presenceSchema, reportSchema } from '@swell/shared/protocol/reports.ts';
import {
  lastToken,
  parseNodeSubject,
  parseOrderSubject,
  parseSlotSubject,
} from '@swell/shared/protocol/subjects.ts';
import type { CoordinatorEvent } from '../core/events.ts';

/** An event, the service it is for, and what was wrong with its message if it did not parse (I13). */
export interface Translated {
  readonly service: ServiceName;
  readonly event: CoordinatorEvent;
  /** Never empty. People's messages carry theirs in the event: they are answered. */
  readonly problems?: readonly string[];
}

export type TranslatedOrder = Translated & {
  readonly event: Extract<CoordinatorEvent, { readonly kind: 'wave-seen' | 'halt-seen' }>;
};

export function translateRelease(message: StoredMessage): Translated {
  const release = decode(message.body, releaseSchema);
  return {
    service: lastToken(message.subject),
    event: { kind: 'release-published', at: placeOf(message), release },
  };
}

export function translateControl(message: StoredMessage): Translated {
  const control = decode(message.body, controlSchema);
  return {
    service: lastToken(message.subject),
    event: { kind: 'control-given', at: placeOf(message), control },
  };
}

/** A word that names a scope is for its leader alone. */
export function isMeant({ event }: Translated, scope: Scope | undefined): boolean {
  if (event.kind !== 'control-given' || !event.control.ok) return true;
  const { scope: named } = event.control.value;
  return named === undefined || named === scope;
}

export function translatePolicy(message: StoredMessage): Translated {
  const service = lastToken(message.subject);
  const at = placeOf(message);
  if (message.deleted) return { service, event: { kind: 'policy-deleted', at } };
  const policy = decode(message.body, policySchema);
  return { service, event: { kind: 'policy-written', at, policy } };
}

function placeOf({ sequence, storedAtMs }: StoredMessage): Place {
  return { sequence, storedAtMs };
}

export function translateSlot(message: StoredMessage, heardAtMs: number): Translated | undefined {
  const place = parseSlotSubject(message.subject);
  if (place === undefined) return undefined;
  const { service, region, slot } = place;
  const { entry, ...problems } = readSlotEntry(message);
  return { service, event: { kind: 'slot-seen', region, slot, entry, heardAtMs }, ...problems };
}

/** An order that stands on the bus; one that does not parse is as good as none, and will be written over. */
export function translateOrder(message: StoredMessage): TranslatedOrder | undefined {
  const place = parseOrderSubject(message.subject);
  if (place === undefined) return undefined;
  const revision = message.sequence;
  if (place.kind === 'wave') {
    const wave = message.deleted ? undefined : readWave(message.body, place);
    const order = wave?.ok === true ? wave.value : undefined;
    return {
      service: place.service,
      event: { kind: 'wave-seen', region: place.region, revision, wave: order },
      ...(wave?.ok === false && { problems: wave.problems }),
    };
  }
  const halt = message.deleted ? undefined : readHalt(message.body, place);
  const order = halt?.ok === true ? halt.value : undefined;
  const seen = { kind: 'halt-seen', revision, halt: order } as const;
  return halt?.ok === false
    ? { service: place.service, event: { ...seen, unreadable: true }, problems: halt.problems }
    : { service: place.service, event: seen };
}

export type Read<Value> =
  | { readonly is: 'value'; readonly value: Value }
  | { readonly is: 'gone'; readonly region: string; readonly node: string }
  | { readonly is: 'unreadable'; readonly problems: readonly string[] };

export function readPresence(message: StoredMessage): Read<Presence> {
  const place = parseNodeSubject(message.subject);
  if (place === undefined) return { is: 'unreadable', problems: ['its subject names no node'] };
  if (message.deleted) return { is: 'gone', ...place };
  const presence = decode(message.body, presenceSchema);
  if (!presence.ok) return { is: 'unreadable', problems: presence.problems };
  const { region, node } = presence.value;
  if (region !== place.region || node !== place.node) {
    return {
      is: 'unreadable',
      problems: [`it speaks of ${region}.${node} under the name of ${place.region}.${place.node}`],
    };
  }
  return { is: 'value', value: presence.value };
}

export function readReport(message: StoredMessage): Read<NodeReport> {
  const report = decode(message.body, reportSchema);
  if (!report.ok) return { is: 'unreadable', problems: report.problems };
  const { region, service, node } = report.value;
  if (!message.subject.endsWith(`.${region}.${service}.${node}`)) {
    return { is: 'unreadable', problems: ['it speaks of a node that is not the one of its subject'] };
  }
  return { is: 'value', value: report.value };
}
