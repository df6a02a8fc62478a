/**
 * N6. Coordinators that lead regions of their own beside a global one, two of each: whole coordinators and agents, which know
 * of each other only what the bus carries. Agents know of no scope.
 */

import type { FleetEvent } from '@swell/shared/domain/event.ts';
import type { Scope } from '@swell/shared/domain/scope.ts';
import { expect, test } from 'vitest';
import { digestOf } from '../world.ts';
import { ServicesStage } from './services.ts';

const LONG = { timeout: 120_000 };
/** Three nodes each: one in a region that nobody has set apart. */
const REGIONS = ['eu', 'eu', 'eu', 'us', 'us', 'us', 'ap', 'ap', 'ap'];
const SCOPES = ['europe', 'america'];
const ALL: readonly (Scope | undefined)[] = [undefined, ...SCOPES];

/** `eu` and `us` are led apart, `ap` by the global coordinator. */
async function open(policy: object = {}): Promise<ServicesStage> {
  const stage = await ServicesStage.open({ web: policy }, REGIONS, SCOPES);
  stage.assign('eu', 'europe');
  stage.assign('us', 'america');
  await stage.pass(60_000);
  return stage;
}

async function settled(stage: ServicesStage, rollout: number): Promise<void> {
  for (const scope of ALL) await stage.untilTold('rollout-settled', rollout, scope);
}

function regionsOf(stage: ServicesStage, ...[rollout, status]: Parameters<ServicesStage['reports']>) {
  return [...new Set(stage.reports(rollout, status).map(({ region }) => region))].sort();
}

/** Who has written waves of a region, from an entry of the log on. */
function writers(stage: ServicesStage, region: string, from = 0): readonly (Scope | undefined)[] {
  const waves = stage.entries.slice(from).flatMap((it) => (it.kind === 'wave' ? [it.wave] : []));
  return [...new Set(waves.filter((wave) => wave.region === region).map(({ scope }) => scope))];
}

function running(stage: ServicesStage): readonly unknown[] {
  return [...new Set(stage.nodes.map((node) => node.running('web')))];
}

test('N6: a release goes through every scope, each region led by its own leader alone', LONG, async () => {
  using stage = await open();
  const rollout = stage.release('web');
  await settled(stage, rollout);
  expect(stage.reports(rollout, 'healthy').length).toBe(9);
  expect(['eu', 'us', 'ap'].map((region) => writers(stage, region))).toEqual([
    ['europe'],
    ['america'],
    [undefined],
  ]);
  expect(stage.violations()).toEqual([]);
});

test('B12: what is halted in one scope is halted in all, and every node goes back', LONG, async () => {
  using stage = await open({ failureBudget: { max: 0, minSample: 1 }, stages: [50, 100], soak: '30s' });
  const first = stage.release('web');
  await settled(stage, first);
  for (const node of stage.nodes.filter(({ region }) => region === 'us'))
    stage.ailments.ail(digestOf('v3'), 'sick', node.name);
  const bad = stage.release('web');
  const halts = await Promise.all(ALL.map((scope) => stage.untilTold('rollout-halted', bad, scope)));
  expect(halts.filter(({ line }) => line.includes('in another scope')).map(({ scope }) => scope)).toEqual([
    undefined,
    'europe',
  ]);
  for (const scope of ALL) await stage.untilTold('rollout-rested', bad, scope);
  expect(running(stage)).toEqual([digestOf('v2')]);
  expect(regionsOf(stage, bad, 'returned')).not.toEqual([]);
  // The digest is remembered where nobody had failed on it.
  const again = stage.release('web', { image: `registry.example/web:v3` });
  for (const scope of ALL) await stage.untilTold('release-rejected', again, scope);
  expect(stage.violations()).toEqual([]);
});

test('I5, B12: so it is where nobody leads who could broadcast it', LONG, async () => {
  using stage = await open({ failureBudget: { max: 0, minSample: 1 }, stages: [50, 100], soak: '30s' });
  await settled(stage, stage.release('web'));
  stage.killCoordinators((scope) => scope === undefined);
  for (const node of stage.nodes.filter(({ region }) => region === 'us'))
    stage.ailments.ail(digestOf('v3'), 'sick', node.name);
  const bad = stage.release('web');
  for (const scope of SCOPES) await stage.untilTold('rollout-rested', bad, scope);
  expect(regionsOf(stage, bad, 'returned')).toContain('eu');
  expect(running(stage)).toEqual([digestOf('v2')]);
  expect(stage.entries.filter(({ kind }) => kind === 'halt')).toEqual([]);
  expect(stage.violations()).toEqual([]);
});

test(
  'the word of a person halts in every scope; one that names a scope is for that one alone',
  LONG,
  async () => {
    using stage = await open({ approval: 'manual', stages: [50, 100] });
    const rollout = stage.release('web');
    for (const scope of ALL) await stage.untilTold('approval-awaited', rollout, scope);
    stage.control('web', 'approve', { scope: 'europe' });
    await stage.untilTold('rollout-settled', rollout, 'europe');
    expect(stage.events.some(({ name, scope }) => name === 'stage-approved' && scope !== 'europe')).toBe(
      false,
    );
    stage.control('web', 'halt');
    for (const scope of ALL) await stage.untilTold('rollout-rested', rollout, scope);
    expect(running(stage)).toEqual([digestOf('v1')]);
    expect(stage.violations()).toEqual([]);
  },
);

test('B13: a scope that is cut off from the bus stalls its own regions alone', LONG, async () => {
  using stage = await open();
  stage.cutOff('europe', true);
  await stage.pass(40_000);
  const rollout = stage.release('web');
  for (const scope of [undefined, 'america']) await stage.untilTold('rollout-settled', rollout, scope);
  await stage.pass(120_000);
  expect(regionsOf(stage, rollout, 'updating')).toEqual(['ap', 'us']);
  stage.cutOff('europe', false);
  await settled(stage, rollout);
  expect(writers(stage, 'eu')).toEqual(['europe']);
  expect(stage.violations()).toEqual([]);
});

test('a take-over in one scope leaves the others alone', LONG, async () => {
  using stage = await open({ stages: [50, 100], soak: '1m' });
  const before = ALL.map((scope) => stage.leaseOf(scope));
  const rollout = stage.release('web');
  await stage.untilTold('stage-opened', rollout, 'europe');
  stage.killCoordinators((_scope, name) => name === before[1]?.coordinator);
  await settled(stage, rollout);
  const after = ALL.map((scope) => stage.leaseOf(scope));
  expect(after.map((lease, index) => lease?.coordinator === before[index]?.coordinator)).toEqual([
    true,
    false,
    true,
  ]);
  expect(after.map((lease, index) => (lease?.term ?? 0) - (before[index]?.term ?? 0))).toEqual([0, 1, 0]);
  expect(stage.violations()).toEqual([]);
});

test('where all of a scope is away, nobody else leads its regions', LONG, async () => {
  using stage = await open();
  await settled(stage, stage.release('web'));
  stage.killCoordinators((scope) => scope === 'europe');
  const from = stage.entries.length;
  const second = stage.release('web');
  for (const scope of [undefined, 'america']) await stage.untilTold('rollout-settled', second, scope);
  await stage.pass(120_000);
  expect(writers(stage, 'eu', from)).toEqual([]);
  expect(regionsOf(stage, second, 'updating')).toEqual(['ap', 'us']);
  expect(stage.violations()).toEqual([]);
});

test(
  'I5: the halt of the global coordinator reaches the nodes of a scope that nobody leads',
  LONG,
  async () => {
    using stage = await open();
    await settled(stage, stage.release('web'));
    const bad = stage.release('web');
    await settled(stage, bad);
    stage.killCoordinators((scope) => scope === 'europe');
    stage.control('web', 'halt');
    await stage.until('everybody is back', () => stage.reports(bad, 'returned').length === 9);
    expect(running(stage)).toEqual([digestOf('v2')]);
    // Whoever leads it next takes it up.
    stage.replaceCoordinators();
    await stage.untilTold('rollout-rested', bad, 'europe');
    expect(stage.violations()).toEqual([]);
  },
);

test(
  'a region moves from one scope to another while a service has settled, and slots are counted once',
  LONG,
  async () => {
    using stage = await open();
    await settled(stage, stage.release('web'));
    const from = stage.entries.length;
    stage.assign('eu', 'america');
    await stage.until('it is led by the other one', () => writers(stage, 'eu', from).includes('america'));
    const rollout = stage.release('web');
    for (const scope of [undefined, 'america']) await stage.untilTold('rollout-settled', rollout, scope);
    expect(stage.reports(rollout, 'healthy').length).toBe(9);
    expect(writers(stage, 'eu', from)).toEqual(['america']);
    expect(stage.violations()).toEqual([]);
  },
);

test(
  'I4: a new scope goes on where the global coordinator stood, in the middle of a rollout',
  LONG,
  async () => {
    using stage = await ServicesStage.open({ web: { stages: [50, 100], soak: '5m' } }, REGIONS, SCOPES);
    const rollout = stage.release('web');
    await stage.untilTold('stage-finished', rollout);
    stage.assign('eu', 'europe');
    await stage.until('it is led by the scope', () => writers(stage, 'eu').includes('europe'));
    expect(stage.events.map(({ name }) => name)).toContain('record-taken-over');
    for (const scope of [undefined, 'europe']) await stage.untilTold('rollout-settled', rollout, scope);
    expect(stage.reports(rollout, 'updating').length).toBe(9);
    expect(stage.events.filter(({ name }) => name === 'record-set-back')).toEqual([]);
    expect(stage.violations()).toEqual([]);
  },
);

/**
 * Found by another seed: the global coordinator, which had the region no more, saved its record without it before the scope had
 * read it; so the scope knew of no cursor there, took its own record for one that had been put back, and led nothing.
 */
test('I4: so it does where the global one has saved its record since', LONG, async () => {
  using stage = await ServicesStage.open({ web: { stages: [50, 100] } }, REGIONS, SCOPES);
  const rollout = stage.release('web');
  await stage.untilTold('stage-finished', rollout);
  stage.killCoordinators((scope) => scope === 'europe');
  stage.assign('eu', 'europe');
  for (const action of ['pause', 'resume', 'pause']) {
    stage.control('web', action);
    await stage.pass(10_000);
  }
  stage.replaceCoordinators();
  await stage.until('it is led by the scope', () => writers(stage, 'eu').includes('europe'));
  stage.control('web', 'resume');
  for (const scope of [undefined, 'europe']) await stage.untilTold('rollout-settled', rollout, scope);
  expect(stage.reports(rollout, 'updating').length).toBe(9);
  expect(stage.events.filter(({ name }) => name === 'record-set-back')).toEqual([]);
  expect(stage.violations()).toEqual([]);
});

test(
  'a region that is moved into a scope that has not come as far is refused by name, and stays as it is',
  LONG,
  async () => {
    using stage = await open({ approval: 'manual', stages: [50, 100] });
    const rollout = stage.release('web');
    for (const scope of ALL) await stage.untilTold('approval-awaited', rollout, scope);
    stage.control('web', 'approve', { scope: 'europe' });
    await stage.untilTold('rollout-settled', rollout, 'europe');
    const from = stage.entries.length;
    stage.assign('eu', 'america');
    await stage.until('it says so', () => stage.events.some(({ name }) => name === 'record-set-back'));
    const told = stage.events.find(({ name }) => name === 'record-set-back');
    expect(told).toMatchObject({ scope: 'america', line: expect.stringContaining('the wave of eu') });
    await stage.pass(120_000);
    expect(writers(stage, 'eu', from)).toEqual([]);
    // Put back where it was, everybody goes on.
    stage.assign('eu', 'europe');
    await stage.pass(60_000);
    stage.control('web', 'approve');
    await settled(stage, rollout);
    expect(stage.violations()).toEqual([]);
  },
);

test('a coordinator whose scope has no region leads nothing, until it has one', LONG, async () => {
  using stage = await ServicesStage.open({ web: {} }, REGIONS, ['misspelt']);
  await settledOf(stage, stage.release('web'));
  expect(stage.events.filter(({ scope }) => scope !== undefined)).toEqual([]);
  stage.assign('us', 'misspelt');
  await stage.until('it leads', () => writers(stage, 'us').includes('misspelt'));
  expect(stage.violations()).toEqual([]);
});

test(
  'coordinators of every scope die whatever they are about to do: a new scope, a release, a halt, a region given back',
  LONG,
  async () => {
    using stage = await ServicesStage.open(
      { web: { failureBudget: { max: 0, minSample: 1 }, stages: [50, 100] } },
      REGIONS,
      SCOPES,
    );
    await settledOf(stage, stage.release('web'));
    const stops = stage.dieAtFirsts();
    stage.assign('eu', 'europe');
    stage.assign('us', 'america');
    await settled(stage, stage.release('web'));
    for (const node of stage.nodes.filter(({ region }) => region === 'eu'))
      stage.ailments.ail(digestOf('v4'), 'sick', node.name);
    const bad = stage.release('web');
    for (const scope of ALL) await stage.untilTold('rollout-rested', bad, scope);
    expect(running(stage)).toEqual([digestOf('v3')]);
    const from = stage.entries.length;
    stage.assign('eu', undefined);
    await stage.until('the global one leads it', () => writers(stage, 'eu', from).includes(undefined));
    const last = stage.release('web');
    for (const scope of [undefined, 'america']) await stage.untilTold('rollout-settled', last, scope);
    expect(running(stage)).toEqual([digestOf('v5')]);
    expect([writers(stage, 'eu', from), writers(stage, 'us', from)]).toEqual([[undefined], ['america']]);
    for (const scope of ALL)
      expect([...stops]).toEqual(
        expect.arrayContaining([
          `${scope} publish $KV.swell_orders before`,
          `${scope} publish $KV.swell_orders after`,
        ]),
      );
    expect(stage.violations()).toEqual([]);
  },
);

test(
  'Z6: what leaders release of themselves they release once, though each of them means to',
  LONG,
  async () => {
    using stage = await open();
    await settled(stage, stage.release('web'));
    const last = stage.release('web');
    await settled(stage, last);
    const releases = (): number => stage.entries.filter(({ kind }) => kind === 'release').length;
    stage.control('web', 'undo');
    await settled(stage, last + 1);
    expect(running(stage)).toEqual([digestOf('v2')]);
    expect([...new Set(stage.events.flatMap(answer))].sort()).toEqual(['america', 'europe', 'global']);
    expect(releases()).toBe(3);
    stage.move('latest', 'v2');
    stage.policy('web', { watch: { image: 'registry.example/web:latest', every: '1m', mode: 'auto' } });
    await stage.pass(120_000);
    stage.move('latest', 'v4');
    await settled(stage, last + 2);
    await stage.pass(120_000);
    expect([releases(), running(stage)]).toEqual([4, [digestOf('v4')]]);
    expect(stage.violations()).toEqual([]);
  },
);

/** Whose answer it is to a word that was obeyed. */
function answer({ name, scope }: FleetEvent): readonly string[] {
  return name === 'control-applied' ? [scope ?? 'global'] : [];
}

async function settledOf(stage: ServicesStage, rollout: number): Promise<void> {
  await stage.untilTold('rollout-settled', rollout);
  expect(stage.reports(rollout, 'healthy').length).toBe(9);
}
