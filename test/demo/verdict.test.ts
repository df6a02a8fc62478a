import { describe, expect, it } from 'vitest';
import { closing } from './closing.ts';
import { paint } from './paint.ts';
import { type ActFacts, type DemoFacts, judge } from './verdict.ts';

const V2 = `sha256:${'2'.repeat(64)}`;
const V3 = `sha256:${'3'.repeat(64)}`;
const ON_V2 = ['a', 'b'].map((node) => ({ node, digests: [[V2]], serves: 'v2' }));

const GOOD: ActFacts = {
  version: 'v2',
  ended: 'rollout-settled',
  wasHalted: false,
  attempted: 2,
  seconds: 9.4,
  maxUnavailableSeen: 1,
  truth: ON_V2,
};
const BAD: ActFacts = {
  ...GOOD,
  version: 'v3',
  ended: 'rollout-rested',
  wasHalted: true,
  attempted: 1,
  seconds: 7,
};
const FACTS: DemoFacts = {
  engine: 'docker',
  nodes: 2,
  maxUnavailableAllowed: 1,
  goodDigest: V2,
  good: GOOD,
  bad: BAD,
  violations: [],
  entries: 99,
  failures: [],
};

describe('the verdict', () => {
  it('is good where both releases ended as they should', () => {
    expect(judge(FACTS)).toEqual({
      ok: true,
      engine: 'docker',
      nodes: 2,
      good: { updated: 2, seconds: 9.4, maxUnavailableSeen: 1, maxUnavailableAllowed: 1 },
      bad: { attempted: 1, halted: true, onLastGood: 2, seconds: 7 },
      failures: [],
    });
  });

  it.each<readonly [string, Partial<DemoFacts>, string]>([
    [
      'too many out',
      { good: { ...GOOD, maxUnavailableSeen: 2 } },
      '2 nodes of a region were out at once where 1 may be out',
    ],
    [
      'not settled',
      { good: { ...GOOD, ended: 'rollout-paused' } },
      'v2 should have settled and ended with rollout-paused',
    ],
    ['not halted', { bad: { ...BAD, wasHalted: false } }, 'v3 is sick and was not halted'],
    ['nobody tried', { bad: { ...BAD, attempted: 0 } }, 'nobody tried v3, so nothing was shown'],
    [
      'a broken rule',
      { violations: [{ rule: 'I1', sequence: 5, message: 'two are out' }] },
      'I1 is broken at entry 5: two are out',
    ],
    ['what went wrong besides', { failures: ['the bus is gone'] }, 'the bus is gone'],
  ])('is bad: %s', (_, change, failure) => {
    const result = judge({ ...FACTS, ...change });
    expect([result.ok, result.failures]).toEqual([false, [failure]]);
  });

  it.each([
    ['runs another image', { node: 'b', digests: [[V3]], serves: 'v3' }, `b: runs ${V3}, not v2`],
    ['runs nothing', { node: 'b', digests: [] }, 'b: no container of the service runs'],
    ['runs two', { node: 'b', digests: [[V2], [V2]] }, 'b: 2 containers of the service run'],
    ['answers otherwise', { node: 'b', digests: [[V2]], serves: 'v1' }, 'b: answers "v1", not v2'],
    ['answers nothing', { node: 'b', digests: [[V2]], serves: '' }, 'b: answers nothing, not v2'],
  ])('is bad where a node %s, and does not count it', (_, truth, failure) => {
    const result = judge({ ...FACTS, bad: { ...BAD, truth: [...ON_V2.slice(0, 1), truth] } });
    expect([result.bad.onLastGood, result.failures]).toEqual([1, [`after v3, ${failure}`]]);
  });

  it('is bad where a release was not seen to its end', () => {
    const { good: _, bad: __, ...none } = FACTS;
    expect(judge(none)).toMatchObject({
      ok: false,
      good: { updated: 0 },
      bad: { attempted: 0, halted: false },
    });
  });
});

describe('the closing', () => {
  it('is a table of both, of every node, and one plain word', () => {
    const rows = closing(FACTS, judge(FACTS)).map((row) => paint(row, false));
    expect(rows).toContain('ended                     settled             halted, all back');
    expect(rows).toContain('b             v2        222222222222');
    expect(rows.at(-1)).toBe('● Both releases ended as they should.');
  });
});
