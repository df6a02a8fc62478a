import { codeOnly, fileMeant, specifiersOf, stringsOf, withoutComments } from './source-text.ts';

/** Source files by their path from the root: `packages/agent/src/core/step.ts`. */
export type Sources = ReadonlyMap<string, string>;

/** Finds what breaks a rule, one line each, beginning with the file. */
export type Rule = (sources: Sources) => readonly string[];

const FLOORS = ['kernel', 'domain', 'core', 'protocol', 'adapters', 'shell'] as const;
type Floor = (typeof FLOORS)[number] | 'main';

type Place = { readonly workspace: string; readonly floor: Floor | undefined };

/** Imports go to the same floor or down. */
export const floorsAreKept: Rule = (sources) =>
  edges(sources).flatMap(({ importer, imported }) => {
    const above = placeOf(imported).floor;
    const here = placeOf(importer).floor;
    if (here === undefined || above === undefined) {
      return [`${here === undefined ? importer : imported} is on no floor`];
    }
    return height(above) > height(here) ? [`${importer} (${here}) imports ${imported} (${above})`] : [];
  });

/** A package imports itself and shared, never its sibling, and nothing outside the packages. */
export const siblingsAreStrangers: Rule = (sources) =>
  edges(sources)
    .filter(({ importer, imported }) => {
      const { workspace } = placeOf(imported);
      return workspace !== placeOf(importer).workspace && workspace !== 'shared';
    })
    .map(({ importer, imported }) => `${importer} imports ${imported}`);

/** No file reaches itself by its imports, types included: a circle of types is a circle of thoughts. */
export const importsRunInNoCircle: Rule = (sources) => {
  const importsOf = Map.groupBy(edges(sources), ({ importer }) => importer);
  const settled = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) {
      circles.push([...path.slice(start), file].join(' → '));
    } else if (!settled.has(file)) {
      for (const { imported } of importsOf.get(file) ?? []) {
        visit(imported, [...path, file]);
      }
      settled.add(file);
    }
  };
  for (const file of sources.keys()) {
    visit(file, []);
  }
  return circles;
};

const IMPURE: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['a clock', /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.|\bprocess\.hrtime\b|\bTemporal\.Now\b/],
  ['chance', /\bMath\.random\b|\brandom(?:UUID|Bytes|Int|FillSync)\b|\bgetRandomValues\b/],
  ['a timer', /\bset(?:Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/],
  ['a promise', /\basync\b|\bawait\b|\bPromise\b/],
  ['the console', /\bconsole\./],
  ['the process', /\bprocess\.|\bglobalThis\b/],
  ['the network', /\bfetch\(/],
];

/** Libraries that are as pure as what is built on them. */
const PURE: readonly string[] = ['node:crypto', 'semver'];

/** Kernel, domain and core know no clock, chance, promise, process or console; of Node at most its hashes. */
export const lowFloorsArePure: Rule = (sources) =>
  [...sources].flatMap(([file, text]) => {
    const { floor } = placeOf(file);
    if (floor !== 'kernel' && floor !== 'domain' && floor !== 'core') {
      return [];
    }
    const code = codeOnly(text);
    const used = IMPURE.filter(([, pattern]) => pattern.test(code)).map(([what]) => `${file} uses ${what}`);
    const imported = specifiersOf(text)
      .filter((specifier) => fileMeant(file, specifier) === undefined)
      .filter((specifier) => floor === 'core' || !PURE.includes(specifier))
      .map((specifier) => `${file} imports ${specifier}`);
    return [...used, ...imported];
  });

/** Only adapters know the NATS client. */
export const natsStaysInAdapters: Rule = (sources) =>
  [...sources]
    .filter(([file, text]) => placeOf(file).floor !== 'adapters' && specifiersOf(text).some(isNatsClient))
    .map(([file]) => `${file} imports the NATS client`);

// Labels of containers begin with `swell.` as well; these words begin subjects.
const SUBJECT =
  /\bswell\.(?:[>*]|(?:release|control|policy|rollout|wave|halt|slot|node|health|event|pulse|ask)\b)|\$KV\.|\bKV_swell|\bSWELL_(?:RELEASES|CONTROL|HEALTH|LOG)\b/;

/** Subjects, keys and streams are spelled in protocol only. */
export const subjectsAreSpelledOnce: Rule = (sources) =>
  [...sources]
    .filter(([file]) => placeOf(file).floor !== 'protocol')
    .flatMap(([file, text]) =>
      stringsOf(text)
        .filter((literal) => SUBJECT.test(literal))
        .map((literal) => `${file} spells ${literal}`),
    );

/** Things have one name everywhere: no default exports, and no files that only pass on what others export. */
export const modulesArePlain: Rule = (sources) =>
  [...sources].flatMap(([file, text]) => {
    const code = withoutComments(text);
    const hasDefault = /^export default\b|\bas default\b/m.test(code);
    const rest = code.replace(/^(?:import|export)\s[^;]*?\sfrom\s[^;]*;/gm, '').trim();
    const isBarrel = file.endsWith('/index.ts') || (rest === '' && /^export\s/m.test(code));
    return [
      ...(hasDefault ? [`${file} has a default export`] : []),
      ...(isBarrel ? [`${file} is a barrel`] : []),
    ];
  });

type Edge = { readonly importer: string; readonly imported: string };

function edges(sources: Sources): readonly Edge[] {
  return [...sources].flatMap(([importer, text]) =>
    specifiersOf(text)
      .map((specifier) => fileMeant(importer, specifier))
      .filter((imported) => imported !== undefined)
      .map((imported) => ({ importer, imported })),
  );
}

function placeOf(file: string): Place {
  const [, workspace = '', inside = ''] = /^packages\/([^/]+)\/src\/(.+)$/.exec(file) ?? [];
  if (inside === 'main.ts') {
    return { workspace, floor: 'main' };
  }
  return { workspace, floor: FLOORS.find((floor) => inside.startsWith(`${floor}/`)) };
}

function height(floor: Floor): number {
  return floor === 'main' ? FLOORS.length : FLOORS.indexOf(floor);
}

function isNatsClient(specifier: string): boolean {
  return specifier.startsWith('@nats-io/');
}
