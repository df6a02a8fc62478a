import { expect, test } from 'vitest';
import { compareDefinitions } from './topology-drift.ts';

const definition = {
  name: 'KV_x',
  description: 'as we say it',
  subjects: ['$KV.x.>'],
  max_age: 0,
  max_bytes: -1,
  republish: { src: '$KV.x.>', dest: 'x.>' },
};

test('what the server adds, leaves out or words in its own way is no drift', () => {
  const found = {
    name: 'KV_x',
    subjects: ['$KV.x.>'],
    republish: { src: '$KV.x.>', dest: 'x.>' },
    max_bytes: -1,
    consumer_limits: {},
    metadata: { '_nats.ver': '2.15.2' },
    placement: { cluster: 'eu' },
    sealed: false,
    compression: 'none',
  };
  expect(compareDefinitions(definition, found)).toEqual([]);
});

test('a setting that differs, is missing or was added is told by its path', () => {
  const found = {
    ...definition,
    subjects: ['$KV.x.>', '$KV.y.>'],
    max_age: 5,
    republish: { src: '$KV.x.>', dest: 'y.>' },
    deny_purge: true,
  };
  expect(compareDefinitions(definition, found)).toEqual([
    { stream: 'KV_x', field: 'max_age', expected: 0, found: 5 },
    { stream: 'KV_x', field: 'republish.dest', expected: 'x.>', found: 'y.>' },
    { stream: 'KV_x', field: 'subjects[1]', expected: undefined, found: '$KV.y.>' },
    { stream: 'KV_x', field: 'deny_purge', expected: undefined, found: true },
  ]);
});

test('what the caller leaves open is not compared', () => {
  const found = { ...definition, num_replicas: 3 };
  expect(compareDefinitions({ ...definition, num_replicas: 1 }, found, ['num_replicas'])).toEqual([]);
});
