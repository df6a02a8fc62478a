import { expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../domain/policy.ts';
import { emptyRecord, type RolloutPhase, type ServiceRecord } from '../domain/rollout.ts';
import { BODY_BYTES_MAX, decode, encode } from './codec.ts';
import {
  describeRecord,
  leaseSchema,
  RECORD_BYTES_MAX,
  readServiceRecord,
  serviceRecordSchema,
} from './records.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
const RELEASE = {
  rollout: 7,
  service: 'web',
  image: { repository: 'registry.example/web', digest: DIGEST, tag: 'v2' },
  version: 'v2',
  from: ['>=1.4'],
};

const WHOLE: ServiceRecord = {
  service: 'web',
  releasesTaken: { sequence: 9, storedAtMs: 1_700_000_000_002 },
  controlsTaken: { sequence: 3, storedAtMs: 1_700_000_000_003 },
  failuresTold: 12,
  eventsTold: 40,
  policy: {
    sequence: 5,
    storedAtMs: 1_700_000_000_001,
    layer: {
      ...DEFAULT_POLICY,
      stopTimeoutMs: 0,
      safeRate: { percent: 0.01, perMs: 21_600_000 },
      firstGroupSoakMs: 86_400_000,
      hold: [
        { label: 'rack=7', version: '<2', region: 'eu', reason: 'new disks' },
        { region: 'us', reason: 'a fair' },
      ],
      gates: [
        { name: 'errors', query: 'x{region="$region"}', max: 0.1, forMs: 0, everyMs: 30_000, failuresMax: 3 },
        {
          name: 'cpu',
          query: 'x{version="$version"}',
          min: -1,
          compare: { max: 1.5, tolerance: 0 },
          forMs: 60_000,
          everyMs: 5_000,
          failuresMax: 1,
        },
      ],
      canary: { label: 'canary', soakMs: 3_600_000 },
      minimumVersion: ['1.4.2', '>=1.5'],
      windows: {
        '*': {
          windows: [{ text: '22:00-05:00', days: [0, 6], fromMinute: 1_320, toMinute: 300, timeZone: 'UTC' }],
          except: ['2026-12-24'],
        },
      },
      regions: [['eu'], ['us', 'ap']],
      watch: {
        image: { repository: 'registry.example/web', tag: 'latest' },
        everyMs: 300_000,
        mode: 'propose',
      },
    },
  },
  watched: {
    image: 'registry.example/web:latest',
    seen: DIGEST,
    undecided: true,
    proposal: { digest: DIGEST, sinceMs: 1_700_000_000_000 },
    known: [DIGEST],
    failing: 'the registry does not answer',
  },
  candidate: {
    rollout: 9,
    image: { repository: 'registry.example/web', tag: 'v3', digest: DIGEST },
    version: 'three',
    overrides: { soakMs: 0, health: { probe: { kind: 'command', command: ['true'] } } },
    acceptHalted: true,
    publishedAtMs: 1_700_000_000_002,
    digest: DIGEST,
    from: ['1.x', 'nightly'],
    allowDowngrade: true,
    urgent: true,
    notBeforeMs: 1_700_000_001_000,
    expiresMs: 1_700_009_000_000,
    waitsUntilMs: 1_700_000_001_000,
    publication: 'undo-8',
  },
  publishing: {
    publication: 'undo-9',
    release: {
      image: `registry.example/web@${DIGEST}`,
      version: 'v2',
      allowDowngrade: true,
      urgent: true,
    },
    asked: { action: 'undo', mark: '3-1700000000003' },
    tagged: DIGEST,
  },
  rollout: {
    release: RELEASE,
    seed: 'web/7/x',
    overrides: { regions: 'parallel' },
    phase: { name: 'soaking', sinceMs: 1_700_000_000_123 },
    grouping: [['eu'], ['us', 'ap']],
    group: 1,
    percent: 6.25,
    regions: {
      eu: {
        cursor: 0.123456789012345,
        stageBelow: 1,
        slots: 3,
        nodes: 61,
        canaries: ['n7', 'n9'],
        outdated: ['n8'],
      },
    },
    pace: { eu: { from: 0.0625, openMs: 86_400_000 } },
    closed: ['ap'],
    expiresMs: 1_700_009_000_000,
    publication: 'undo-6',
    approved: { group: 1, toPercent: 50 },
    halfway: ['us'],
    lost: [{ region: 'eu', node: 'n1', revision: 77 }],
    paused: { sinceMs: 1_700_000_000_456, reason: 'lunch' },
  },
  held: [{ nodes: ['n1', 'n2'], label: 'rack=7', version: '<2', region: 'eu', reason: 'ticket 17' }],
  settled: [RELEASE],
  halted: [{ rollout: 6, digest: DIGEST, version: 'v1', reason: 'too many failures', stay: true }],
  past: [
    { rollout: 7, version: 'v2', digest: DIGEST, begunAtMs: 1_700_000_000_000 },
    {
      rollout: 6,
      version: 'v1',
      digest: DIGEST,
      begunAtMs: 1_600_000_000_000,
      ended: { as: 'halted', atMs: 1_600_000_100_000, reason: 'too many failures', attempted: 5, failed: 2 },
    },
    {
      rollout: 5,
      version: 'v0',
      digest: DIGEST,
      begunAtMs: 1_500_000_000_000,
      ended: { as: 'settled', atMs: 1_500_000_100_000, attempted: 5, failed: 0 },
    },
  ],
  outbox: [
    {
      id: 'web.7.slot-lost.eu.0.77',
      name: 'slot-lost',
      service: 'web',
      line: 'slot 0 …',
      rollout: 7,
      region: 'eu',
      node: 'n1',
      slot: 0,
      revision: 77,
      digest: DIGEST,
      problems: ['one'],
    },
  ],
};

function roundTripped(record: ServiceRecord): unknown {
  const read = decode(encode(record), serviceRecordSchema, RECORD_BYTES_MAX);
  return read.ok ? read.value : read.problems;
}

test('a record with all that there can be in it goes through the bus unchanged', () => {
  expect(roundTripped(WHOLE)).toStrictEqual(WHOLE);
});

test('so does an empty one, and no field appears that was not there', () => {
  expect(roundTripped(emptyRecord('web'))).toStrictEqual(emptyRecord('web'));
});

test.each<RolloutPhase>([
  { name: 'staging' },
  { name: 'rolling' },
  { name: 'soaking', sinceMs: 1.5 },
  { name: 'gated' },
  { name: 'settled' },
  { name: 'halting', reason: 'bad' },
  { name: 'rested', reason: 'bad' },
  { name: 'aborted', reason: 'bad' },
])('so does a rollout that is $name', (phase) => {
  const { rollout } = WHOLE;
  const record: ServiceRecord = {
    ...WHOLE,
    ...(rollout !== undefined && { rollout: { ...rollout, phase } }),
  };
  expect(roundTripped(record)).toStrictEqual(record);
});

test('a record of a thousand regions and thousands of lost nodes can be read again', () => {
  const { rollout } = WHOLE;
  if (rollout === undefined) throw new Error('there is one');
  const regions = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, index) => [
      `region-${index}`,
      { cursor: Math.PI / 4, stageBelow: 1, slots: 50, nodes: 1_000 },
    ]),
  );
  const lost = Array.from({ length: 5_000 }, (_, index) => ({
    region: 'eu',
    node: `node-${index}`,
    revision: index,
  }));
  const record = { ...WHOLE, rollout: { ...rollout, regions, lost } };
  expect(encode(record).length).toBeGreaterThan(BODY_BYTES_MAX);
  expect(roundTripped(record)).toStrictEqual(record);
});

test('a record that lacks what nobody may forget is none', () => {
  const { halted: _, ...forgetful } = WHOLE;
  expect(decode(encode(forgetful), serviceRecordSchema).ok).toBe(false);
  expect(
    decode(encode({ ...WHOLE, releasesTaken: { sequence: -1, storedAtMs: 0 } }), serviceRecordSchema).ok,
  ).toBe(false);
});

test('a record of another service is none: its release would go to the wrong nodes', () => {
  const problems = ['service: it speaks of web, under the name of db'];
  expect(readServiceRecord(encode(WHOLE), 'web')).toEqual({ ok: true, value: WHOLE });
  expect(readServiceRecord(encode(WHOLE), 'db')).toEqual({ ok: false, problems });
  expect(readServiceRecord(encode({ ...WHOLE, service: 'db' }), 'db')).toEqual({ ok: false, problems });
});

test('a record in one line', () => {
  expect(describeRecord(WHOLE)).toBe('web: rollout 7 (v2) soaking, paused: lunch');
  expect(describeRecord(emptyRecord('web'))).toBe('web: no rollout yet');
});

test('a lease goes through the bus unchanged, and what a later version adds to it is not in the way', () => {
  const lease = {
    coordinator: 'one',
    term: 3,
    leaseMs: 10_000,
    atMs: 1_750_000_000_000,
    releasesRead: { sequence: 7, storedAtMs: 1_700_000_000_004 },
    controlsRead: { sequence: 2, storedAtMs: 1_700_000_000_005 },
  };
  expect(decode(encode({ ...lease, zone: 'a' }), leaseSchema)).toEqual({ ok: true, value: lease });
});
