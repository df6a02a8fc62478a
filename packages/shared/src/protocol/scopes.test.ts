import { expect, test } from 'vitest';
import { isOf, scopesOf } from '../domain/scope.ts';
import { encode } from './codec.ts';
import { readAssignment, readAssignments } from './scopes.ts';
import { leaseKey, questionSubject, regionKey, rolloutKey, scopeOfRecord, serviceAsked } from './subjects.ts';

const message = (region: string, body: unknown, deleted = false) => ({
  subject: regionKey(region),
  body: deleted ? new Uint8Array() : encode(body),
  deleted,
});

test('a region is of the scope that is written, and where nothing is, of the global one', () => {
  const assigned = readAssignments([
    message('eu', { scope: 'europe' }),
    message('us', { scope: 'america' }),
    message('ap', {}, true),
  ]);
  expect(['eu', 'us', 'ap', 'sa'].map((region) => isOf(assigned, undefined, region))).toEqual([
    false,
    false,
    true,
    true,
  ]);
  expect(['eu', 'us', 'ap', 'sa'].map((region) => isOf(assigned, 'europe', region))).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect(scopesOf(assigned)).toEqual(['america', 'europe']);
});

test('I13: what nobody can read makes the region nobody’s, and is told', () => {
  const told: (readonly string[])[] = [];
  const assigned = readAssignments([message('eu', { scope: 'no token' })], (_, problems) =>
    told.push(problems),
  );
  expect(told).toEqual([['scope: must be a name of letters, digits, "-" and "_"']]);
  expect([undefined, 'europe', 'no token'].map((scope) => isOf(assigned, scope, 'eu'))).toEqual([
    false,
    false,
    false,
  ]);
  expect(scopesOf(assigned)).toEqual([]);
});

test('a word too many is refused: it may be a list of regions', () => {
  expect(readAssignment(message('eu', { scope: 'europe', regions: ['eu', 'us'] }))).toMatchObject({
    ok: false,
  });
});

test('without a scope every key is what it was before there were any', () => {
  expect([leaseKey(), rolloutKey('web'), questionSubject('rollout', 'web')]).toEqual([
    '$KV.swell_rollouts.leader',
    '$KV.swell_rollouts.service.web',
    'swell.ask.rollout.web',
  ]);
  expect([leaseKey('eu'), rolloutKey('web', 'eu'), questionSubject('rollout', 'web', 'eu')]).toEqual([
    '$KV.swell_rollouts.leader.eu',
    '$KV.swell_rollouts.service.eu.web',
    'swell.ask.rollout.web.eu',
  ]);
  expect([rolloutKey('web'), rolloutKey('web', 'eu')].map(scopeOfRecord)).toEqual([undefined, 'eu']);
  expect(serviceAsked('swell.ask.rollout.web.eu')).toBe('web');
});
