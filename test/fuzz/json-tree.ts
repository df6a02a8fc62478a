/**
 * JSON as it can lie on the wire and never comes out of `JSON.stringify`: keys twice, numbers that no double holds, words
 * that are no JSON at all.
 */

export type Tree =
  /** Goes to the wire letter by letter. */
  | { readonly is: 'raw'; readonly text: string }
  | { readonly is: 'array'; readonly items: readonly Tree[] }
  | { readonly is: 'object'; readonly entries: readonly (readonly [key: string, value: Tree])[] };

export const raw = (text: string): Tree => ({ is: 'raw', text });

export function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return { is: 'array', items: value.map(treeOf) };
  if (typeof value !== 'object' || value === null) return raw(JSON.stringify(value) ?? 'null');
  const given = Object.entries(value).filter(([, field]) => field !== undefined);
  return { is: 'object', entries: given.map(([key, field]) => [key, treeOf(field)] as const) };
}

export function print(tree: Tree): string {
  switch (tree.is) {
    case 'raw':
      return tree.text;
    case 'array':
      return `[${tree.items.map(print).join(',')}]`;
    case 'object':
      return `{${tree.entries.map(([key, value]) => `${JSON.stringify(key)}:${print(value)}`).join(',')}}`;
  }
}

/** How many places there are: the whole, and each part of it. */
export function places(tree: Tree): number {
  return 1 + parts(tree).reduce((sum, part) => sum + places(part), 0);
}

/** The tree with another value in one place, counted as {@link places} does; `undefined` takes the part away. */
export function changedAt(
  tree: Tree,
  place: number,
  change: (part: Tree) => readonly Tree[] | undefined,
): Tree {
  if (place === 0) return change(tree)?.[0] ?? raw('');
  let before = 1;
  const within = parts(tree).findIndex((part) => {
    const holds = place < before + places(part);
    if (!holds) before += places(part);
    return holds;
  });
  const change1 = (part: Tree): readonly Tree[] =>
    place === before ? (change(part) ?? []) : [changedAt(part, place - before, change)];
  if (tree.is === 'array') {
    return {
      ...tree,
      items: tree.items.flatMap((part, index) => (index === within ? change1(part) : [part])),
    };
  }
  if (tree.is !== 'object') return tree;
  return {
    ...tree,
    entries: tree.entries.flatMap(([key, part], index) =>
      index === within ? change1(part).map((changed) => [key, changed] as const) : [[key, part] as const],
    ),
  };
}

function parts(tree: Tree): readonly Tree[] {
  if (tree.is === 'array') return tree.items;
  return tree.is === 'object' ? tree.entries.map(([, value]) => value) : [];
}
