/** A planted bug: a small patch to one file of the real code, and what the simulation must say of it. */

import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../../../scripts/setup/places.ts';
import type { WorldName } from './worlds.ts';

export interface Mutant {
  readonly name: string;
  /** One sentence: what would happen to an operator. */
  readonly story: string;
  /** From the repository's root. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** Whichever of these rules is broken, the bug is caught; by any other it is not: that would be luck. */
  readonly breaks: readonly string[];
  /** Where it is likely to show. */
  readonly world: WorldName;
}

/** The file's text with the bug in it. Throws where the code has moved on. */
export function patched({ name, file, find, replace }: Mutant): string {
  const source = readFileSync(join(root, file), 'utf8');
  const [before, after, ...more] = source.split(find);
  if (before === undefined || after === undefined || more.length > 0) {
    const times = after === undefined ? 'not at all' : `${more.length + 1} times`;
    throw new Error(`${name}: its text stands in ${file} ${times}, and has to exactly once`);
  }
  return before + replace + after;
}

/** From here on this process loads the file with the bug in it; on the disk nothing changes. */
export function plant(mutant: Mutant): void {
  const source = patched(mutant);
  const url = pathToFileURL(join(root, mutant.file)).href;
  registerHooks({
    load: (loaded, context, next) =>
      loaded === url ? { format: 'module-typescript', source, shortCircuit: true } : next(loaded, context),
  });
}
