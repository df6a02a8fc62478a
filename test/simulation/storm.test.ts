import { expect, test } from 'vitest';
import { readShapes } from './bus/definition.ts';
import { live } from './life.ts';
import { profileOf } from './profile.ts';

const SHAPES = await readShapes();

test('the faults that are for whoever leads find out who that is', { timeout: 60_000 }, async () => {
  const profile = profileOf('two leaders', { 'two leaders': 60, 'coordinator stops at an effect': 60 });
  const { strikes, violations } = await live({
    seed: 'two leaders',
    nodes: 6,
    profile,
    shapes: SHAPES,
    stormMs: 900_000,
  });
  const hit = (kind: string) =>
    strikes.filter(({ kind: of, what }) => of === kind && what !== 'nobody leads').map(({ what }) => what);
  expect(hit('two leaders')).not.toEqual([]);
  expect(hit('coordinator stops at an effect')).not.toEqual([]);
  expect(violations).toEqual([]);
});
