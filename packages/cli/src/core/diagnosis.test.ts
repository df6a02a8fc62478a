import { expect, test } from 'vitest';
import { type Check, diagnose, drawChecks, type Findings } from './diagnosis.ts';
import { paint } from './rows.ts';

const WELL: Findings = {
  serverVersion: '2.15.2',
  concerns: [],
  monitored: ['http://nats:8222'],
  missing: [],
  streams: [{ stream: 'KV_swell_slots', replicas: 3, leader: 'a', behind: [] }],
  drift: [],
  clocks: [{ server: 'a', aheadMs: -12, toleranceMs: 3 }],
  lease: { coordinator: 'first', leaseMs: 10_000, ageMs: 2_000 },
  scopes: [{ scope: 'europe', lease: { coordinator: 'second', leaseMs: 10_000, ageMs: 3_000 } }],
  unread: [],
};

function bad(change: Partial<Findings>): readonly Check[] {
  return diagnose({ ...WELL, ...change }).filter(({ state }) => state !== 'ok');
}

test('what is well is told with what was found', () => {
  expect(diagnose(WELL)).toEqual([
    { name: 'server version', state: 'ok', found: '2.15.2' },
    { name: 'fsync of http://nats:8222', state: 'ok', found: 'always' },
    { name: 'KV_swell_slots replicas', state: 'ok', found: '3' },
    { name: 'definitions', state: 'ok', found: 'as in nats/streams' },
    { name: 'clock of a', state: 'ok', found: '12ms behind ours (± 3ms)' },
    { name: 'coordinator', state: 'ok', found: 'first, 2s ago' },
    { name: 'coordinator of scope europe', state: 'ok', found: 'second, 3s ago' },
  ]);
});

const concern = (setting: 'version' | 'sync_interval', server: string, found: string) => ({
  concerns: [{ server, setting, expected: '2.11 or newer', found }],
});

test.each<[string, Partial<Findings>, Partial<Check>]>([
  [
    'an old server',
    { serverVersion: '2.10.0', ...concern('version', '2.10.0', '2.10.0') },
    { name: 'server version', state: 'concern', remedy: 'run nats-server 2.11 or newer' },
  ],
  [
    'a server that acknowledges before it has synced',
    concern('sync_interval', 'http://nats:8222', '120s'),
    { name: 'fsync of http://nats:8222', state: 'concern', found: '120s' },
  ],
  [
    'a monitoring address that does not answer',
    concern('sync_interval', 'http://nats:8222', 'unknown: fetch failed'),
    { name: 'fsync of http://nats:8222', state: 'unknown', found: 'unknown: fetch failed' },
  ],
  ['nobody asked how servers sync', { monitored: [] }, { name: 'fsync', state: 'unknown' }],
  [
    'a stream that is gone',
    { missing: ['SWELL_LOG'] },
    { name: 'SWELL_LOG', state: 'concern', found: 'missing' },
  ],
  [
    'copies without a leader',
    { streams: [{ stream: 'S', replicas: 3, behind: [] }] },
    { name: 'S replicas', state: 'concern', found: '3, no leader' },
  ],
  [
    'a copy that is behind',
    { streams: [{ stream: 'S', replicas: 3, leader: 'a', behind: ['b'] }] },
    { name: 'S replicas', state: 'concern', found: '3, behind: b' },
  ],
  [
    'a setting that differs',
    { drift: [{ stream: 'S', field: 'max_age', expected: 5, found: undefined }] },
    {
      name: 'S max_age',
      state: 'concern',
      found: 'nothing',
      remedy: 'nats/streams/S.json says 5: nats stream edit S',
    },
  ],
  [
    'a clock that is wrong',
    { clocks: [{ server: 'a', aheadMs: 5_000, toleranceMs: 100 }] },
    { name: 'clock of a', state: 'concern', found: '5s ahead of ours (± 100ms)' },
  ],
  [
    'a lease that was given back',
    { lease: { coordinator: 'first', leaseMs: 0, ageMs: 0 } },
    { name: 'coordinator', state: 'concern', found: 'none leads; the last was first, 0ms ago' },
  ],
  [
    'a lease that ran out',
    { lease: { coordinator: 'first', leaseMs: 10_000, ageMs: 21_000 } },
    { name: 'coordinator', state: 'concern' },
  ],
  [
    'a scope that nobody has ever led',
    { scopes: [{ scope: 'europe' }] },
    { name: 'coordinator of scope europe', state: 'concern' },
  ],
  [
    'a region that nobody can read the scope of',
    { unread: ['eu'] },
    { name: 'region eu', state: 'concern', found: 'nobody can read whose it is' },
  ],
])('%s is told, and nothing else', (_, change, expected) => {
  expect(bad(change)).toEqual([expect.objectContaining(expected)]);
});

test('a clock that a slow answer could not measure any better is none of our concern', () => {
  expect(bad({ clocks: [{ server: 'a', aheadMs: 5_000, toleranceMs: 4_000 }] })).toEqual([]);
});

test('no lease at all is a concern', () => {
  const { lease: _, ...findings } = WELL;
  expect(diagnose({ ...findings, scopes: [] }).at(-1)).toMatchObject({
    name: 'coordinator',
    state: 'concern',
  });
});

test('each is drawn with its remedy below it', () => {
  const checks = bad({ monitored: [] });
  expect(drawChecks(checks).map((row) => paint(row, false))).toEqual([
    '? fsync: nobody was asked',
    "    name the servers' monitoring addresses: --monitoring http://nats:8222",
  ]);
});
