import type { StoredMessage } from '@swell/shared/adapters/bus.ts';
import { CONTROL_ACTIONS } from '@swell/shared/domain/intent.ts';
import { DEFAULT_POLICY } from '@swell/shared/domain/policy.ts';
import type { Wave } from '@swell/shared/domain/wave.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import {
  haltKey,
  healthSubject,
  nodeKey,
  policyKey,
  slotKey,
  waveKey,
} from '@swell/shared/protocol/subjects.ts';
import { expect, test } from 'vitest';
import { digestOf } from '../../../../test/support/rollout-story.ts';
import {
  readPresence,
  readReport,
  translateControl,
  translateOrder,
  translatePolicy,
  translateRelease,
  translateSlot,
} from './translate.ts';

function stored(subject: string, body: unknown, deleted = false): StoredMessage {
  return {
    subject,
    sequence: 7,
    storedAtMs: 1_000,
    deleted,
    body: deleted ? new Uint8Array() : encode(body),
  };
}

const WAVE: Wave = {
  region: 'eu',
  service: 'web',
  release: {
    rollout: 3,
    service: 'web',
    image: { repository: 'r/web', digest: digestOf('v1') },
    version: 'v1',
  },
  phase: 'open',
  stage: { number: 1, of: 2, percent: 50 },
  seed: 'seed',
  stageBelow: 0.5,
  cursor: 0.25,
  slots: 2,
  slotLeaseMs: 120_000,
  stagingSpreadMs: 0,
  health: DEFAULT_POLICY.health,
  drain: DEFAULT_POLICY.drain,
  rejoin: DEFAULT_POLICY.rejoin,
};

test('a release and a word of control are for the service of their subject, well-formed or not', () => {
  expect(translateRelease(stored('swell.release.web', { image: 'r.example/web:v1' }))).toEqual({
    service: 'web',
    event: {
      kind: 'release-published',
      at: { sequence: 7, storedAtMs: 1_000 },
      release: {
        ok: true,
        value: { image: { repository: 'r.example/web', tag: 'v1' }, overrides: {}, acceptHalted: false },
      },
    },
  });
  expect(translateControl(stored('swell.control.web', { action: 'dance' }))).toEqual({
    service: 'web',
    event: {
      kind: 'control-given',
      at: { sequence: 7, storedAtMs: 1_000 },
      control: { ok: false, problems: [`action: must be one of ${CONTROL_ACTIONS.join(', ')}`] },
    },
  });
});

test('a policy, a broken one, and its deletion', () => {
  const subject = policyKey('web');
  expect(translatePolicy(stored(subject, { soak: '1m' }))).toEqual({
    service: 'web',
    event: {
      kind: 'policy-written',
      at: { sequence: 7, storedAtMs: 1_000 },
      policy: { ok: true, value: { soakMs: 60_000 } },
    },
  });
  expect(translatePolicy(stored(subject, { soak: 1 })).event).toMatchObject({ policy: { ok: false } });
  expect(translatePolicy(stored(subject, {}, true))).toEqual({
    service: 'web',
    event: { kind: 'policy-deleted', at: { sequence: 7, storedAtMs: 1_000 } },
  });
});

test('a slot that is held, that is free, and that nobody can read', () => {
  const holder = { node: 'n1', rollout: 3, attempt: '1', leaseMs: 120_000 };
  const event = { kind: 'slot-seen', region: 'eu', slot: 4, heardAtMs: 2_000 };
  const subject = slotKey('eu', 'web', 4);
  expect(translateSlot(stored(subject, holder), 2_000)).toEqual({
    service: 'web',
    event: { ...event, entry: { revision: 7, holder } },
  });
  expect(translateSlot(stored(subject, {}, true), 2_000)).toEqual({
    service: 'web',
    event: { ...event, entry: { revision: 7 } },
  });
  expect(translateSlot(stored(subject, { ...holder, leaseMs: 0 }), 2_000)).toMatchObject({
    event: { entry: { holder: { node: 'unknown' } } },
    problems: [expect.stringMatching(/^leaseMs: /)],
  });
  expect(translateSlot(stored('$KV.swell_slots.eu.web.first', holder), 2_000)).toBeUndefined();
});

test('a wave and a halt that stand, that were deleted, and that nobody can read', () => {
  const wave = { kind: 'wave-seen', region: 'eu', revision: 7 };
  const subject = waveKey('eu', 'web');
  expect(translateOrder(stored(subject, WAVE))).toEqual({ service: 'web', event: { ...wave, wave: WAVE } });
  const none = { service: 'web', event: { ...wave, wave: undefined } };
  expect(translateOrder(stored(subject, {}, true))).toEqual(none);
  expect(translateOrder(stored(subject, { ...WAVE, slots: 0 }))).toEqual({
    ...none,
    problems: [expect.stringMatching(/^slots: /)],
  });
  const halt = { service: 'web', rollout: 3, digest: digestOf('v1'), version: 'v1', reason: 'bad' };
  expect(translateOrder(stored(haltKey('web'), halt))?.event).toEqual({
    kind: 'halt-seen',
    revision: 7,
    halt,
  });
  expect(translateOrder(stored(haltKey('web'), halt, true))?.event).toEqual({
    kind: 'halt-seen',
    revision: 7,
    halt: undefined,
  });
  expect(translateOrder(stored(haltKey('web'), { ...halt, service: 'db' }))).toEqual({
    service: 'web',
    event: { kind: 'halt-seen', revision: 7, halt: undefined, unreadable: true },
    problems: ['service: it speaks of db, under the name of web'],
  });
  expect(translateOrder(stored('$KV.swell_orders.other', WAVE))).toBeUndefined();
});

test('presence speaks of its own node only', () => {
  const presence = {
    region: 'eu',
    node: 'n1',
    agentVersion: '1',
    services: { web: { phase: 'idle', ready: true } },
  };
  const subject = nodeKey('eu', 'n1');
  expect(readPresence(stored(subject, presence))).toEqual({ is: 'value', value: presence });
  expect(readPresence(stored(subject, {}, true))).toEqual({ is: 'gone', region: 'eu', node: 'n1' });
  expect(readPresence(stored(nodeKey('eu', 'n2'), presence))).toEqual({
    is: 'unreadable',
    problems: ['it speaks of eu.n1 under the name of eu.n2'],
  });
  expect(readPresence(stored(subject, { ...presence, region: 'us' }))).toMatchObject({ is: 'unreadable' });
});

test('a report speaks of its own node only', () => {
  const report = { id: '1', region: 'eu', node: 'n1', service: 'web', rollout: 3, status: 'staged' } as const;
  expect(readReport(stored(healthSubject('eu', 'web', 'n1'), report))).toEqual({
    is: 'value',
    value: report,
  });
  for (const subject of [
    healthSubject('eu', 'web', 'n2'),
    healthSubject('us', 'web', 'n1'),
    healthSubject('eu', 'db', 'n1'),
  ])
    expect(readReport(stored(subject, report))).toEqual({
      is: 'unreadable',
      problems: ['it speaks of a node that is not the one of its subject'],
    });
  expect(
    readReport(stored(healthSubject('eu', 'web', 'n1'), { ...report, status: 'dancing' })),
  ).toMatchObject({
    is: 'unreadable',
  });
});
