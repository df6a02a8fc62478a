/** Keeps the planted bugs plantable while the code moves on. */

import { stripTypeScriptTypes } from 'node:module';
import { describe, expect, test } from 'vitest';
import { MUTANTS } from './all.ts';
import { patched } from './mutant.ts';

test('no two mutants share a name', () => {
  const names = MUTANTS.map(({ name }) => name);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

test('there are more of them than the 25 that were promised', () => {
  expect(MUTANTS.length).toBeGreaterThan(25);
});

describe('the text of each stands in its file exactly once, and the file with the bug in it is still a program', () => {
  test.each(MUTANTS)('$name', (mutant) => {
    expect(mutant.replace).not.toBe(mutant.find);
    expect(() => stripTypeScriptTypes(patched(mutant))).not.toThrow();
  });
});

describe('a patch that has lost its place is refused', () => {
  const mutant = { ...MUTANTS[0], name: 'lost' } as (typeof MUTANTS)[number];

  test('where its text is gone', () => {
    const find = 'no line of ours says this';
    expect(() => patched({ ...mutant, find })).toThrow(/stands in .* not at all/);
  });

  test('where its text stands several times', () => {
    expect(() => patched({ ...mutant, find: 'state' })).toThrow(/stands in .* \d+ times/);
  });
});
