// npm run docs:policy: writes the tables of docs/POLICY.md from the schemas, in which everything that stands there is said.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { policyPage } from './field-tables.ts';
import { root } from './setup/places.ts';

const page = join(root, 'docs/POLICY.md');
writeFileSync(page, policyPage(readFileSync(page, 'utf8')));
