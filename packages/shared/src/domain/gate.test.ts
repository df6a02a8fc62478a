import { expect, test } from 'vitest';
import { type Gate, isAskedByRegion, judgeAnswer, queryFor, queryForOthers } from './gate.ts';

const QUERY = 'sum(rate(errors{service="$service",version="$version",region="$region"}[5m]))';
const GATE: Gate = { name: 'errors', query: QUERY, forMs: 0, everyMs: 1_000, failuresMax: 3 };
const SUBJECT = { service: 'web', version: 'v2', region: 'eu' };

function is(change: Partial<Gate>, value: number, others?: number): string {
  return judgeAnswer({ ...GATE, ...change }, { is: 'value', value, ...(others !== undefined && { others }) })
    .is;
}

test('a query names the service, the version and the region', () => {
  expect(queryFor(GATE, SUBJECT)).toBe('sum(rate(errors{service="web",version="v2",region="eu"}[5m]))');
  expect(isAskedByRegion(GATE)).toBe(true);
  expect(isAskedByRegion({ ...GATE, query: 'up' })).toBe(false);
});

test('of all nodes that are not on the release it asks by a version that is another one', () => {
  expect(queryForOthers(GATE, SUBJECT)).toBe(
    'sum(rate(errors{service="web",version!="v2",region="eu"}[5m]))',
  );
  expect(queryForOthers({ ...GATE, query: `a{version= '$version'} / b{other!="$version"}` }, SUBJECT)).toBe(
    `a{version!= 'v2'} / b{other!="v2"}`,
  );
});

test('a version ends no text and names no variable, whatever a releaser calls it', () => {
  const version = '1"} or vector(0) #\\ $region';
  expect(queryFor({ ...GATE, query: 'x{version="$version"}' }, { ...SUBJECT, version })).toBe(
    'x{version="1\\x22} or vector(0) #\\x5c $region"}',
  );
});

test('N10: what is no number is not good and not bad', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    expect(is({ min: 0, max: 1 }, value)).toBe('inconclusive');
  expect(judgeAnswer({ ...GATE, max: 1 }, { is: 'none', why: 'no data' })).toEqual({
    is: 'inconclusive',
    seen: 'no data',
  });
});

test('a bound itself is within it', () => {
  expect([is({ max: 1 }, 1), is({ max: 1 }, 1.001), is({ min: 1 }, 1), is({ min: 1 }, 0.999)]).toEqual([
    'good',
    'bad',
    'good',
    'bad',
  ]);
});

test('a comparison is with so many times what the others have, give or take its tolerance', () => {
  const compare = { min: 0.5, max: 2, tolerance: 0.1 };
  const values = [0.3, 0.4, 1, 2.1, 2.2];
  expect(values.map((value) => is({ compare }, value, 1))).toEqual(['bad', 'good', 'good', 'good', 'bad']);
});

test('N10: without errors on either side there is nothing wrong, and a first one is more than any multiple', () => {
  const compare = { max: 3, tolerance: 0 };
  expect([is({ compare }, 0, 0), is({ compare }, 0.001, 0)]).toEqual(['good', 'bad']);
});

test('N10: with what is no number, or below 0, nothing can be compared', () => {
  const compare = { max: 3, tolerance: 0 };
  expect([is({ compare }, 1, Number.NaN), is({ compare }, 1, -1), is({ compare }, -1, 1)]).toEqual([
    'inconclusive',
    'inconclusive',
    'inconclusive',
  ]);
  // A bound of its own holds whatever the others have.
  expect(is({ max: 1, compare }, 2, Number.NaN)).toBe('bad');
});

test('where nobody is left to be compared with, the other bounds hold', () => {
  const compare = { max: 3, tolerance: 0 };
  expect([is({ compare }, 100), is({ max: 10, compare }, 100)]).toEqual(['good', 'bad']);
});
