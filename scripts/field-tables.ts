import { intentJsonSchemas } from '@swell/shared/protocol/intent.ts';
import { policyJsonSchema } from '@swell/shared/protocol/policy.ts';

/** A field, or an object of fields, as its JSON Schema tells of it. */
export type Schema = {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly description?: string;
  readonly default?: unknown;
  /** In words, where the default is no value. */
  readonly otherwise?: string;
  readonly examples?: readonly unknown[];
  /** Of a list: what each of its entries is. */
  readonly items?: Schema;
};

const HEAD = '| field | default | meaning | example |\n|---|---|---|---|\n';
const MARK = '<!-- fields of';
const MARKED = /(<!-- fields of (\w+): (.+) -->)(?:(?!<!--)[^])*(<!-- end of fields -->)/g;

/** docs/POLICY.md, with its tables as the schemas have them now. */
export function policyPage(page: string): string {
  const policy = policyJsonSchema() as Schema;
  const gate = policy.properties?.gates?.items ?? {};
  return withTables(page, { policy, gate, release: intentJsonSchemas().release as Schema });
}

/**
 * A page with its tables written anew. Each stands between two lines, the first of which names its fields:
 *
 *     <!-- fields of policy: stages approval -->
 *     <!-- end of fields -->
 */
export function withTables(page: string, schemas: Readonly<Record<string, Schema>>): string {
  if (page.split(MARK).length - 1 !== [...page.matchAll(MARKED)].length)
    throw new Error(`"${MARK} <kind>: <names> -->" or "<!-- end of fields -->" is missing or misspelt`);
  return page.replaceAll(MARKED, (_, start: string, kind: string, names: string, end: string) => {
    const rows = names.split(' ').flatMap((name) => {
      const schema = schemas[kind]?.properties?.[name];
      if (schema === undefined) throw new Error(`there is no field "${name}" of a ${kind}`);
      return rowsOf(name, schema);
    });
    return `${start}\n\n${HEAD}${rows.join('')}\n${end}`;
  });
}

/** One for each field that holds a value, by its path. */
function rowsOf(path: string, schema: Schema): readonly string[] {
  if (schema.properties !== undefined)
    return Object.entries(schema.properties).flatMap(([name, inner]) => rowsOf(`${path}.${name}`, inner));
  const { description, default: fallback, otherwise = 'none', examples = [] } = schema;
  if (description === undefined || examples.length === 0)
    throw new Error(`${path} needs a description and an example: .meta({ description, examples })`);
  const cells = [
    code(path),
    fallback === undefined ? otherwise : code(inJson(fallback)),
    description,
    code(inJson(examples[0])),
  ];
  return [`| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`];
}

function code(text: string): string {
  return `\`${text}\``;
}

/** On one line, with room between: `{"port": 80, "path": "/"}`. */
function inJson(value: unknown): string {
  // Strings have no line breaks of their own in JSON.
  return JSON.stringify(value, null, 1)
    .replaceAll(/(?<=[[{])\n\s*|\n\s*(?=[\]}])/g, '')
    .replaceAll(/\n\s*/g, ' ');
}
