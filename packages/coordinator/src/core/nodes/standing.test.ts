import type { NodeStatus } from '@swell/shared/domain/report.ts';
import type { NodeStanding } from '@swell/shared/domain/standing.ts';
import { expect, test } from 'vitest';
import { digestOf } from '../../../../../test/support/rollout-story.ts';
import type { NodeFacts } from './census.ts';
import { hasToReturn, standing } from './standing.ts';

const NEW = digestOf('v1');
const OLD = digestOf('v0');
const NOW = 1_000_000;

const ROLLOUT = {
  release: {
    rollout: 7,
    service: 'web',
    image: { repository: 'registry.example/web', digest: NEW },
    version: 'v1',
  },
  lost: [],
};

function facts(running: string | undefined, status?: NodeStatus, rollout = 7, attempt?: string): NodeFacts {
  return {
    region: 'eu',
    node: 'n1',
    rank: 0.5,
    seenAtMs: NOW,
    running,
    labels: [],
    report: undefined,
    reported: undefined,
    ...(status !== undefined && {
      report: {
        id: '1',
        region: 'eu',
        node: 'n1',
        service: 'web',
        rollout,
        status,
        ...(attempt !== undefined && { attempt }),
      },
      reported: { sequence: 1, atMs: NOW },
    }),
  };
}

test.each<[NodeStatus | undefined, NodeStanding, NodeStanding]>([
  [undefined, 'waiting', 'updated'],
  ['staged', 'staged', 'updated'],
  ['stage-failed', 'held', 'updated'],
  ['refused', 'refused', 'updated'],
  ['updating', 'underway', 'underway'],
  ['returning', 'underway', 'underway'],
  ['stuck', 'underway', 'underway'],
  ['healthy', 'updated', 'updated'],
  ['failed', 'failed', 'failed'],
  ['interrupted', 'staged', 'updated'],
  ['returned', 'back', 'back'],
  ['kept', 'back', 'back'],
])('who said %s last stands as %s, and with the image running as %s', (status, otherwise, onIt) => {
  expect(standing(facts(OLD, status), ROLLOUT)).toBe(otherwise);
  expect(standing(facts(NEW, status), ROLLOUT)).toBe(onIt);
});

test('what a node said of another rollout says nothing of this one', () => {
  expect(standing(facts(OLD, 'failed', 6), ROLLOUT)).toBe('waiting');
  expect(standing(facts(NEW, 'failed', 6), ROLLOUT)).toBe('updated');
});

test('a node in the middle of another rollout leaves what runs there, and is waited for', () => {
  for (const status of ['updating', 'returning', 'stuck'] as const) {
    const busy = facts(NEW, status, 6);
    expect(standing(busy, ROLLOUT)).toBe('underway');
    // By then it has shown what runs there.
    expect(standing({ ...busy, seenAtMs: NOW + 61_000 }, ROLLOUT)).toBe('updated');
    expect(standing(facts(OLD, status, 6), ROLLOUT)).toBe('waiting');
  }
});

test('a lost node has failed, whatever it says later; one of the same name elsewhere has not', () => {
  const lost = { ...ROLLOUT, lost: [{ region: 'eu', node: 'n1', revision: 3 }] };
  expect(standing(facts(NEW, 'healthy'), lost)).toBe('failed');
  expect(standing({ ...facts(NEW, 'healthy'), region: 'us' }, lost)).toBe('updated');
});

test('who was cut off and says what he is back on is not on the release, though his presence of before says so', () => {
  const cutOff = facts(NEW, 'interrupted');
  const told = cutOff.report && { ...cutOff, report: { ...cutOff.report, running: OLD } };
  if (told === undefined) throw new Error('it has said nothing');
  expect(standing(told, ROLLOUT)).toBe('staged');
  // What is seen a good while later is newer than what was said.
  expect(standing({ ...told, seenAtMs: NOW + 61_000 }, ROLLOUT)).toBe('updated');
});

test.each<[NodeStatus | undefined, boolean, boolean]>([
  [undefined, false, true],
  ['staged', false, true],
  ['refused', false, true],
  ['interrupted', false, true],
  ['updating', true, true],
  ['returning', true, true],
  ['stuck', true, true],
  ['healthy', true, true],
  ['failed', false, false],
  ['returned', false, false],
  ['kept', false, false],
])(
  'after a halt who said %s last has to return: %s, and with the image running: %s',
  (status, otherwise, onIt) => {
    expect(hasToReturn(facts(OLD, status), ROLLOUT, NOW)).toBe(otherwise);
    expect(hasToReturn(facts(NEW, status), ROLLOUT, NOW)).toBe(onIt);
  },
);

test('after a halt a node in the middle of another rollout may be on its way to the same image', () => {
  const busy = facts(OLD, 'updating', 6);
  expect(hasToReturn(busy, ROLLOUT, NOW)).toBe(true);
  // By then it has shown what runs there.
  expect(hasToReturn({ ...busy, seenAtMs: NOW + 61_000 }, ROLLOUT, NOW + 61_000)).toBe(false);
  expect(hasToReturn(facts(OLD, 'healthy', 6), ROLLOUT, NOW)).toBe(false);
});

test('nobody waits for the return of a node that is away', () => {
  expect(hasToReturn(facts(NEW, 'healthy'), ROLLOUT, NOW + 180_000)).toBe(false);
});

test('whom his operator has brought elsewhere by hand since has nothing to return from', () => {
  const later = { ...facts(OLD, 'healthy'), seenAtMs: NOW + 61_000 };
  expect(hasToReturn(later, ROLLOUT, NOW + 61_000)).toBe(false);
  // Presence lags behind reports: what was seen just after one may be older than it.
  expect(hasToReturn({ ...later, seenAtMs: NOW + 1_000 }, ROLLOUT, NOW + 1_000)).toBe(true);
});

test('a node that lost its slot in the middle and was set up anew has nothing to return from', () => {
  const lost = { ...ROLLOUT, lost: [{ region: 'eu', node: 'n1', revision: 3 }] };
  expect(hasToReturn(facts(OLD, 'updating'), lost, NOW)).toBe(false);
  expect(hasToReturn(facts(NEW, 'updating'), lost, NOW)).toBe(true);
});
