import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ddmin } from './ddmin.ts';

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at);

/** It breaks wherever all of these are there. */
async function least(count: number, needed: readonly number[], width = 1) {
  let reruns = 0;
  const kept = await ddmin(numbers(count), {
    breaks: async (items) => {
      reruns += 1;
      return needed.every((one) => items.includes(one));
    },
    isSpent: () => false,
    width,
  });
  return { kept, reruns };
}

test('what is needed is all that is left, whatever it is and however many are tried side by side', async () => {
  const cases = fc.integer({ min: 0, max: 60 }).chain((count) =>
    fc.record({
      count: fc.constant(count),
      needed: fc.subarray([...numbers(count)]),
      width: fc.integer({ min: 1, max: 5 }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ({ count, needed, width }) => {
      expect((await least(count, needed, width)).kept).toEqual(needed);
    }),
    { numRuns: 200 },
  );
});

test('two of two hundred are found in fewer than a hundred reruns', async () => {
  const { kept, reruns } = await least(200, [17, 180]);
  expect(kept).toEqual([17, 180]);
  expect(reruns).toBeLessThan(100);
});

test('where the budget ends, what is left still breaks', async () => {
  let left = 9;
  const kept = await ddmin(numbers(100), {
    breaks: async (items) => {
      left -= 1;
      return items.includes(3) && items.includes(70);
    },
    isSpent: () => left <= 0,
    width: 1,
  });
  expect(kept).toEqual(expect.arrayContaining([3, 70]));
  expect(kept.length).toBeLessThan(100);
});
