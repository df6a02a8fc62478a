/** A door: a place where bytes from outside become values, or a list of what is wrong with them. */

import { isDeepStrictEqual } from 'node:util';
import { decode, encode } from '@swell/shared/protocol/codec.ts';
import * as fc from 'fast-check';
import type { z } from 'zod';
import { type Body, bodies } from './bodies.ts';
import { isInBounds } from './bounds.ts';
import { expectEqual, isPlain, isRefusal, leavesPrototypesAlone, promptly } from './demands.ts';
import { type ByField, fromSchema } from './from-schema.ts';

export interface Door {
  readonly name: string;
  /** Throws, or fails, where the door does not keep what it owes. */
  readonly property: fc.IAsyncProperty<unknown> | fc.IProperty<unknown>;
  /** A look at it takes so many times as long as one at a parser. */
  readonly weight?: number;
}

export interface MessageDoor<Value> {
  readonly name: string;
  readonly schema: z.ZodType<Value>;
  readonly bytesMax?: number;
  /** What schemas can only say in code. */
  readonly byField?: ByField;
  /** People's messages must not have a field that nobody knows: it would be a misspelt one. */
  readonly unknownFields: 'refused' | 'ignored';
  /** What else holds of a value that was taken; as a rule, that it goes through the bus unchanged. */
  readonly taken?: (value: Value) => void;
}

/** A door that a message of a known shape comes to. */
export function messageDoor<Value>(door: MessageDoor<Value>): Door {
  const { name, schema, bytesMax, byField = {}, unknownFields } = door;
  const wellFormed = fromSchema(schema, byField);
  const fields = fieldsOf(schema);
  const taken = door.taken ?? ((value: Value) => goesThrough(value, schema, bytesMax));
  const look = ({ bytes, wellFormed: mustBeTaken }: Body): void => {
    const parsed = promptly(() => decode(bytes, schema, bytesMax));
    leavesPrototypesAlone();
    if (!parsed.ok) {
      if (mustBeTaken && bytes.length <= (bytesMax ?? 65_536))
        throw new Error(`refused: ${parsed.problems.join('; ')}`);
      return isRefusal(parsed, fields);
    }
    isPlain(parsed.value);
    isInBounds(parsed.value);
    taken(parsed.value);
    if (mustBeTaken) treatsUnknownFields(bytes);
  };
  const treatsUnknownFields = (bytes: Uint8Array): void => {
    const message = JSON.parse(new TextDecoder().decode(bytes)) as object;
    const before = decode(bytes, schema, bytesMax);
    const after = decode(
      encode({ ...message, zone: { of: ['a later version'] } }),
      schema,
      Number.MAX_SAFE_INTEGER,
    );
    const asItShould = unknownFields === 'refused' ? !after.ok : isDeepStrictEqual(after, before);
    if (!asItShould) throw new Error(`a field that nobody knows was not ${unknownFields}`);
  };
  return { name, property: fc.property(bodies(wellFormed), look) };
}

/** Written and read again, it is what it was, letter by letter. */
export function goesThrough<Value>(value: Value, schema: z.ZodType<Value>, bytesMax?: number): void {
  const again = decode(encode(value), schema, bytesMax);
  if (!again.ok) throw new Error(`what was taken cannot be read again: ${again.problems.join('; ')}`);
  expectEqual(again.value, value);
}

/** The names of a message's own fields. */
function fieldsOf(schema: z.ZodType): readonly string[] {
  const definition = schema._zod.def as {
    readonly in?: z.ZodType;
    readonly shape?: object;
    readonly options?: readonly z.ZodType[];
  };
  if (definition.options !== undefined) return definition.options.flatMap(fieldsOf);
  return definition.in === undefined ? Object.keys(definition.shape ?? {}) : fieldsOf(definition.in);
}
