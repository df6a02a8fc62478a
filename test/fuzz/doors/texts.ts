/** Doors that short texts come to: names, durations, image references, subjects. */

import { parseImageReference } from '@swell/shared/domain/image.ts';
import { isName } from '@swell/shared/domain/names.ts';
import { parseDurationMs } from '@swell/shared/kernel/units.ts';
import {
  haltKey,
  lastToken,
  nodeKey,
  parseNodeSubject,
  parseOrderSubject,
  parseSlotSubject,
  releaseSubject,
  slotHeard,
  slotKey,
  waveHeard,
  waveKey,
} from '@swell/shared/protocol/subjects.ts';
import * as fc from 'fast-check';
import { expectEqual, leavesPrototypesAlone, promptly } from '../demands.ts';
import type { Door } from '../door.ts';
import { strangeKey, strangeText } from '../strange.ts';
import { anyDuration, anyName, anyReference } from './well-formed.ts';

function textDoor(name: string, texts: fc.Arbitrary<string>, look: (text: string) => void): Door {
  const asked = (text: string): void => {
    promptly(() => look(text));
    leavesPrototypesAlone();
  };
  return { name, property: fc.property(texts, asked) };
}

/** A text to which something was done. */
function spoilt(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const place = fc.nat(200);
  return fc.oneof(
    texts,
    strangeText,
    strangeKey,
    fc
      .tuple(
        texts,
        place,
        fc.oneof(strangeText, fc.constantFrom('.', '/', ':', '@', '-', '_', ' ', '*')),
        fc.nat(3),
      )
      .map(([text, at, between, length]) => {
        const from = at % (text.length + 1);
        return `${text.slice(0, from)}${between}${text.slice(from + length)}`;
      }),
    fc.tuple(texts, fc.constantFrom(2, 50, 3_000)).map(([text, times]) => text.repeat(times)),
  );
}

/** What every name is used as: a token of a subject, a key of an object. */
function isUsable(name: string): void {
  if (!/^[^\s.*>]{1,63}$/.test(name)) throw new Error(`a name that is no token: ${JSON.stringify(name)}`);
  if (({} as Record<string, unknown>)[name] !== undefined)
    throw new Error(`a name that every object has: ${name}`);
}

const anySlot = fc.nat(999_999);

/** Places, as the bus spells them. */
const subjects = fc.oneof(
  fc.tuple(anyName, anyName, anySlot).map(([region, service, slot]) => slotKey(region, service, slot)),
  fc
    .tuple(anyName, anyName, anySlot)
    .map(([region, service, slot]) => slotHeard(region, service).replace('*', String(slot))),
  fc.tuple(anyName, anyName).map(([region, service]) => waveKey(region, service)),
  fc.tuple(anyName, anyName).map(([region, service]) => waveHeard(region).replace('*', service)),
  fc.tuple(anyName, anyName).map(([region, node]) => nodeKey(region, node)),
  anyName.map(haltKey),
  anyName.map(releaseSubject),
  fc.array(anyName, { maxLength: 6 }).map((tokens) => tokens.join('.')),
);

function isPlace(place: Readonly<Record<string, unknown>> | undefined): void {
  for (const [key, value] of Object.entries(place ?? {})) {
    if (key === 'slot' && Number.isSafeInteger(value) && Number(value) >= 0) continue;
    if (typeof value !== 'string' || !isName(value))
      throw new Error(`${key} is read as ${JSON.stringify(value)}`);
  }
}

/** Of its own subjects it reads what they were made of. */
const madeSubjects: Door = {
  name: 'subjects that we spell',
  property: fc.property(anyName, anyName, anySlot, (region, service, slot) => {
    fc.pre(isName(region) && isName(service));
    const heard = slotHeard(region, service).replace('*', String(slot));
    expectEqual(parseSlotSubject(slotKey(region, service, slot)), { region, service, slot });
    expectEqual(parseSlotSubject(heard), { region, service, slot });
    expectEqual(parseOrderSubject(waveKey(region, service)), { kind: 'wave', region, service });
    expectEqual(parseOrderSubject(waveHeard(region).replace('*', service)), {
      kind: 'wave',
      region,
      service,
    });
    expectEqual(parseOrderSubject(haltKey(service)), { kind: 'halt', service });
    expectEqual(parseNodeSubject(nodeKey(region, service)), { region, node: service });
    expectEqual(lastToken(releaseSubject(service)), service);
  }),
};

export const TEXT_DOORS: readonly Door[] = [
  textDoor('name', spoilt(anyName), (text) => {
    if (isName(text)) isUsable(text);
  }),
  textDoor('duration', spoilt(anyDuration(0, 1_000_000_000)), (text) => {
    const ms = parseDurationMs(text);
    if (ms !== undefined && !(ms >= 0)) throw new Error(`it is read as ${ms}`);
  }),
  textDoor('image reference', spoilt(anyReference), (text) => {
    const read = parseImageReference(text);
    if (read === undefined) return;
    const { repository, tag, digest } = read;
    const written = `${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
    expectEqual(parseImageReference(written), read);
    if (/[\s\p{Cc}]/u.test(written)) throw new Error(`it is read as ${JSON.stringify(written)}`);
  }),
  textDoor('subject', spoilt(subjects), (subject) => {
    const { kind: _, ...order } = parseOrderSubject(subject) ?? { kind: 'none' };
    isPlace(order);
    isPlace(parseSlotSubject(subject));
    isPlace(parseNodeSubject(subject));
    lastToken(subject);
  }),
  madeSubjects,
];
