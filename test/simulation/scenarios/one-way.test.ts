/** B19: a release that cannot be undone, by whole coordinators and agents. */

import type { NodeReport } from '@swell/shared/domain/report.ts';
import { expect, test } from 'vitest';
import type { Ailment } from '../ailments.ts';
import { digestOf, SERVICE, type SimulatedNode } from '../world.ts';
import { Stage, type StageOptions } from './stage.ts';

const V2 = digestOf('v2');
const WHY = 'not healthy within 1m: probe failed';

function release(stage: Stage, tag: string, more: object = { irreversible: true }): number {
  if (!stage.world.registry.tags.has(tag)) stage.world.publishImage(tag);
  const rollout = stage.world.release({ image: `registry.example/web:${tag}`, ...more });
  if (rollout === undefined) throw new Error('the bus takes no release');
  return rollout;
}

/** Six nodes, two in each region, of which these will not be well on v2. */
async function open(
  sick: Readonly<Record<string, Ailment>> = {},
  options: StageOptions = {},
): Promise<Stage> {
  const stage = await Stage.open({ nodes: 6, ...options });
  for (const [node, ailment] of Object.entries(sick)) stage.world.ailments.ail(V2, ailment, node);
  return stage;
}

const nodeOf = (stage: Stage, name: string): SimulatedNode => {
  const node = stage.world.nodes.find(({ model }) => model.name === name);
  if (node === undefined) throw new Error(`there is no ${name}`);
  return node;
};

const running = (stage: Stage) => stage.world.nodes.map(({ model }) => model.running(SERVICE));

const said = (stage: Stage, node: string): readonly NodeReport['status'][] =>
  stage.reports.filter((report) => report.node === node).map(({ status }) => status);

const hasSaid = (stage: Stage, node: string, status: NodeReport['status']): boolean =>
  said(stage, node).includes(status);

test('B19: it goes into a quarter and a half of the first stage before that, and settles', {
  timeout: 60_000,
}, async () => {
  const stage = await open({}, { nodes: 12, policy: { maxSurge: 1 } });
  release(stage, 'v2');
  await stage.until('it settles', () => stage.hasTold('rollout-settled'));
  expect(new Set(running(stage))).toEqual(new Set([V2]));
  const waves = stage.entries.flatMap((entry) => (entry.kind === 'wave' ? [entry.wave] : []));
  expect([...new Set(waves.map(({ stage: { percent } }) => percent))]).toEqual([25, 50, 100]);
  // No two versions side by side, whatever the policy says.
  expect(new Set(waves.map(({ maxSurge }) => maxSurge))).toEqual(new Set(['never']));
  expect(stage.broken()).toEqual([]);
});

/** Both nodes of a region are sick, so that it goes no further than to the first of them. */
async function openStuck(policy: object = {}): Promise<Stage> {
  const stage = await open({ n0: 'sick', n3: 'sick' }, { policy });
  release(stage, 'v1', {});
  await stage.until('v1 settles', () => stage.hasTold('rollout-settled'));
  return stage;
}

const out = (stage: Stage): readonly string[] => [
  ...new Set(stage.reports.flatMap(({ status, node }) => (status === 'unhealthy' ? [node] : []))),
];

const hasSettled = (stage: Stage, rollout: number): boolean =>
  stage.entries.some(
    (entry) =>
      entry.kind === 'event' && entry.event.name === 'rollout-settled' && entry.event.rollout === rollout,
  );

test('B19: a node that is not well stays out with its slot, and is back when it has been mended', {
  timeout: 60_000,
}, async () => {
  const stage = await openStuck({ progressDeadline: '2m' });
  const rollout = release(stage, 'v2');
  await stage.until('one says so', () => out(stage).length === 1);
  expect(stage.reports.find(({ status }) => status === 'unhealthy')).toMatchObject({
    running: V2,
    reason: WHY,
  });
  // Its region has one slot, and another node to come.
  await stage.until('it pauses', () => stage.hasTold('rollout-paused'));
  expect([out(stage).length, stage.told('node-unhealthy')]).toEqual([1, 1]);
  for (const node of ['n0', 'n3']) stage.world.ailments.heal(V2, node);
  await stage.until('it is well', () => hasSaid(stage, out(stage)[0] ?? '', 'healthy'));
  stage.world.control({ action: 'resume' });
  await stage.until('it settles', () => hasSettled(stage, rollout));
  expect([running(stage).every((digest) => digest === V2), stage.broken()]).toEqual([true, []]);
});

test('B19: beyond its failure budget it halts, and nobody goes back', { timeout: 60_000 }, async () => {
  const stage = await open({ n0: 'sick', n1: 'dies-at-start' }, { policy: { failureBudget: { max: 1 } } });
  release(stage, 'v2');
  await stage.until('it rests', () => stage.hasTold('rollout-rested'));
  stage.world.control({ action: 'halt' });
  await stage.world.run(600_000);
  const after = running(stage).filter((digest) => digest === V2).length;
  expect([said(stage, 'n0').at(-1), said(stage, 'n1').at(-1), after > 1]).toEqual([
    'unhealthy',
    'unhealthy',
    true,
  ]);
  expect(stage.reports.filter(({ status }) => status === 'returned')).toEqual([]);
  expect([stage.told('rollout-halted'), stage.broken()]).toEqual([1, []]);
});

test('B19: a newer release reaches also who is out, and from it he goes back to this one, and no further', {
  timeout: 60_000,
}, async () => {
  const stage = await openStuck();
  release(stage, 'v2');
  await stage.until('one says so', () => out(stage).length === 1);
  const [node = ''] = out(stage);
  const fix = release(stage, 'v3', {});
  await stage.until('it settles', () => hasSettled(stage, fix));
  expect(said(stage, node).slice(-5)).toEqual(['unhealthy', 'failed', 'staged', 'updating', 'healthy']);
  expect(new Set(running(stage))).toEqual(new Set([digestOf('v3')]));
  stage.world.control({ action: 'halt', rollout: fix });
  await stage.until('it rests', () => stage.hasTold('rollout-rested'));
  // What had settled before is v1, and everybody else is on it.
  await stage.until('it refuses that', () => hasSaid(stage, node, 'refused'));
  expect([said(stage, node).at(-1), nodeOf(stage, node).model.containers.container(SERVICE)?.digest]).toEqual(
    ['refused', V2],
  );
  expect(stage.broken()).toEqual([]);
});

test('B19: undo to what was before it is refused', { timeout: 60_000 }, async () => {
  const stage = await open();
  release(stage, 'v1', {});
  await stage.until('v1 settles', () => stage.told('rollout-settled') === 1);
  release(stage, 'v2');
  await stage.until('v2 settles', () => stage.told('rollout-settled') === 2);
  stage.world.control({ action: 'undo' });
  await stage.until('it is answered', () => stage.hasTold('control-rejected'));
  await stage.world.run(60_000);
  expect(running(stage).every((digest) => digest === V2)).toBe(true);
});

const STEPS = ['prepare', 'cut-over', 'probe', 'commit'] as const;

test.each([
  ...STEPS.flatMap((step) => [[step, 'before', 'well'] as const, [step, 'after', 'well'] as const]),
  ['probe', 'after', 'sick'] as const,
  ['cut-over', 'after', 'fails-to-start'] as const,
  ['undo', 'before', 'fails-to-start'] as const,
])(
  'B19: its agent dies at %s (%s it, and it is %s), and there is only forward',
  { timeout: 60_000 },
  async (...at) => {
    const [step, when, ailment] = at;
    const stage = await open(ailment === 'well' ? {} : { n0: ailment }, { nodes: 3 });
    let deaths = 0;
    stage.world.onAgentEffect = (node, name, moment) => {
      if (node.model.name !== 'n0' || name !== step || moment !== when || deaths > 0) return;
      deaths += 1;
      stage.world.killAgent(node, { awayMs: 5_000, arriving: 0 });
    };
    release(stage, 'v2');
    const ends = ailment === 'well' ? 'healthy' : 'unhealthy';
    await stage.until(`n0 is ${ends}`, () => hasSaid(stage, 'n0', ends));
    expect([
      deaths,
      running(stage)
        .slice(1)
        .every((digest) => digest === V2),
    ]).toEqual([1, true]);
    await stage.until('the others are well', () =>
      ['n1', 'n2'].every((node) => hasSaid(stage, node, 'healthy')),
    );
    expect(stage.broken()).toEqual([]);
  },
);
