import { describe, expect, it, test } from 'vitest';
import { readShapes } from '../bus/definition.ts';
import { liveThrough } from './storm.ts';
import { OneNode } from './world.ts';

const SHAPES = await readShapes();
/** More of them: `npm run sim:node -- <seeds>`. */
const SEEDS = Array.from({ length: 12 }, (_, index) => `n${index}`);

describe('an agent that is a service of its own node', () => {
  it('is updated, and goes back from what is not well', async () => {
    using node = new OneNode('calm', SHAPES, 'always');
    const { truth } = node;
    const until = (status: string): Promise<boolean> =>
      node.run(240_000, () => truth.isQuiet && truth.reports.at(-1)?.status === status);
    await node.open();
    node.release('v2', 'well');
    expect(await until('healthy')).toBe(true);
    node.release('v3', 'sick');
    expect(await until('failed')).toBe(true);
    truth.finish();
    expect(truth.violation).toBeUndefined();
    expect(truth.reports.map(({ status }) => status)).toEqual([
      'staged',
      'updating',
      'healthy',
      'staged',
      'updating',
      'failed',
    ]);
  });

  // An agent died while dockerd made the new container; the next one found none, said `interrupted`, and the one after it found it.
  it('ends an attempt once, also where dockerd makes its container late', async () => {
    expect((await liveThrough('n1055', SHAPES)).violation).toBeUndefined();
  });

  test.each(SEEDS)(
    'lives through storm %s: one acts, one is kept, one is left',
    { timeout: 60_000 },
    async (seed) => {
      expect((await liveThrough(seed, SHAPES)).violation).toBeUndefined();
    },
  );
});
