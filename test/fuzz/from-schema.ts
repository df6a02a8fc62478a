/**
 * Well-formed messages, made from the very schemas that read them: whatever a schema learns to take is sent to it from then
 * on. What a schema can only say in code (a list that rises) is made by hand, by the name of its field.
 */

import * as fc from 'fast-check';
import type { z } from 'zod';

/** Hand-made values, by the name of the field that holds them. */
export type ByField = Readonly<Record<string, fc.Arbitrary<unknown>>>;

/** As much of a schema's inside as is read here. */
interface Definition {
  readonly type: string;
  readonly format?: string;
  readonly checks?: readonly { readonly _zod: { readonly def: Check } }[];
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly element?: z.ZodType;
  readonly keyType?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly entries?: Readonly<Record<string, string>>;
  readonly values?: readonly unknown[];
}

interface Check {
  readonly check: string;
  readonly value?: number;
  readonly inclusive?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: RegExp;
}

const LONGEST = 40;
const IN_VAIN_MAX = 2_000;

/** What a schema takes. */
export function fromSchema(schema: z.ZodType, byField: ByField = {}): fc.Arbitrary<unknown> {
  const made = whateverItsChecks(schema, byField);
  // Checks in code are asked, here and not of the whole, so that few tries are in vain.
  return checksOf(schema).some(({ check }) => check === 'custom') ? taken(made, schema) : made;
}

/** What the schema takes of it. Where it takes next to nothing, its field is to be made by hand. */
function taken<Value>(made: fc.Arbitrary<Value>, schema: z.ZodType): fc.Arbitrary<Value> {
  let inVain = 0;
  return made.filter((value) => {
    const isTaken = schema.safeParse(value).success;
    inVain = isTaken ? 0 : inVain + 1;
    if (inVain > IN_VAIN_MAX) throw new Error(`a ${definitionOf(schema).type} is not found by chance`);
    return isTaken;
  });
}

function whateverItsChecks(schema: z.ZodType, byField: ByField): fc.Arbitrary<unknown> {
  const definition = definitionOf(schema);
  const inner = (part: z.ZodType | undefined): fc.Arbitrary<unknown> =>
    fromSchema(needed(part, definition.type), byField);
  switch (definition.type) {
    case 'object':
      return objectOf(definition.shape ?? {}, byField);
    case 'array':
      return fc.array(inner(definition.element), lengthsOf(schema, 4));
    case 'record':
      return fc.dictionary(textOf(needed(definition.keyType, 'record')), inner(definition.valueType), {
        maxKeys: 4,
      });
    case 'string':
      return textOf(schema);
    case 'number':
      return numberOf(schema);
    case 'boolean':
      return fc.boolean();
    case 'literal':
      return fc.constantFrom(...(definition.values ?? []));
    case 'enum':
      return fc.constantFrom(...Object.values(definition.entries ?? {}));
    case 'union':
      return fc.oneof(...(definition.options ?? []).map(inner));
    case 'pipe':
      return inner(definition.in);
    case 'optional':
    case 'default':
      return inner(definition.innerType);
    default:
      throw new Error(`no values are made of a schema of type ${definition.type} yet`);
  }
}

function objectOf(shape: Readonly<Record<string, z.ZodType>>, byField: ByField): fc.Arbitrary<unknown> {
  const fields = Object.entries(shape).map(([key, schema]) => {
    const made = byField[key] ?? fromSchema(schema, byField);
    const mayBeMissing = ['optional', 'default'].includes(definitionOf(schema).type);
    // To fast-check a frequency of 1 means never: what may be missing, and nobody makes by hand, is.
    const freq = byField[key] === undefined ? 1 : 2;
    return [key, mayBeMissing ? fc.option(made, { nil: undefined, freq }) : made] as const;
  });
  return fc.record(Object.fromEntries(fields), { noNullPrototype: true });
}

function textOf(schema: z.ZodType): fc.Arbitrary<string> {
  const { minLength, maxLength } = lengthsOf(schema, LONGEST);
  const pattern = checksOf(schema).find((check) => check.pattern !== undefined)?.pattern;
  if (pattern !== undefined) return taken(fc.stringMatching(pattern), schema);
  return fc.oneof(
    fc.string({ minLength, maxLength }),
    taken(fc.string({ minLength, maxLength, unit: 'binary' }), schema),
  );
}

function numberOf(schema: z.ZodType): fc.Arbitrary<number> {
  const limits = checksOf(schema);
  const above = limits.filter(({ check }) => check === 'greater_than').map(({ value = 0 }) => value);
  const below = limits.filter(({ check }) => check === 'less_than').map(({ value = 0 }) => value);
  const min = above.length === 0 ? -1_000 : Math.max(...above);
  const max = below.length === 0 ? Number.MAX_SAFE_INTEGER : Math.min(...below);
  const made =
    definitionOf(schema).format === 'safeint'
      ? fc.oneof(fc.integer({ min, max: Math.min(max, min + 50) }), fc.integer({ min, max }))
      : fc.oneof(fc.integer({ min, max: Math.min(max, min + 50_000) }), fc.double({ min, max, noNaN: true }));
  return taken<number>(made, schema);
}

function lengthsOf(
  schema: z.ZodType,
  longest: number,
): { readonly minLength: number; readonly maxLength: number } {
  const limits = checksOf(schema);
  const minLength = Math.max(0, ...limits.map(({ minimum = 0 }) => minimum));
  return {
    minLength,
    maxLength: Math.max(minLength, Math.min(longest, ...limits.map(({ maximum = longest }) => maximum))),
  };
}

function definitionOf(schema: z.ZodType): Definition {
  return schema._zod.def;
}

function checksOf(schema: z.ZodType): readonly Check[] {
  return (definitionOf(schema).checks ?? []).map(({ _zod: { def } }) => def);
}

function needed(schema: z.ZodType | undefined, type: string): z.ZodType {
  if (schema === undefined) throw new Error(`a schema of type ${type} without its inside`);
  return schema;
}
