/**
 * The planner against a small Docker: it dies after every step, alone, with dockerd restarted, with either container
 * taken away by somebody; and whatever it died at, recovery ends in one container that serves as before (I9).
 */

import { unreachable } from '@swell/shared/kernel/unreachable.ts';
import { describe, expect, it } from 'vitest';
import { isPastReturn, type Marked, type Part, progressOf, readMarks, type Swap } from '../marks.ts';
import type { Memo } from '../memo.ts';
import { attainable, type Intent, nextStep, performedKey, type Step, type StepName } from './plan.ts';

/** `byHand`: it was stopped, and did not end by itself; Docker remembers that. */
type Model = readonly (Part & { readonly byHand?: boolean })[];

const POLICIES = [
  { Name: 'no', MaximumRetryCount: 0 },
  { Name: 'always', MaximumRetryCount: 0 },
  { Name: 'unless-stopped', MaximumRetryCount: 0 },
  { Name: 'on-failure', MaximumRetryCount: 5 },
];
const ACCIDENTS = [
  'nothing',
  'dockerd restarts',
  'the new one is removed',
  'the old one is removed',
] as const;

describe('a swap', () => {
  it('goes from one container to the other, and stops the old one only when the new one is proven', () => {
    const ended = run(afterCreate(policy('unless-stopped')), ['prepare', 'cut-over', 'commit']);
    expect(ended.map(({ step }) => step)).toEqual([
      'connect-network',
      'copy-files',
      'prove',
      'move-reference',
      'set-aside-old',
      'name-new',
      'guard-old',
      'stop-old',
      'start-new',
      'pass-commit-point',
      'restore-new-policy',
      'keep-last-good',
      'disarm-old',
      'remove-old',
    ]);
    expect(last(ended)).toMatchObject([
      { id: 'new', suffix: '', up: true, policy: policy('unless-stopped') },
    ]);
  });

  it('goes back over the same way', () => {
    const ended = run(afterCreate(policy('no')), ['prepare', 'cut-over', 'undo']);
    expect(ended.map(({ step }) => step).slice(9)).toEqual([
      'mark-failed',
      'stop-new',
      'return-reference',
      'start-old',
      'name-old',
      'restore-old-policy',
      'remove-new',
    ]);
    expect(last(ended)).toMatchObject([{ id: 'old', suffix: '', up: true, policy: policy('no') }]);
  });

  it('leaves alone what somebody else stopped before anything of ours had', () => {
    const [old, fresh] = afterCreate(policy('unless-stopped'));
    const stopped = [{ ...old, up: false, byHand: true }, fresh] as Model;
    expect(last(run(stopped, ['prepare', 'undo']))).toMatchObject([{ id: 'old', up: false }]);
  });

  it('goes on forward where somebody takes the old container away before the new one is in place', () => {
    const prepared = last(run(afterCreate(policy('always')), ['prepare']));
    const alone = prepared.filter(({ id }) => id !== 'old');
    expect(last(run(alone, ['commit']))).toMatchObject([
      { id: 'new', suffix: '', up: true, policy: policy('always') },
    ]);
  });

  it('starts a container that ran in circles again, and does not mind if it cannot', () => {
    const [old, fresh] = afterCreate(policy('always'));
    if (fresh?.memo === undefined || old === undefined) throw new Error('no swap');
    const circling: Model = [old, { ...fresh, memo: { ...fresh.memo, oldState: 'broken' } }];
    const ended = run(circling, ['prepare', 'cut-over', 'undo']);
    expect(ended.map(({ step }) => step).slice(3, 8)).toEqual([
      'move-reference',
      'stop-old',
      'set-aside-old',
      'name-new',
      'start-new',
    ]);
    expect(last(ended)).toMatchObject([{ id: 'old', suffix: '', up: true, policy: policy('always') }]);
  });

  it('ends in one container also where the recovery dies in its turn', () => {
    const given = policy('unless-stopped');
    for (const goal of ['commit', 'undo'] as const) {
      for (const { model } of run(afterCreate(given), ['prepare', 'cut-over', goal])) {
        const found = marked(model);
        if (found.kind !== 'swap') continue;
        for (const again of run(model, [attainable(found, wish(found))])) {
          expect(recovered(again.model)).toMatchObject([{ suffix: '', up: true, policy: given }]);
        }
      }
    }
  });

  describe.each(POLICIES)('under restart policy $Name', (given) => {
    describe.each(['commit', 'undo'] as const)('on its way to %s', (goal) => {
      it.each(ACCIDENTS)('ends in one container wherever it dies, and %s', (accident) => {
        const way = run(afterCreate(given), ['prepare', 'cut-over', goal]);
        expect(way.length).toBeGreaterThan(11);
        for (const { step, model } of [{ step: 'created', model: afterCreate(given) }, ...way]) {
          const found = recovered(happen(accident, model));
          const before = happen(accident, model);
          // What has nothing to do with the swap any more is as Docker and whoever took it away left it.
          if (marked(before).kind !== 'swap') continue;
          // A container without a restart policy would be down after a restart of dockerd without any swap, too.
          const untouched = before.some(({ id, suffix, up }) => id === 'old' && suffix === '' && !up);
          if (untouched && accident === 'dockerd restarts') continue;
          const seen = found.map(({ base, suffix, up }) => ({ base, suffix, up }));
          expect({ step, seen }).toEqual({ step, seen: [{ base: 'web', suffix: '', up: true }] });
          // What its policy was, only the new one could tell.
          const policies =
            accident === 'the new one is removed' ? [given.Name, 'always', 'no'] : [given.Name];
          expect(policies).toContain(found[0]?.policy.Name);
        }
      });
    });
  });
});

describe('a swap that cannot be undone', () => {
  const oneWay = (given: Part['policy']): Model =>
    afterCreate(given).map((part) =>
      part.memo === undefined ? part : { ...part, memo: { ...part.memo, irreversible: true } },
    );

  it('disarms the old container before it starts the new one under its own policy', () => {
    const ended = run(oneWay(policy('unless-stopped')), ['prepare', 'cut-over']);
    expect(ended.map(({ step }) => step).slice(4)).toEqual([
      'set-aside-old',
      'name-new',
      'guard-old',
      'stop-old',
      'disarm-old',
      'restore-new-policy',
      'start-new',
    ]);
    expect(last(ended)).toMatchObject([
      { id: 'old', up: false, policy: policy('no') },
      { id: 'new', up: true, policy: policy('unless-stopped') },
    ]);
  });

  describe.each(POLICIES)('under restart policy $Name', (given) => {
    it.each(['nothing', 'dockerd restarts'] as const)(
      'goes back as it was until the new one was started, and only on from then, wherever it dies, and %s',
      (accident) => {
        const way = run(oneWay(given), ['prepare', 'cut-over', 'commit']);
        for (const { step, model } of way) {
          const found = happen(accident, model);
          const swap = marked(found);
          if (swap.kind !== 'swap') continue;
          const isOver = found.some(({ id, started }) => id === 'new' && started);
          expect([step, isPastReturn(swap)]).toEqual([step, isOver]);
          expect([step, progressOf(swap) !== 'prepared']).toEqual([step, isOver]);
          const ended = isOver
            ? [...run(found, ['cut-over']), ...run(last(run(found, ['cut-over'])), ['commit'])]
            : run(found, ['undo']);
          // At no moment do both run, and the old one never once the new one was started.
          const both = ended.some(({ model: now }) => now.filter(({ up }) => up).length > 1);
          const isOldAfter =
            isOver && ended.some(({ model: now }) => now.some(({ id, up }) => id === 'old' && up));
          expect([step, both, isOldAfter]).toEqual([step, false, false]);
          const untouched = found.some(({ id, suffix, up }) => id === 'old' && suffix === '' && !up);
          if (untouched) continue;
          expect([step, last(ended)]).toMatchObject([
            step,
            [{ id: isOver ? 'new' : 'old', suffix: '', up: true, policy: given }],
          ]);
        }
      },
    );
  });
});

function marked(model: Model): Marked | { readonly kind: 'absent' } {
  return model.length === 0 ? { kind: 'absent' } : readMarks('web', model);
}

/** What an agent does with what it finds after a start. */
function recovered(model: Model): Model {
  let now = model;
  for (let rounds = 0; rounds < 5; rounds += 1) {
    const found = marked(now);
    if (found.kind !== 'swap') return now;
    now = last(run(now, [attainable(found, wish(found))]));
  }
  throw new Error('recovery does not end');
}

function wish(swap: Swap): 'commit' | 'undo' {
  const progress = progressOf(swap);
  if (progress === 'cut-over') return swap.fresh?.up === true ? 'commit' : 'undo';
  return progress === 'committed' ? 'commit' : 'undo';
}

/** All steps that lead to the intents, one after the other, with the world after each. */
function run(
  model: Model,
  intents: readonly Intent[],
): readonly { readonly step: StepName | ''; readonly model: Model }[] {
  const way: { step: StepName | ''; model: Model }[] = [];
  let now = model;
  for (const intent of intents) {
    const performed = new Set<string>();
    for (;;) {
      const found = marked(now);
      const step = found.kind === 'swap' ? nextStep([found], intent, performed) : undefined;
      if (step === undefined) break;
      now = perform(now, step);
      performed.add(performedKey(step.step, 'web'));
      way.push({ step: step.step, model: now });
      if (way.length > 60) throw new Error(`no end of ${step.step}`);
    }
  }
  return way.length === 0 ? [{ step: '', model: now }] : way;
}

function last(way: readonly { readonly model: Model }[]): Model {
  return way.at(-1)?.model ?? [];
}

function policy(name: string) {
  return { Name: name, MaximumRetryCount: 0 };
}

/** The new container was just created, not connected, not proven. */
function afterCreate(given: Part['policy']): Model {
  const memo: Memo = {
    attempt: '7.update.1',
    replaces: 'old',
    policy: given,
    reference: 'web:latest',
    oldState: 'running',
  };
  const common = { base: 'web', started: true, up: true, wanted: true, policy: given };
  return [
    { ...common, id: 'old', suffix: '', imageId: 'v1', networks: ['a', 'b'] },
    {
      ...common,
      id: 'new',
      suffix: '.swell-draft',
      imageId: 'v2',
      networks: ['a'],
      up: false,
      started: false,
      policy: policy('no'),
      memo,
    },
  ];
}

function happen(accident: (typeof ACCIDENTS)[number], model: Model): Model {
  switch (accident) {
    case 'nothing':
      return model;
    case 'dockerd restarts':
      return model.map((part) => ({ ...part, up: startsAtBoot(part) }));
    case 'the new one is removed':
      return model.filter(({ id }) => id !== 'new');
    case 'the old one is removed':
      return model.filter(({ id }) => id !== 'old');
    default:
      return unreachable(accident);
  }
}

function startsAtBoot({ policy: { Name }, started, byHand = false }: Model[number]): boolean {
  return started && (Name === 'always' || (Name === 'unless-stopped' && !byHand));
}

function perform(model: Model, step: Step): Model {
  const change = (target: Part, changes: Partial<Model[number]>): Model => {
    const name = changes.suffix;
    const taken = model.some(({ id, suffix }) => id !== target.id && suffix === name);
    if (name !== undefined && taken) throw new Error(`409: the name with ${name} is taken`);
    return model.map((part) => (part.id === target.id ? { ...part, ...changes } : part));
  };
  switch (step.step) {
    case 'connect-network':
      return change(step.fresh, { networks: [...step.fresh.networks, step.network] });
    case 'prove':
      return change(step.fresh, { suffix: '.swell-next' });
    case 'copy-files':
    case 'move-reference':
    case 'return-reference':
    case 'keep-last-good':
      return model;
    case 'guard-old':
      return change(step.old, { policy: policy('always') });
    case 'stop-old':
      return change(step.old, { up: false, byHand: true });
    case 'set-aside-old':
      return change(step.old, { suffix: '.swell-prev' });
    case 'name-new':
      return change(step.fresh, { suffix: '' });
    case 'start-new':
      return change(step.fresh, { up: true, started: true, byHand: false });
    case 'pass-commit-point':
      return change(step.old, { suffix: '.swell-old' });
    case 'restore-new-policy':
      return change(step.fresh, { policy: step.policy });
    case 'disarm-old':
      return change(step.old, { policy: policy('no') });
    case 'remove-old':
      return model.filter(({ id }) => id !== step.old.id);
    case 'mark-failed':
      return change(step.fresh, { suffix: '.swell-failed' });
    case 'stop-new':
      return change(step.fresh, { up: false, byHand: true });
    case 'name-old':
      return change(step.old, { suffix: '' });
    case 'start-old':
      return change(step.old, { up: true, byHand: false });
    case 'restore-old-policy':
      return change(step.old, { policy: step.policy });
    case 'remove-new':
      return model.filter(({ id }) => id !== step.fresh.id);
    default:
      return unreachable(step);
  }
}
