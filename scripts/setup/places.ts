import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const root: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** What the set-up fetched or built and git ignores. */
export const cache: string = join(root, '.cache');

/** The binaries in it, each under the name of its tool. */
export const cacheBin: string = join(cache, 'bin');

/** What Node has compiled of our sources: tests start the programs hundreds of times. */
export const compiled: string = join(cache, 'compiled');
