/** Compares a stream's definition with what the server has, field by field. Pure. */

/** A stream's configuration, in the server's words. */
export type StreamDefinition = { readonly name: string } & Readonly<Record<string, unknown>>;

/** One setting that is not as described. */
export interface Drift {
  readonly stream: string;
  /** Its path, e.g. `republish.dest`. */
  readonly field: string;
  readonly expected: unknown;
  readonly found: unknown;
}

/** What the server adds, and what says nothing about behaviour or belongs to the place where it runs. */
const IGNORED: readonly string[] = ['metadata', 'description', 'placement', 'first_seq'];

/** Every setting that differs. One that is not written counts as the server's default. */
export function compareDefinitions(
  expected: StreamDefinition,
  found: Readonly<Record<string, unknown>>,
  ignored: readonly string[] = [],
): readonly Drift[] {
  const skip = new Set([...IGNORED, ...ignored]);
  const keep = ([field]: readonly [string, unknown]): boolean => !skip.has(field.split(/[.[]/, 1)[0] ?? '');
  const left = new Map(flatten('', expected).filter(keep));
  const right = new Map(flatten('', found).filter(keep));
  return [...new Set([...left.keys(), ...right.keys()])]
    .filter((field) => !sameSetting(left.get(field), right.get(field)))
    .map((field) => ({
      stream: expected.name,
      field,
      expected: left.get(field),
      found: right.get(field),
    }));
}

function flatten(path: string, value: unknown): readonly (readonly [string, unknown])[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => flatten(`${path}[${index}]`, item));
  if (typeof value !== 'object' || value === null) return [[path, value]];
  return Object.entries(value).flatMap(([key, item]) => flatten(path === '' ? key : `${path}.${key}`, item));
}

/** The server leaves out what is zero, and writes -1 for no limit. */
function sameSetting(a: unknown, b: unknown): boolean {
  return a === b || (isDefault(a) && isDefault(b));
}

const isDefault = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  value === 0 ||
  value === -1 ||
  value === '' ||
  value === 'none';
