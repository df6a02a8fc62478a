import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../../scripts/setup/places.ts';
import { fidelityDocument } from './document.ts';
import { madeByCli } from './made-by-cli.ts';
import { madeByCompose } from './made-by-compose.ts';

describe('docs/FIDELITY.md', () => {
  test('says what the tests make', async () => {
    await expect(fidelityDocument()).toMatchFileSnapshot(join(root, 'docs', 'FIDELITY.md'));
  });

  test('names each configuration once, and at least eighty', () => {
    const names = [madeByCli, madeByCompose].map((made) => made.map(({ name }) => name));
    for (const list of names) expect(new Set(list).size).toBe(list.length);
    expect(names.flat().length).toBeGreaterThanOrEqual(80);
  });

  test('is not alone: every refusal stands in the table of docs/OPERATIONS.md', () => {
    const operations = readFileSync(join(root, 'docs', 'OPERATIONS.md'), 'utf8');
    const refusals = [...madeByCli, ...madeByCompose].flatMap(({ refused }) => refused ?? []);
    expect(refusals.filter((refused) => !operations.includes(refused))).toEqual([]);
  });
});
