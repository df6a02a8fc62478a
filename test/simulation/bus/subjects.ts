/** Subjects as the server reads them: tokens between dots, `*` for one of them, `>` for one or more at the end. */

/** Whether a subject is one of a pattern's. */
export function matcher(pattern: string): (subject: string) => boolean {
  if (!hasWildcard(pattern)) return (subject) => subject === pattern;
  const wanted = pattern.split('.');
  return (subject) => {
    const found = subject.split('.');
    for (const [index, token] of wanted.entries()) {
      if (found[index] === undefined) return false;
      if (token === '>') return true;
      if (token !== '*' && token !== found[index]) return false;
    }
    return wanted.length === found.length;
  };
}

export const hasWildcard = (subject: string): boolean => /(?:^|\.)[*>](?:\.|$)/.test(subject);

/** What a publisher may name: no wildcard, no empty token, no white space. */
export const isPublishable = (subject: string): boolean =>
  /^[^\s.]+(?:\.[^\s.]+)*$/.test(subject) && !hasWildcard(subject);

/** Rewrites subjects: `$KV.swell_orders.>` as `swell.>`. Undefined for a subject that it does not concern. */
export type Rewrite = (subject: string) => string | undefined;

/** Of a source's or a republisher's two patterns; only the tail may be wild, as in every definition of ours. */
export function rewriter(source: string, destination: string): Rewrite {
  const [from, to] = [source, destination].map((pattern) => {
    const fixed = pattern.slice(0, -1);
    if (!pattern.endsWith('>') || hasWildcard(fixed)) throw new Error(`no model of the pattern ${pattern}`);
    return fixed;
  }) as [string, string];
  return (subject) => (subject.startsWith(from) ? to + subject.slice(from.length) : undefined);
}

interface Branch<Item> {
  readonly next: Map<string, Branch<Item>>;
  readonly items: Set<Item>;
}

/** Things by the pattern that they wait for: a tree of tokens, so that a subject finds its own in as many steps as it has. */
export class SubjectIndex<Item> {
  readonly #root: Branch<Item> = { next: new Map(), items: new Set() };

  add(pattern: string, item: Item): void {
    let branch = this.#root;
    for (const token of pattern.split('.')) {
      let next = branch.next.get(token);
      if (next === undefined) {
        next = { next: new Map(), items: new Set() };
        branch.next.set(token, next);
      }
      branch = next;
    }
    branch.items.add(item);
  }

  remove(pattern: string, item: Item): void {
    let branch: Branch<Item> | undefined = this.#root;
    for (const token of pattern.split('.')) branch = branch?.next.get(token);
    branch?.items.delete(item);
  }

  /** Everything that waits for this subject. */
  find(subject: string): readonly Item[] {
    const found: Item[] = [];
    collect(this.#root, subject.split('.'), 0, found);
    return found;
  }
}

function collect<Item>(branch: Branch<Item>, tokens: readonly string[], depth: number, found: Item[]): void {
  const token = tokens[depth];
  if (token === undefined) {
    found.push(...branch.items);
    return;
  }
  for (const key of [token, '*']) {
    const next = branch.next.get(key);
    if (next !== undefined) collect(next, tokens, depth + 1, found);
  }
  const rest = branch.next.get('>');
  if (rest !== undefined) found.push(...rest.items);
}
