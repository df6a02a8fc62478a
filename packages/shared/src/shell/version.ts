import { readFileSync } from 'node:fs';

const read: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

/** Of all packages: they are released together. */
export const VERSION: string = (read as { version: string }).version;
