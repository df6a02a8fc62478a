import { expect, test } from 'vitest';
import { allDependencies, cycleOf, type Dependency } from './dependency.ts';

/** `db` as a whole, `db?` region by region. */
const on = (...names: readonly string[]): readonly Dependency[] =>
  names.map((name) => ({ service: name.replace('?', ''), per: name.endsWith('?') ? 'region' : 'fleet' }));

const lookUp =
  (graph: Readonly<Record<string, readonly string[]>>) =>
  (service: string): readonly Dependency[] | undefined =>
    graph[service] === undefined ? undefined : on(...graph[service]);

test('a service depends on all that its dependencies depend on, each once', () => {
  const of = lookUp({ queue: ['db', 'cache'], cache: ['db'], db: [] });
  expect(allDependencies(on('queue', 'cache'), of)).toEqual(on('cache', 'db', 'queue'));
});

test('region by region only where every way to it is', () => {
  const of = lookUp({ queue: ['db?'], cache: ['disk'], disk: ['db?'], log: ['db?'] });
  expect(allDependencies(on('queue?'), of)).toEqual(on('db?', 'queue?'));
  expect(allDependencies(on('queue?', 'cache?'), of)).toEqual(on('cache?', 'db', 'disk', 'queue?'));
  // Whichever way is found first.
  expect(allDependencies(on('log', 'queue?'), of)).toEqual(on('db', 'log', 'queue?'));
  expect(allDependencies(on('queue?', 'log'), of)).toEqual(on('db', 'log', 'queue?'));
});

test('a service of which nothing is known is one to wait for', () => {
  expect(allDependencies(on('ghost'), () => undefined)).toEqual(on('ghost'));
});

test('the shortest way back to a service is its cycle', () => {
  const of = lookUp({ a: ['b'], b: ['c', 'd'], c: ['d'], d: ['e'], e: ['d', 'a'] });
  expect(cycleOf('a', on('b'), of)).toEqual(['a', 'b', 'd', 'e', 'a']);
  expect(cycleOf('a', on('a'), of)).toEqual(['a', 'a']);
});

test('one that others go round is in none itself', () => {
  expect(cycleOf('web', on('a'), lookUp({ a: ['b'], b: ['a'] }))).toBeUndefined();
  expect(allDependencies(on('a'), lookUp({ a: ['b'], b: ['a'] }))).toEqual(on('a', 'b'));
});
