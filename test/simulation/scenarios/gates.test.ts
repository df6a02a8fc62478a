/**
 * What Prometheus says while a stage is watched: whole coordinators and agents, and a Prometheus that knows what runs
 * where, or does not.
 */

import { expect, test } from 'vitest';
import { digestOf, SERVICE } from '../world.ts';
import { Stage } from './stage.ts';

const ERRORS = {
  name: 'errors',
  query: 'errors{service="$service",version="$version",region="$region"}',
  max: 10,
  for: '20s',
  every: '10s',
};
const LIMITS = { timeout: 60_000 };

/** Six nodes in three regions, and the first of each goes first. */
function opened(policy: object): Promise<Stage> {
  const health = { interval: '1s', minHealthyTime: '5s', healthyDeadline: '20s' };
  return Stage.open({
    nodes: 6,
    policy: { stages: [50, 100], soak: '30s', progressDeadline: '2m', health, ...policy },
  });
}

function lines(stage: Stage, name: string): readonly string[] {
  return stage.entries.flatMap((entry) =>
    entry.kind === 'event' && entry.event.name === name ? [entry.event.line] : [],
  );
}

function on(stage: Stage, tag: string): number {
  return stage.world.nodes.filter(({ model }) => model.running(SERVICE) === digestOf(tag)).length;
}

test('N10: what is good goes on, asked in each region by itself', LIMITS, async () => {
  const stage = await opened({ gates: [ERRORS] });
  stage.world.prometheus.measure = (nodes) => nodes.length;
  stage.release();
  await stage.untilSettled();
  await stage.until('it settles', () => stage.hasTold('rollout-settled'));
  expect(stage.told('gates-passed')).toBe(2);
  const asked = new Set(stage.world.prometheus.queries.map(({ query }) => query));
  expect([...asked].sort()).toEqual(
    ['ap-south', 'eu-west', 'us-east'].map(
      (region) => `errors{service="web",version="v2",region="${region}"}`,
    ),
  );
});

test('N10: what is bad in one region halts all, and everybody goes back', LIMITS, async () => {
  const stage = await opened({ gates: [ERRORS] });
  stage.world.prometheus.measure = ([first]) => (first?.region === 'us-east' ? 11 : 0);
  stage.release();
  await stage.until('it rests', () => stage.hasTold('rollout-rested'));
  expect(lines(stage, 'rollout-halted')[0]).toContain(
    'is halted: gate errors in us-east: 11 is more than max 10, 3 times in a row',
  );
  expect(on(stage, 'v1')).toBe(6);
});

test.each([
  ['no-data', 'no data'],
  ['nonsense', 'its value is NaN'],
  ['slow', 'no answer in 10000 ms'],
] as const)(
  'N10: a Prometheus with %s is never a pass: it waits, holds, and goes on when it is well',
  LIMITS,
  async (fault, seen) => {
    const stage = await opened({ gates: [ERRORS] });
    stage.world.prometheus.fault = fault;
    stage.release();
    await stage.until('it is held', () => stage.hasTold('rollout-paused'));
    expect(lines(stage, 'rollout-paused')[0]).toContain(`says nothing: ${seen} (and 2 more)`);
    expect([on(stage, 'v2'), stage.told('rollout-halted')]).toEqual([3, 0]);
    stage.world.prometheus.fault = undefined;
    stage.world.control({ action: 'resume' });
    await stage.untilSettled();
  },
);

test('N10: it is compared with the nodes that are not updated, while there are any', LIMITS, async () => {
  const query = 'avg(memory{service="$service",version="$version"})';
  const gates = [{ name: 'memory', query, compare: { max: 1.5 }, every: '5s', failures: 2 }];
  const stage = await opened({ gates });
  let more = 1.4;
  stage.world.prometheus.measure = ([first]) =>
    first?.running(SERVICE) === digestOf('v1') ? 100 : 100 * more;
  stage.release();
  await stage.untilSettled();
  await stage.until('it settles', () => stage.hasTold('rollout-settled'));
  more = 1;
  stage.world.prometheus.measure = ([first]) => (first?.running(SERVICE) === digestOf('v2') ? 100 : 160);
  stage.release();
  await stage.until('it is halted', () => stage.hasTold('rollout-halted'));
  expect(lines(stage, 'rollout-halted')[0]).toContain(
    'gate memory: 160 is more than 150: compare.max 1.5 times 100 of the nodes that are not updated, 2 times in a row',
  );
});

test('N10: a take-over in the middle of a soak asks anew, for the whole of its time', LIMITS, async () => {
  const stage = await opened({ gates: [{ ...ERRORS, for: '1m' }], soak: '1m' });
  const { prometheus } = stage.world;
  stage.release();
  await stage.until('it is watched', () => stage.hasTold('stage-finished'));
  await stage.world.run(50_000);
  for (const coordinator of stage.world.coordinators)
    stage.world.killCoordinator(coordinator, { awayMs: 1_000, arriving: 0 });
  const killedAtMs = stage.world.nowMs;
  await stage.until('its gates are good', () => stage.hasTold('gates-passed'));
  const first = prometheus.queries.find(({ atMs }) => atMs > killedAtMs);
  // The record says since when it is watched; that it was good nobody remembers.
  expect(stage.world.nowMs - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(60_000);
});
