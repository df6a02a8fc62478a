import { expect, test } from 'vitest';
import { layeredPolicy, policyProblems } from '../domain/policy.ts';
import { decode, encode } from './codec.ts';
import { policySchema } from './policy.ts';

test('a gate, as a person writes it, and what is meant where nothing is said', () => {
  const query = 'errors{service="$service",version="$version",region="$region"}';
  const gates = [
    { name: 'errors', query, max: 0.01, for: '5m', every: '1m', failures: 2 },
    { name: 'cpu', query, compare: { max: 1.5 } },
  ];
  expect(decode(encode({ gates }), policySchema)).toEqual({
    ok: true,
    value: {
      gates: [
        { name: 'errors', query, max: 0.01, forMs: 300_000, everyMs: 60_000, failuresMax: 2 },
        {
          name: 'cpu',
          query,
          compare: { max: 1.5, tolerance: 0 },
          forMs: 0,
          everyMs: 30_000,
          failuresMax: 3,
        },
      ],
    },
  });
});

test('a gate that cannot have been good for long enough before it is held is refused', () => {
  const gate = { name: 'errors', query: 'errors', max: 1, forMs: 900_000, everyMs: 1_000, failuresMax: 1 };
  expect(policyProblems(layeredPolicy({ gates: [gate] }))).toEqual([
    'gates: for of errors must be shorter than progressDeadline: raise progressDeadline',
  ]);
});

test('nor may one be asked too seldom for that, unless its soak is long enough', () => {
  const gate = {
    name: 'errors',
    query: 'errors',
    max: 1,
    forMs: 600_000,
    everyMs: 3_600_000,
    failuresMax: 1,
  } as const;
  expect(policyProblems(layeredPolicy({ gates: [gate] }))).toEqual([
    'gates: every of errors must be shorter than progressDeadline, or its for no longer than soak',
  ]);
  expect(policyProblems(layeredPolicy({ gates: [gate], soakMs: 600_000 }))).toEqual([]);
  expect(policyProblems(layeredPolicy({ gates: [{ ...gate, everyMs: 300_000 }] }))).toEqual([]);
});
