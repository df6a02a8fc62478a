import { expect, test } from 'vitest';
import { DEFAULT_POLICY, layeredPolicy, type PolicyLayer, policyProblems } from '../domain/policy.ts';
import { decode, encode } from './codec.ts';
import { policyJsonSchema, policySchema } from './policy.ts';

function layer(policy: unknown): PolicyLayer {
  const read = decode(encode(policy), policySchema);
  if (!read.ok) throw new Error(read.problems.join('; '));
  return read.value;
}

function problems(policy: unknown): readonly string[] {
  const read = decode(encode(policy), policySchema);
  return read.ok ? [] : read.problems;
}

const GATE = { name: 'errors', query: 'errors', max: 1 };

test('an empty policy says nothing, so that the defaults hold', () => {
  expect(layer({})).toEqual({});
  expect(layeredPolicy(layer({}))).toEqual(DEFAULT_POLICY);
  expect(policyProblems(DEFAULT_POLICY)).toEqual([]);
});

test('a whole policy, as a person writes it', () => {
  expect(
    layer({
      stages: [6.25, 12.5, 25, 50, 100],
      approval: 'automatic',
      safeRate: '5%/6h',
      windows: {
        eu: { open: ['sat 22:00-05:00 Europe/Vienna'], except: ['2026-12-24'] },
        '*': { open: ['08:00-09:00'] },
      },
      coolDown: '1d',
      watch: { image: 'web', every: '1m', mode: 'auto' },
      dependsOn: ['db', { service: 'cache', per: 'region' }],
      hold: [{ label: 'rack=7', reason: 'new disks' }],
      canary: { label: 'rack=7' },
      minimumVersion: '1.4.2',
      firstGroupSoak: '2d',
      maxUnavailable: '5%',
      stagingQuorum: '80%',
      stagingSpread: '30s',
      soak: '1h30m',
      progressDeadline: '15m',
      failureBudget: { max: 3, minSample: 10 },
      regions: [['eu-west'], ['us-east', 'ap-south']],
      slotLease: '2m',
      stopTimeout: '0s',
      health: {
        http: { port: 8080 },
        interval: '500ms',
        timeout: '2s',
        minHealthyTime: '10s',
        healthyDeadline: '5m',
      },
    }),
  ).toEqual({
    stagesPercent: [6.25, 12.5, 25, 50, 100],
    approval: 'automatic',
    safeRate: { percent: 5, perMs: 21_600_000 },
    windows: {
      eu: {
        windows: [
          {
            text: 'sat 22:00-05:00 Europe/Vienna',
            days: [6],
            fromMinute: 1_320,
            toMinute: 300,
            timeZone: 'Europe/Vienna',
          },
        ],
        except: ['2026-12-24'],
      },
      '*': {
        windows: [
          {
            text: '08:00-09:00',
            days: [0, 1, 2, 3, 4, 5, 6],
            fromMinute: 480,
            toMinute: 540,
            timeZone: 'UTC',
          },
        ],
        except: [],
      },
    },
    coolDownMs: 86_400_000,
    watch: {
      image: { repository: 'docker.io/library/web', tag: 'latest' },
      everyMs: 60_000,
      mode: 'auto',
    },
    dependsOn: [
      { service: 'db', per: 'fleet' },
      { service: 'cache', per: 'region' },
    ],
    hold: [{ label: 'rack=7', reason: 'new disks' }],
    canary: { label: 'rack=7', soakMs: 3_600_000 },
    minimumVersion: ['>=1.4.2'],
    firstGroupSoakMs: 172_800_000,
    maxUnavailable: { kind: 'percent', percent: 5 },
    stagingQuorumPercent: 80,
    stagingSpreadMs: 30_000,
    soakMs: 5_400_000,
    progressDeadlineMs: 900_000,
    failureBudget: { max: { kind: 'count', count: 3 }, minSample: 10 },
    regions: [['eu-west'], ['us-east', 'ap-south']],
    slotLeaseMs: 120_000,
    stopTimeoutMs: 0,
    health: {
      probe: { kind: 'http', port: 8080, path: '/' },
      intervalMs: 500,
      probeTimeoutMs: 2_000,
      minHealthyTimeMs: 10_000,
      healthyDeadlineMs: 300_000,
    },
  });
});

test.each([
  ['tcp', { tcp: { port: 5432 } }, { kind: 'tcp', port: 5432 }],
  ['docker', { docker: true }, { kind: 'docker' }],
  ['command', { command: ['pg_isready', '-q'] }, { kind: 'command', command: ['pg_isready', '-q'] }],
] as const)('a probe of kind %s', (_, health, probe) => {
  expect(layer({ health })).toEqual({ health: { probe } });
});

test.each<[string, unknown, string, ...(readonly string[])]>([
  ['a misspelt field', { stagess: [100] }, 'there is no field "stagess" (did you mean "stages"?)'],
  ['a text for a list', { stages: '100' }, 'stages: must be a list, and is a text'],
  ['one name for a list', { dependsOn: 'db' }, 'dependsOn: must be a list, and is a text'],
  ['a label for a canary', { canary: 'canary' }, 'canary: must be an object, and is a text'],
  ['a list of windows', { windows: { eu: ['22:00-05:00'] } }, 'windows.eu: must be an object, and is a list'],
  ['no object', [], 'the message: must be an object, and is a list'],
  ['stages that fall', { stages: [50, 25, 100] }, 'stages: must rise from stage to stage'],
  ['stages twice', { stages: [50, 50, 100] }, 'stages: must rise from stage to stage'],
  ['stages that do not end', { stages: [25, 50] }, 'stages: must end with 100'],
  [
    'stages of nobody',
    { stages: [0, 100] },
    'stages[0]: must be more than 0',
    'stages: must rise from stage to stage',
  ],
  [
    'stages of more than all',
    { stages: [50, 101] },
    'stages[1]: must not be more than 100',
    'stages: must end with 100',
  ],
  ['no stages', { stages: [] }, 'stages: must name at least one stage', 'stages: must end with 100'],
  ['stages as text', { stages: ['50%', 100] }, 'stages[0]: must be a percentage'],
  ['an approval of its own', { approval: 'yes' }, 'approval: must be "manual" or "automatic"'],
  [
    'a rate without a time',
    { safeRate: '5%' },
    'safeRate: must be a share of the nodes per time such as "5%/6h"',
  ],
  [
    'a rate of nodes',
    { safeRate: '5/6h' },
    'safeRate: must be a share of the nodes per time such as "5%/6h"',
  ],
  ['a rate of nobody', { safeRate: '0%/6h' }, 'safeRate: must be more than 0% and not more than 100%'],
  [
    'a rate of more than all',
    { safeRate: '101%/6h' },
    'safeRate: must be more than 0% and not more than 100%',
  ],
  ['a rate at once', { safeRate: '5%/0s' }, 'safeRate: must be per 1s at least and 30d at most'],
  ['a rate as a number', { safeRate: 5 }, 'safeRate: must be a share of the nodes per time such as "5%/6h"'],
  [
    'a window of no day',
    { windows: { eu: { open: ['mun 22:00-05:00'] } } },
    'windows.eu.open[0]: has a day that is none in "mun": write sun, mon, tue, wed, thu, fri or sat',
  ],
  [
    'a window in no zone',
    { windows: { eu: { open: ['22:00-05:00 Europe/Wien'] } } },
    'windows.eu.open[0]: has no time zone in "Europe/Wien": write a name such as "Europe/Vienna" or "UTC"',
  ],
  [
    'a region without a window',
    { windows: { eu: { open: [] } } },
    'windows.eu.open: must name at least one window: leave the region out where any time will do',
  ],
  [
    'a date that is none',
    { windows: { '*': { open: ['22:00-05:00'], except: ['2026-02-30'] } } },
    'windows.*.except[0]: must be a date such as "2026-12-24"',
  ],
  [
    'a hold of a range that is none',
    { hold: [{ version: '>=1.0,<1.4', reason: 'x' }] },
    'hold[0].version: must be a version such as "1.4.2", or a range such as ">=1.4 <2" (https://semver.org, as npm writes ranges)',
  ],
  [
    'windows of a region that is a question to the coordinator',
    { windows: { rollout: { open: ['22:00-05:00'] } } },
    'windows.rollout: must be another name: swell.ask.<region>.<node> is how a node is asked, and this one is a question to the coordinator',
  ],
  [
    'windows of no region',
    { windows: { 'eu.west': { open: ['22:00-05:00'] } } },
    'windows.eu.west: must be a region, or "*" for all that are not named',
  ],
  [
    'more windows than anybody remembers',
    { windows: { eu: { open: Array.from({ length: 501 }, () => '22:00-05:00') } } },
    'windows: must not name more than 500 windows in all',
  ],
  [
    'a canary without a label',
    { canary: { soak: '1h' } },
    'canary.label: must be a label such as "canary" or "rack=7": letters, digits and . _ - /',
  ],
  [
    'a label of two words',
    { canary: { label: 'the canary' } },
    'canary.label: must be a label such as "canary" or "rack=7": letters, digits and . _ - /',
  ],
  [
    'a minimum that is no version',
    { minimumVersion: 'latest' },
    'minimumVersion: must be a version such as "1.4.2", or a list of versions and ranges such as ["1.4.2", ">=1.5"]',
  ],
  [
    'a dependency on nothing',
    { dependsOn: [{ per: 'region' }] },
    'dependsOn[0]: must be a service such as "db", or {"service":"db","per":"region"}',
  ],
  [
    'a dependency that is named twice',
    { dependsOn: ['db', { service: 'db' }] },
    'dependsOn: must name each service once',
  ],
  [
    'a hold of everybody',
    { hold: [{ reason: 'x' }] },
    'hold[0]: must name nodes, a label, a version or a region',
  ],
  [
    'a hold without a reason',
    { hold: [{ region: 'eu' }] },
    'hold[0].reason: must say why, for whoever looks',
  ],
  [
    'a gate that lets everything through',
    { gates: [{ ...GATE, max: undefined }] },
    'gates[0]: must name min, max or compare',
  ],
  [
    'a gate that lets nothing through',
    { gates: [{ ...GATE, min: 2 }] },
    'gates[0]: must have a min that is not more than its max',
  ],
  ['two gates of one name', { gates: [GATE, GATE] }, 'gates: must have a name of its own each'],
  [
    'a gate that asks nothing',
    { gates: [{ name: 'errors', max: 1 }] },
    'gates[0].query: must be PromQL for one number',
  ],
  [
    'a variable that nobody knows',
    { gates: [{ ...GATE, query: 'errors{node="$node"}' }] },
    'gates[0].query: knows no $node: write $service, $version or $region',
  ],
  [
    'a comparison with nobody',
    { gates: [{ ...GATE, compare: { max: 2 } }] },
    'gates[0].query: must say ="$version", which is !="$version" for the nodes that it is compared with',
  ],
  [
    'a comparison without a bound',
    { gates: [{ ...GATE, query: 'errors{version="$version"}', compare: {} }] },
    'gates[0].compare: must name min or max, how many times the value of the other nodes',
  ],
  ['a bound in words', { gates: [{ ...GATE, max: '10%' }] }, 'gates[0].max: must be a number'],
  [
    'a watch of nothing',
    { watch: {} },
    'watch.image: must be an image and its tag, such as "registry.example/web:latest"',
  ],
  [
    'a watch of no image',
    { watch: { image: 'A B' } },
    'watch.image: "A B" is no image reference: write registry/name:tag',
  ],
  [
    'a watch of what never changes',
    { watch: { image: `web@sha256:${'5'.repeat(64)}` } },
    'watch.image: must be a tag: a digest never changes',
  ],
  [
    'a watch without rest',
    { watch: { image: 'web', every: '1s' } },
    'watch.every: must be between 10s and 30d',
  ],
  [
    'a watch of another kind',
    { watch: { image: 'web', mode: 'always' } },
    'watch.mode: must be "auto" or "propose"',
  ],
  ['a cool-down that nobody waits for', { coolDown: '31d' }, 'coolDown: must be between 0ms and 30d'],
  [
    'nobody may be down',
    { maxUnavailable: 0 },
    'maxUnavailable: must be a whole number of nodes from 1 on, or a percentage such as "5%"',
  ],
  [
    'half a node',
    { maxUnavailable: 1.5 },
    'maxUnavailable: must be a whole number of nodes from 1 on, or a percentage such as "5%"',
  ],
  ['more than all', { maxUnavailable: '101%' }, 'maxUnavailable: must be a percentage of at most 100%'],
  ['a quorum of more than all', { stagingQuorum: '150%' }, 'stagingQuorum: must not be more than 100%'],
  ['a number of milliseconds', { soak: 300 }, 'soak: must be a duration such as "30s" or "1h30m"'],
  ['a duration without a unit', { soak: '300' }, 'soak: must be a duration such as "30s" or "1h30m"'],
  ['a duration below nothing', { soak: '-5m' }, 'soak: must be a duration such as "30s" or "1h30m"'],
  ['a lease that no renewal can keep', { slotLease: '1s' }, 'slotLease: must be between 2s and 1d'],
  ['a year', { soak: '365d' }, 'soak: must be between 0ms and 30d'],
  [
    'two probes',
    { health: { http: { port: 80 }, docker: true } },
    'health: takes one of http, tcp, docker and command, not several',
  ],
  ['a port that is none', { health: { tcp: { port: 70_000 } } }, 'health.tcp.port: must be a port number'],
  [
    'a path that is none',
    { health: { http: { port: 80, path: 'healthz' } } },
    'health.http.path: must start with "/"',
  ],
  [
    'a path that no request can hold',
    { health: { http: { port: 80, path: '/well known' } } },
    'health.http.path: must be written as in a URL: "%20" for a space',
  ],
  [
    'a script for a probe',
    { health: { command: ['sh', '-c', 'x'.repeat(3_990), 'x'.repeat(3_990), 'x'.repeat(18)] } },
    'health.command: must not be longer than 8000 letters in all: put a script into the image',
  ],
  [
    'a share that cannot be written as text',
    { maxUnavailable: { toString: 1, valueOf: 1 } },
    'maxUnavailable: must be a whole number of nodes from 1 on, or a percentage such as "5%"',
  ],
  [
    'a region with a name that every object knows',
    { regions: [['constructor']] },
    'regions[0][0]: must be another name: every object has something of this one',
  ],
  [
    'a probe of a kind that is none',
    { health: { exec: ['true'] } },
    'health: there is no field "exec": there are http, tcp, docker, command, interval, timeout, minHealthyTime, healthyDeadline',
  ],
  [
    'a region with a dot',
    { regions: [['eu.west']] },
    'regions[0][0]: must be a name of letters, digits, "-" and "_"',
  ],
  ['a region twice', { regions: [['eu'], ['us', 'eu']] }, 'regions: must name each region once'],
  [
    'regions as text',
    { regions: 'eu' },
    'regions: must be "parallel" or groups of regions in order, such as [["eu-west"],["us-east","ap-south"]]',
  ],
  [
    'a budget without a limit',
    { failureBudget: { minSample: 3 } },
    'failureBudget.max: must be a whole number of nodes from 0 on, or a percentage such as "5%"',
  ],
])('%s is refused by its name, with what is wanted', (_, policy, ...expected) => {
  expect(problems(policy)).toEqual(expected);
});

test('a budget counts from five attempts on where nothing else is said', () => {
  expect(layer({ failureBudget: { max: '10%' } })).toEqual({
    failureBudget: { max: { kind: 'percent', percent: 10 }, minSample: 5 },
  });
});

test('all that is wrong is told at once', () => {
  expect(problems({ stages: [50], approval: 'yes', soak: 5 }).length).toBe(3);
});

test('every field is described for people', () => {
  const { properties } = policyJsonSchema() as { properties: Record<string, { description?: string }> };
  const undescribed = Object.entries(properties).filter(([, { description }]) => description === undefined);
  expect(undescribed.map(([field]) => field)).toEqual(['failureBudget', 'health', 'drain', 'rejoin']);
});
