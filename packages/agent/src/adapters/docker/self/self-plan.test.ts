/**
 * The agent's own swap against a small Docker with two agents in it and one lease between them. At every step one of them
 * dies, or both do, or dockerd is restarted, or somebody takes one away, or the lease lapses; and once more at every step of
 * what follows. Whatever happens, one agent remains, as the old one was, and the attempt has one result (I8, I9).
 */

import { describe, expect, it } from 'vitest';
import { type Part, readMarks, type Swap } from '../marks.ts';
import type { Memo } from '../memo.ts';
import { nextStep, performedKey, type Step, type StepName } from '../swap/plan.ts';
import { nextOwnStep, type OwnIntent, type OwnStep, ownProgress, sideOf } from './self-plan.ts';

type Container = Part & { readonly byHand: boolean };
type Id = 'old' | 'new';

/** What the new agent is like: `unproven` never says that it could take over, `ends` as soon as it starts. */
type Nature = 'well' | 'sick' | 'unproven' | 'ends';

interface World {
  readonly nature: Nature;
  readonly containers: readonly Container[];
  /** Who has the lease, or was named. */
  readonly lease: Id;
  readonly isReady: boolean;
  /** Which image the operator's name means. */
  readonly reference: string;
  /** The journal: the attempt, until its result is written in its place. */
  readonly attempt?: { readonly ending?: string };
  readonly results: readonly string[];
  /** What is on the leader's mind; gone with its life or its lease. */
  readonly mind?: { readonly intent: OwnIntent | 'probe'; readonly performed: readonly string[] };
}

const ACCIDENTS = [
  'the old one dies',
  'the new one dies',
  'both die',
  'dockerd restarts',
  'the lease lapses',
  'the old one is removed',
  'the new one is removed',
] as const;
type Accident = (typeof ACCIDENTS)[number];

const policy = (Name: string): Part['policy'] => ({ Name, MaximumRetryCount: 0 });
const NATURES: readonly Nature[] = ['well', 'sick', 'unproven', 'ends'];
const STEPS_MAX = 120;

describe('an own swap', () => {
  it('is begun by the old agent and ended by the new one', () => {
    expect(live(begin('well', 'always')).steps).toEqual([
      'start-new',
      'prove',
      'move-reference',
      'set-aside-old',
      'name-new',
      'hand-over',
      'probe',
      'pass-commit-point',
      'move-reference',
      'restore-new-policy',
      'stop-old',
      'keep-last-good',
      'disarm-old',
      'remove-old',
    ]);
  });

  it('is undone by the old agent, with the lease that the new one gives back', () => {
    const { steps, world } = live(begin('sick', 'always'));
    expect(steps.slice(5)).toEqual([
      'hand-over',
      'probe',
      'hand-over',
      'mark-failed',
      'stop-new',
      'return-reference',
      'name-old',
      'remove-new',
    ]);
    expect(world.results).toEqual(['failed']);
  });

  it.each(['unproven', 'ends'] as const)('never gives the lease to one that is %s', (nature) => {
    const { steps, world } = live(begin(nature, 'always'));
    expect(steps).not.toContain('hand-over');
    expect(world.results).toEqual(['failed']);
  });

  describe.each(['always', 'unless-stopped', 'on-failure'])('under restart policy %s', (name) => {
    it.each(NATURES)('of one that is %s ends in one agent, whatever happens twice', (nature) => {
      let lives = 0;
      for (const first of disturbed(begin(nature, name))) {
        for (const second of [first, ...disturbed(first)]) {
          lives += 1;
          judge(second, name);
        }
      }
      expect(lives).toBeGreaterThan(500);
    });
  });
});

/** Every world that comes of one accident at one moment of this one's life. */
function disturbed(from: World): readonly World[] {
  return live(from).worlds.flatMap((world) => ACCIDENTS.map((accident) => happen(world, accident)));
}

function judge(from: World, name: string): void {
  const { world, steps } = live(from);
  const { containers, results, reference } = world;
  const story = `${from.nature}: ${JSON.stringify(from)} → ${steps.join(', ')}`;
  // Somebody has taken away the only one that ran, or Docker does not start it, as any container of that policy.
  const isAsked = containers.length < 2 || name === 'on-failure';
  if (isAsked && !containers.some(({ up }) => up)) return;
  const seen = containers.map(({ suffix, up, policy: { Name } }) => ({ suffix, up, Name }));
  const isNew = containers.some(({ imageId }) => imageId === 'v2');
  const [result] = results;
  expect({ story, seen, results: results.length, isNew, name: isNew ? reference : 'v2' }).toEqual({
    story,
    seen: [{ suffix: '', up: true, Name: name }],
    results: 1,
    isNew: result === 'healthy',
    name: 'v2',
  });
}

function begin(nature: Nature, name: string): World {
  const memo: Memo = {
    attempt: '7.update.1',
    replaces: 'old',
    policy: policy(name),
    reference: 'agent:latest',
    oldState: 'running',
  };
  const common = { base: 'agent', networks: ['a'], byHand: false, wanted: true };
  const old: Container = {
    ...common,
    id: 'old',
    suffix: '',
    up: true,
    started: true,
    policy: policy(name),
    imageId: 'v1',
  };
  const fresh: Container = {
    ...common,
    id: 'new',
    suffix: '.swell-next',
    up: false,
    started: false,
    policy: policy('no'),
    imageId: 'v2',
    memo,
  };
  return {
    nature,
    containers: [old, fresh],
    lease: 'old',
    isReady: false,
    reference: 'v1',
    attempt: {},
    results: [],
    mind: { intent: 'cut-over', performed: [] },
  };
}

/** Until nothing happens any more; with the world at every moment. */
function live(from: World): {
  readonly steps: readonly string[];
  readonly worlds: readonly World[];
  readonly world: World;
} {
  const steps: string[] = [];
  const worlds: World[] = [from];
  for (let world = from; ; ) {
    const next = turn(world);
    if (next === undefined) return { steps, worlds, world };
    if (next.step !== '') steps.push(next.step);
    worlds.push(next.world);
    world = next.world;
    if (worlds.length > STEPS_MAX) throw new Error(`no end: ${JSON.stringify(from)} → ${steps.join(', ')}`);
  }
}

interface Turn {
  readonly step: string;
  readonly world: World;
}

function turn(world: World): Turn | undefined {
  const isUp = (id: Id): boolean => world.containers.some((one) => one.id === id && one.up);
  const other = world.lease === 'old' ? 'new' : 'old';
  if (!isUp(world.lease))
    return isUp(other) && world.attempt !== undefined ? silent(lead(world, other)) : undefined;
  if (world.attempt === undefined) return undefined;
  if (world.containers.length === 0) return silent(finish(world, undefined));
  const found = readMarks('agent', world.containers);
  if (found.kind !== 'swap') return silent(finish(world, found.kind === 'single' ? found.part : undefined));
  const side = sideOf(found, world.lease);
  if (side === undefined) throw new Error('the leader has no part in it');
  if (world.mind === undefined) return silent(recover(world, ownProgress(found, side)));
  const { intent, performed } = world.mind;
  if (intent === 'probe') return { step: 'probe', world: probed(world) };
  const word = {
    word: { ready: world.isReady, why: '' } as const,
    moved: performed.includes('move-reference'),
  };
  try {
    const own = nextOwnStep(found, side, intent, word);
    const step = own ?? ordinary(found, intent, performed);
    return step === undefined
      ? silent(finish(world, found.fresh))
      : { step: step.step, world: perform(world, step) };
  } catch (error) {
    const { code } = error as { readonly code?: string };
    const couldProve = world.nature === 'well' || world.nature === 'sick';
    if (code === 'unavailable' && couldProve) return { step: 'prove', world: { ...world, isReady: true } };
    if (intent === 'cut-over') return silent(giveUp(world, 'failed'));
    throw error;
  }
}

const silent = (world: World): Turn => ({ step: '', world });

function lead(world: World, lease: Id): World {
  const { mind: _, ...rest } = world;
  return { ...rest, lease };
}

function giveUp(world: World, ending: string): World {
  return {
    ...world,
    attempt: { ending: world.attempt?.ending ?? ending },
    mind: { intent: 'undo', performed: [] },
  };
}

/** As `core/recover.ts` does. */
function recover(world: World, progress: ReturnType<typeof ownProgress>): World {
  if (progress === 'prepared') return giveUp(world, 'interrupted');
  if (progress === 'committed') return { ...world, mind: { intent: 'commit', performed: [] } };
  return world.attempt?.ending === undefined
    ? { ...world, mind: { intent: 'probe', performed: [] } }
    : giveUp(world, world.attempt.ending);
}

function probed(world: World): World {
  return world.nature === 'well'
    ? { ...world, mind: { intent: 'commit', performed: [] } }
    : giveUp(world, 'failed');
}

function finish(world: World, left: Part | undefined): World {
  const { attempt, mind: _, ...rest } = world;
  const result = left?.imageId === 'v2' ? 'healthy' : (attempt?.ending ?? 'interrupted');
  return { ...rest, results: [...world.results, result] };
}

function ordinary(swap: Swap, intent: OwnIntent, performed: readonly string[]): Step | undefined {
  const done = new Set((performed as readonly StepName[]).map((step) => performedKey(step, swap.base)));
  return intent === 'cut-over' ? undefined : nextStep([swap], intent, done);
}

function perform(world: World, step: Step | OwnStep): World {
  const performed = [...(world.mind?.performed ?? []), step.step];
  const remembered = world.mind === undefined ? world : { ...world, mind: { ...world.mind, performed } };
  const change = (target: Part, changes: Partial<Container>): World => {
    const stops = changes.up === false && target.id === world.lease;
    if (stops) throw new Error(`${target.id} stops its own container`);
    const { suffix } = changes;
    const taken = world.containers.some((one) => one.id !== target.id && one.suffix === suffix);
    if (suffix !== undefined && taken) throw new Error(`409: the name with ${suffix} is taken`);
    const containers = world.containers.map((one) => (one.id === target.id ? { ...one, ...changes } : one));
    return { ...remembered, containers };
  };
  const remove = (target: Part): World => {
    if (target.id === world.lease) throw new Error(`${target.id} removes its own container`);
    return { ...remembered, containers: world.containers.filter(({ id }) => id !== target.id) };
  };
  switch (step.step) {
    case 'start-new': {
      const started = change(step.fresh, { up: world.nature !== 'ends', started: true, byHand: false });
      return { ...started, isReady: false };
    }
    case 'start-old':
      return change(step.old, { up: true, byHand: false });
    case 'move-reference':
      return { ...remembered, reference: 'v2' };
    case 'return-reference':
      return { ...remembered, reference: 'v1' };
    case 'set-aside-old':
      return change(step.old, { suffix: '.swell-prev' });
    case 'name-new':
      return change(step.fresh, { suffix: '' });
    case 'hand-over':
      return lead(remembered, step.to.id as Id);
    case 'pass-commit-point':
      return change(step.old, { suffix: '.swell-old' });
    case 'restore-new-policy':
      return change(step.fresh, { policy: step.policy });
    case 'stop-old':
      return change(step.old, { up: false, byHand: true });
    case 'keep-last-good':
      return remembered;
    case 'disarm-old':
      return change(step.old, { policy: policy('no') });
    case 'remove-old':
      return remove(step.old);
    case 'mark-failed':
      return change(step.fresh, { suffix: '.swell-failed' });
    case 'stop-new':
      return change(step.fresh, { up: false, byHand: true });
    case 'name-old':
      return change(step.old, { suffix: '' });
    case 'restore-old-policy':
      return change(step.old, { policy: step.policy });
    case 'remove-new':
      return remove(step.fresh);
    default:
      throw new Error(`${step.step} has no place in an own swap`);
  }
}

function happen(world: World, accident: Accident): World {
  const ids: readonly Id[] = ['old', 'new'];
  const die = (dead: readonly Id[], isBoot: boolean): World => {
    const containers = world.containers.map((one) =>
      dead.includes(one.id as Id) && one.up ? { ...one, up: startsAgain(one, isBoot) } : one,
    );
    const { mind: _, ...rest } = world;
    return { ...(dead.includes(world.lease) ? rest : world), containers };
  };
  const remove = (id: Id): World => ({
    ...die([id], false),
    containers: world.containers.filter((one) => one.id !== id),
  });
  switch (accident) {
    case 'the old one dies':
      return die(['old'], false);
    case 'the new one dies':
      return die(['new'], false);
    case 'both die':
      return die(ids, false);
    case 'dockerd restarts':
      return die(ids, true);
    case 'the lease lapses': {
      const other = world.lease === 'old' ? 'new' : 'old';
      return world.containers.some(({ id, up }) => id === other && up) ? lead(world, other) : world;
    }
    case 'the old one is removed':
      return remove('old');
    case 'the new one is removed':
      return remove('new');
  }
}

/** dockerd ends containers in order before it ends; `always` starts even one that was stopped. */
function startsAgain({ policy: { Name }, byHand }: Container, isBoot: boolean): boolean {
  if (Name === 'on-failure') return !isBoot;
  return Name === 'always' || (Name === 'unless-stopped' && !byHand);
}
