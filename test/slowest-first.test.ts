import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../scripts/setup/places.ts';
import { SLOW } from './slowest-first.ts';

it('names files that are there', () => {
  expect(SLOW.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});
