import { describe, expect, it } from 'vitest';
import type { Part, Suffix } from '../marks.ts';
import type { Memo } from '../memo.ts';
import {
  type Found,
  isUnit,
  memberProgress,
  membersLeft,
  presentParts,
  probedParts,
  readMembers,
} from './members.ts';

const ATTEMPT = '7.update.1';
const NO = { Name: 'no', MaximumRetryCount: 0 };
const ALWAYS = { Name: 'always', MaximumRetryCount: 0 };

function part(id: string, base: string, suffix: Suffix = '', changes: Partial<Part> = {}): Part {
  const up = changes.up ?? true;
  return {
    id,
    base,
    suffix,
    up,
    wanted: up,
    started: true,
    policy: ALWAYS,
    imageId: 'v1',
    networks: [],
    ...changes,
  };
}

function memo(replaces: string, more: Partial<Memo> = {}): Memo {
  return { attempt: ATTEMPT, replaces, policy: ALWAYS, reference: 'web:1', oldState: 'running', ...more };
}

/** `next`: made, and not started; `over`: it has taken the old one's place; `done`: the old one is gone. */
function pair(
  base: string,
  state: 'next' | 'over' | 'point' | 'done',
  more: Partial<Memo> = {},
): readonly Part[] {
  const isNext = state === 'next';
  const fresh = part(`${base}-new`, base, isNext ? '.swell-next' : '', {
    up: !isNext,
    started: !isNext,
    policy: state === 'done' ? ALWAYS : NO,
    memo: memo(`${base}-old`, more),
  });
  const suffix = isNext ? '' : state === 'point' ? '.swell-old' : '.swell-prev';
  return state === 'done' ? [fresh] : [part(`${base}-old`, base, suffix, { up: isNext }), fresh];
}

function shown(found: Found) {
  return {
    kind: found.kind,
    progress: found.kind === 'swap' ? memberProgress(found) : undefined,
    left: found.kind === 'swap' ? membersLeft(found).map(([{ base }]) => base) : [],
    present: presentParts(found).map(({ id }) => id),
    probed: probedParts(found).map((one) => one.part.id),
  };
}

describe('the containers of a service', () => {
  it('are none, one, or several', () => {
    expect(shown(readMembers('web', [], []))).toMatchObject({ kind: 'absent', present: [] });
    const two = [part('b', 'web-10'), part('a', 'web-2')];
    expect(shown(readMembers('web', two, []))).toMatchObject({ kind: 'settled', present: ['a', 'b'] });
  });

  it('are those that run, where some do: whoever stopped the others meant it', () => {
    const parts = [part('a', 'web-1'), part('b', 'web-2', '', { up: false })];
    expect(shown(readMembers('web', parts, [])).present).toEqual(['a']);
    const broken = [part('a', 'web-1'), part('b', 'web-2', '', { up: false, wanted: true })];
    expect(shown(readMembers('web', broken, [])).present).toEqual(['a', 'b']);
    const stopped = [part('b', 'web-2', '', { up: false })];
    expect(shown(readMembers('web', stopped, [])).present).toEqual(['b']);
  });
});

describe('a swap of several', () => {
  it.each([
    ['made', ['next', 'next'], 'prepared', ['web-1', 'web-2'], ['web-1-old', 'web-2-old']],
    ['with one gone over', ['over', 'next'], 'cut-over', ['web-2'], ['web-1-new']],
    ['with all gone over', ['over', 'over'], 'cut-over', [], ['web-1-new', 'web-2-new']],
    ['past the commit point of one', ['point', 'over'], 'committed', [], ['web-1-new', 'web-2-new']],
    ['done with one', ['done', 'point'], 'committed', [], ['web-1-new', 'web-2-new']],
    // Somebody removed the old one: nobody has said yet that the new ones are well.
    ['with one that cannot go back', ['done', 'next'], 'cut-over', ['web-2'], ['web-1-new']],
  ] as const)('%s', (_, [one, two], progress, left, probed) => {
    const found = readMembers('web', [...pair('web-1', one), ...pair('web-2', two)], []);
    expect(shown(found)).toMatchObject({ progress, left, probed });
  });

  it('goes on with the one that has begun to leave', () => {
    const [old, fresh] = pair('web-2', 'next');
    if (old === undefined || fresh === undefined) throw new Error('no pair');
    const begun = [{ ...old, suffix: '.swell-prev' as const, up: false }, fresh];
    const found = readMembers('web', [...pair('web-1', 'next'), ...begun], []);
    expect(shown(found)).toMatchObject({ progress: 'prepared', left: ['web-2', 'web-1'] });
  });
});

describe('parts of a stack', () => {
  /** The names of Compose's services, and of those that it starts before each. */
  const composed = (after: Readonly<Record<string, readonly string[]>>, state: 'next' | 'over' = 'next') =>
    Object.entries(after).flatMap(([name, needed]) =>
      pair(name, state).map((one) => ({ ...one, composed: { name, after: needed } })),
    );

  it('go over after those that Compose starts before them', () => {
    const found = readMembers('shop', composed({ api: ['db'], db: [], web: ['api', 'db'] }), []);
    expect(shown(found).left).toEqual(['db', 'api', 'web']);
  });

  it('are asked for their health together once all have gone over', () => {
    const found = readMembers('shop', composed({ api: ['db'], db: [] }, 'over'), []);
    expect(shown(found).probed).toEqual(['db-new', 'api-new']);
  });

  it('are a unit where each has an image of its own', () => {
    const one = readMembers('shop', [...pair('api', 'next'), ...pair('db', 'next')], []);
    const unit = readMembers('shop', [...pair('api', 'next', { part: 'api' }), ...pair('db', 'next')], []);
    expect([one, unit].map((found) => found.kind === 'swap' && isUnit(found))).toEqual([false, true]);
  });
});

describe('those that live in the namespaces of one', () => {
  const along = { along: { service: 'web', lead: 'web-old' } };

  it('go with it: it has not gone over before they have', () => {
    const lead = pair('web', 'over', { tenants: ['log-old'] });
    expect(shown(readMembers('web', lead, pair('log', 'next', along)))).toMatchObject({
      progress: 'prepared',
      left: ['web'],
      present: ['web-new'],
    });
    expect(shown(readMembers('web', lead, pair('log', 'over', along))).progress).toBe('cut-over');
  });

  it('start in the order in which the container names them', () => {
    const lead = pair('web', 'next', { tenants: ['z-old', 'a-old'] });
    const found = readMembers('web', lead, [...pair('a', 'next', along), ...pair('z', 'next', along)]);
    const bases = found.kind === 'swap' ? found.members.flat().map(({ base }) => base) : [];
    expect(bases).toEqual(['web', 'z', 'a']);
  });

  it('are gone over without having been started, where they were stopped', () => {
    const [old, fresh] = pair('log', 'over', { ...along, oldState: 'stopped' });
    if (old === undefined || fresh === undefined) throw new Error('no pair');
    const stopped = [old, { ...fresh, up: false, started: false }];
    const lead = pair('web', 'over', { tenants: ['log-old'] });
    expect(shown(readMembers('web', lead, stopped)).progress).toBe('cut-over');
    const ended = [{ ...fresh, up: false, started: false, policy: ALWAYS }];
    expect(shown(readMembers('web', pair('web', 'done'), ended)).kind).toBe('settled');
  });

  it('are known by the container that they lived in, where somebody took the new one away', () => {
    const lead = pair('web', 'over', { tenants: ['log-old'] });
    const alone = [part('log-old', 'log', '.swell-prev', { up: false })];
    const found = readMembers('web', lead, alone);
    expect(found.kind === 'swap' ? found.members.flat().map(({ base }) => base) : []).toEqual(['web', 'log']);
    expect(readMembers('web', pair('web', 'over'), alone)).toMatchObject({ members: [[{ base: 'web' }]] });
  });

  it('are brought to an end also where the one that they lived in is done', () => {
    const found = readMembers('web', pair('web', 'done'), pair('log', 'point', along));
    expect(shown(found)).toMatchObject({ kind: 'swap', progress: 'committed', present: ['web-new'] });
  });

  it('tell their own service that they are being moved, and by whom', () => {
    const found = readMembers('log', pair('log', 'over', along), []);
    expect(found).toMatchObject({ kind: 'settled', alongWith: 'web', parts: [{ id: 'log-new' }] });
    expect(readMembers('log', pair('log', 'done', along), [])).toMatchObject({ kind: 'settled' });
    expect(readMembers('log', pair('log', 'done', along), [])).not.toHaveProperty('alongWith');
  });
});
