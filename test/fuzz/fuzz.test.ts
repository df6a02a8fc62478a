/** A short look at every door; `npm run fuzz` looks longer. */

import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { isPlain, isPrintable, isRefusal, leavesPrototypesAlone, promptly } from './demands.ts';
import { messageDoor } from './door.ts';
import { DOORS } from './doors.ts';
import { lookAt } from './run.ts';

const RUNS = 300;

describe('every door keeps what it owes, whatever comes to it', () => {
  test.each(DOORS.map((door) => [door.name, door] as const))('%s', { timeout: 120_000 }, async (_, door) => {
    expect(await lookAt(door, { runs: RUNS })).toEqual({ door: door.name, runs: expect.any(Number) });
  });
});

describe('a door that does not is found:', () => {
  const SEED = 1;
  const problemOf = async (
    schema: z.ZodType,
    unknownFields: 'refused' | 'ignored',
  ): Promise<string | undefined> => {
    const door = messageDoor({ name: 'bad', schema, unknownFields });
    return (await lookAt(door, { runs: 3_000, seed: SEED })).failure?.problem;
  };
  const text = z.string();

  test('one that is as it should be is not', async () => {
    expect(
      await problemOf(z.object({ node: text.regex(/^[a-z]{1,9}$/, 'is no name') }), 'ignored'),
    ).toBeUndefined();
  });

  test('it throws at what it wants to quote', async () => {
    const quoting = z.object({
      share: z.union([z.number(), text], { error: ({ input }) => `not ${String(input)}` }),
    });
    expect(await problemOf(quoting, 'ignored')).toBe('Cannot convert object to primitive value');
  });

  test('it takes what is out of bounds', async () => {
    expect(await problemOf(z.object({ leaseMs: z.number() }), 'ignored')).toMatch(/^leaseMs is taken as /);
    expect(await problemOf(z.object({ cursor: z.number().max(1) }), 'ignored')).toMatch(
      /^cursor is taken as -/,
    );
  });

  test('what it takes cannot be written again', async () => {
    const renaming = z.object({ a: text }).transform(({ a }) => ({ b: a })) as unknown as z.ZodType;
    expect(await problemOf(renaming, 'ignored')).toMatch(/^what was taken cannot be read again: a: /);
  });

  test('one whose schema says in code alone what it takes', async () => {
    await expect(problemOf(z.object({ a: text.refine(() => false) }), 'ignored')).rejects.toThrow(
      'a string is not found by chance',
    );
  });

  test('it treats a field that nobody knows as another door would', async () => {
    expect(await problemOf(z.object({ a: text }), 'refused')).toBe(
      'a field that nobody knows was not refused',
    );
    expect(await problemOf(z.strictObject({ a: text }), 'ignored')).toBe(
      'a field that nobody knows was not ignored',
    );
  });
});

test('what is asked of an answer can be missed', () => {
  expect([isPrintable('a b'), isPrintable('a\nb'), isPrintable('\u001b[2J'), isPrintable('\ud800')]).toEqual([
    true,
    false,
    false,
    false,
  ]);
  const refusal = (...problems: string[]) => isRefusal({ ok: false, problems }, ['image']);
  expect(() => refusal('image: is missing', 'the message is not JSON: x', 'image[0].a: b')).not.toThrow();
  for (const problem of ['is missing', 'imagex: y', 'image: \n', `image: ${'x'.repeat(300)}`])
    expect(() => refusal(problem)).toThrow(/^a reason /);
  expect(() => refusal()).toThrow('a refusal without a reason');
  expect(() => isPlain(Object.create({ a: 1 }))).toThrow('a value inherits from what the message said');
  expect(() => promptly(() => wait(300))).toThrow(/^it took \d+ ms$/);
  const polluted: Record<string, unknown> = Object.prototype as never;
  polluted['isAdmin'] = true;
  try {
    expect(leavesPrototypesAlone).toThrow('a prototype was given isAdmin');
  } finally {
    delete polluted['isAdmin'];
  }
  expect(leavesPrototypesAlone).not.toThrow();
});

function wait(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}
