import { expect, test } from 'vitest';
import { readConfig } from './config.ts';
import { CoordinatorMetrics } from './metrics.ts';

test('a coordinator without a scope is the global one', () => {
  expect(readConfig({}).scope).toBeUndefined();
  expect(readConfig({ SWELL_SCOPE: 'europe' }).scope).toBe('europe');
});

test.each(['eu.west', 'two words', '*'])(
  'a scope that could be no key is refused by its name: %s',
  (text) => {
    expect(() => readConfig({ SWELL_SCOPE: text })).toThrow(
      /SWELL_SCOPE: must be a name of letters, digits, "-" and "_"/,
    );
  },
);

test('metrics bear the label of a scope, and none without one', async () => {
  const shown = async (scope?: string): Promise<string | undefined> => {
    const metrics = new CoordinatorMetrics('1.0.0', scope);
    metrics.leads(true);
    return /^swell_leader.*$/m.exec(await metrics.registry.metrics())?.[0];
  };
  expect([await shown(), await shown('europe')]).toEqual([
    'swell_leader 1',
    'swell_leader{scope="europe"} 1',
  ]);
});
