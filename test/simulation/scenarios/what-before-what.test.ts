/** Services that depend on services: whole coordinators, and agents with three services each. */

import { expect, test } from 'vitest';
import { ServicesStage } from './services.ts';

const REGIONS = ['eu-west', 'eu-west', 'us-east', 'us-east'];
const SERVICES = ['db', 'queue', 'web'] as const;
const CHAIN = { web: { dependsOn: ['queue'] }, queue: { dependsOn: ['db'] }, db: {} };
const TRAIN = { train: '2026-11', trainOf: SERVICES };

test('K3: a train rolls in order, whatever was published first and whoever leads', {
  timeout: 120_000,
}, async () => {
  using stage = await ServicesStage.open(CHAIN, REGIONS);
  const web = stage.release('web', TRAIN);
  await stage.pass(5_000);
  const queue = stage.release('queue', TRAIN);
  await stage.pass(5_000);
  const db = stage.release('db', TRAIN);
  await stage.untilTold('stage-opened', db);
  stage.replaceCoordinators();
  await stage.untilTold('stage-opened', queue);
  stage.replaceCoordinators();
  await stage.untilTold('rollout-settled', web);
  for (const [first, next] of [
    [db, queue],
    [queue, web],
  ] as const) {
    const lastMs = Math.max(...stage.reports(first, 'healthy').map(({ atMs }) => atMs));
    const [starts, ends] = [stage.reports(next, 'updating'), stage.reports(first, 'healthy')];
    expect([starts.length, ends.length]).toEqual([4, 4]);
    expect(Math.min(...starts.map(({ atMs }) => atMs))).toBeGreaterThan(lastMs);
  }
  expect(stage.violations()).toEqual([]);
});

test('K3: a halt stops what depends on it, and what is better lets it go on', {
  timeout: 120_000,
}, async () => {
  using stage = await ServicesStage.open({ ...CHAIN, web: { ...CHAIN.web, soak: '2m' } }, REGIONS);
  const db = stage.release('db');
  await stage.untilTold('rollout-settled', db);
  const web = stage.release('web');
  await stage.untilTold('stage-opened', web);
  stage.control('db', 'halt');
  const paused = await stage.untilTold('rollout-paused', web);
  expect(paused.line).toBe(
    `rollout ${web} of web is paused: it waits for db, which has not settled on rollout ${db} ` +
      '(it was stopped: by an operator) or a later one',
  );
  await stage.untilTold('rollout-rested', db);
  // Who had begun ends it; nobody else starts, whoever leads.
  await stage.pass(60_000);
  const started = stage.reports(web, 'updating').length;
  expect(started).toBeLessThan(REGIONS.length);
  stage.replaceCoordinators();
  await stage.pass(120_000);
  expect(stage.reports(web, 'updating').length).toBe(started);
  const better = stage.release('db');
  await stage.untilTold('rollout-resumed', web);
  expect(stage.events.some(({ name, rollout }) => name === 'rollout-settled' && rollout === better)).toBe(
    true,
  );
  await stage.untilTold('rollout-settled', web);
  expect(stage.violations()).toEqual([]);
});

test('K3: region by region a service follows the one that it depends on', { timeout: 120_000 }, async () => {
  const policies = {
    db: { regions: [['eu-west'], ['us-east']], soak: '2m' },
    web: { dependsOn: [{ service: 'db', per: 'region' }] },
  };
  using stage = await ServicesStage.open(policies, REGIONS);
  const db = stage.release('db');
  const web = stage.release('web');
  await stage.untilTold('rollout-settled', web);
  const endOf = (region: string): number =>
    Math.max(...stage.reports(db, 'healthy').flatMap((one) => (one.region === region ? [one.atMs] : [])));
  const startIn = (region: string): number =>
    Math.min(...stage.reports(web, 'updating').flatMap((one) => (one.region === region ? [one.atMs] : [])));
  // After its soak there, and before the other region is through.
  expect(startIn('eu-west')).toBeGreaterThan(endOf('eu-west') + 120_000);
  expect(startIn('eu-west')).toBeLessThan(endOf('us-east') + 120_000);
  expect(startIn('us-east')).toBeGreaterThan(endOf('us-east') + 120_000);
  expect(stage.violations()).toEqual([]);
});

test('K5: a node that was away comes back to what its services have settled on', {
  timeout: 120_000,
}, async () => {
  using stage = await ServicesStage.open(CHAIN, REGIONS);
  const away = stage.away(0);
  const [db, web] = [stage.release('db'), stage.release('web')];
  await stage.untilTold('rollout-settled', web);
  expect([db, web].map((rollout) => stage.reports(rollout, 'healthy').length)).toEqual([3, 3]);
  stage.comeBack(away);
  await stage.until('it has followed', () =>
    [db, web].every((one) => stage.reports(one, 'healthy').length === 4),
  );
  expect(stage.violations()).toEqual([]);
});
