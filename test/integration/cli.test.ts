/** The `swell` command on a bus without coordinators and agents: what is broken there, and what is used wrongly. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ensureTopology } from '@swell/shared/adapters/ensure-topology.ts';
import type { NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import { emptyRecord } from '@swell/shared/domain/rollout.ts';
import { encode } from '@swell/shared/protocol/codec.ts';
import {
  askSubject,
  eventSubject,
  healthSubject,
  nodeKey,
  policyKey,
  rolloutKey,
  STREAMS,
} from '@swell/shared/protocol/subjects.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Ran, runSwellCommand, SWELL_ENTRY } from '../fleet/swell-command.ts';
import { connectPatiently } from '../support/bus.ts';
import { type NatsServer, startNats } from '../support/nats.ts';

let server: NatsServer;
let bus: NatsBus;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swell-cli-'));
  server = await startNats();
  bus = await connectPatiently(server, 'cli-test');
});

afterAll(async () => {
  await bus[Symbol.asyncDispose]();
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

const swell = (...args: string[]): Promise<Ran> => runSwellCommand(server.url, args);

it('a bus without streams: doctor names each, and who asks for anything else is told', async () => {
  const { code, out } = await swell('doctor');
  expect(code).toBe(1);
  for (const stream of Object.values(STREAMS)) expect(out).toContain(`✗ ${stream}: missing\n`);
  const status = await swell('status', 'web');
  expect([status.code, status.out]).toEqual([1, '']);
  expect(status.err).toMatch(
    /^swell: .*no such stream, or nobody serves it\nIs the server there, and has a coordinator made the streams\?/,
  );
});

it('a bus where nothing has happened', async () => {
  await ensureTopology(bus);
  expect(await swell('status', 'web')).toEqual({
    code: 0,
    out: 'web  none\n  nothing was released yet: swell release web <image>\n',
    err: '',
  });
  expect((await swell('status')).out).toBe('nothing was released yet: swell release <service> <image>\n');
  expect((await swell('history', 'web')).out).toMatch(/^nothing of web was released yet/);
  expect((await swell('nodes')).out).toBe('no node is there\n');
  expect((await swell('policy', 'get', 'web')).out).toBe('web has no policy: the defaults are in force\n');
  expect((await swell('policy', 'check', 'web')).code).toBe(0);
  const watched = await swell('status', 'web', '--watch');
  expect([watched.code, watched.err]).toEqual([
    1,
    expect.stringMatching(/^swell: nothing of web was released yet: swell release web <image>\nusage: /),
  ]);
  expect(await swell('audit', '--json')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/"entries":0/),
  });
});

it('a release that no coordinator takes is stored, and whoever watches it hears so', async () => {
  await ensureTopology(bus);
  const released = await swell('release', 'web', 'registry.example/web:v2', '--timeout', '8s', '--json');
  expect(released).toEqual({
    code: 3,
    out: '{"service":"web","rollout":1,"accepted":null}\n',
    err: '',
  });
  const stored = await bus.readLast(STREAMS.releases, 'swell.release.web');
  expect(new TextDecoder().decode(stored?.body)).toBe('{"image":"registry.example/web:v2"}');
  const watched = await swell('status', 'web', '--watch', '--rollout', '1', '--timeout', '8s', '--json');
  expect(watched.code).toBe(3);
  expect(JSON.parse(watched.out)).toEqual({
    service: 'web',
    phase: 'published',
    ended: false,
    paused: false,
    regions: [],
    troubles: [],
    rollout: 1,
  });
  expect((await swell('history', 'web')).out).toMatch(/\n1 {8}\S+ {2}v2 {7}waiting {2}0 /);
});

it('a release that nobody has taken is among the services, a name that was only ever refused is not', async () => {
  await ensureTopology(bus);
  const { sequence } = await bus.publish({
    subject: 'swell.release.new',
    body: encode({ image: 'a/b:1' }),
    line: '',
  });
  await bus.publish({ subject: 'swell.release.wbe', body: encode({ image: 'a/b:1' }), line: '' });
  const record = { ...emptyRecord('wbe'), releasesTaken: { sequence: sequence + 1, storedAtMs: 1 } };
  await bus.publish({ subject: rolloutKey('wbe'), body: encode(record), line: '' });
  const { services } = JSON.parse((await swell('status', '--json')).out) as {
    services: { service: string }[];
  };
  expect(services.filter(({ service }) => service === 'new' || service === 'wbe')).toEqual([
    { service: 'new', phase: 'published', paused: false, rollout: sequence },
  ]);
  await bus.publish({ subject: rolloutKey('wbe'), body: new Uint8Array(), deletes: true, line: '' });
  const history = await swell('history', 'wbe', '--json');
  expect([history.code, JSON.parse(history.out).releases.length]).toEqual([0, 1]);
});

it('policy check finds a circle of services as the coordinator does, and says where it could not look', async () => {
  await ensureTopology(bus);
  await bus.publish({ subject: policyKey('db'), body: encode({ dependsOn: ['queue'] }), line: '' });
  await bus.publish({ subject: policyKey('queue'), body: encode({ dependsOn: ['web'] }), line: '' });
  const check = (url: string, service: string, dependsOn: readonly string[]): Promise<Ran> =>
    runSwellCommand(url, ['policy', 'check', service, '-', '--json'], {
      input: JSON.stringify({ dependsOn }),
    });
  const cycle = (...way: readonly string[]) => ({
    service: 'web',
    ok: false,
    problems: [
      `dependsOn: ${way.join(' -> ')} is a cycle: take one of them out of the policy of the one before`,
    ],
  });
  const found = await check(server.url, 'web', ['db']);
  expect([found.code, JSON.parse(found.out)]).toEqual([1, cycle('web', 'db', 'queue', 'web')]);
  expect((await check(server.url, 'other', ['db'])).out).toBe(
    '{"service":"other","ok":true,"problems":[]}\n',
  );
  const nowhere = 'nats://127.0.0.1:1';
  expect(JSON.parse((await check(nowhere, 'web', ['web'])).out)).toEqual(cycle('web', 'web'));
  const alone = await check(nowhere, 'web', ['db']);
  expect([alone.code, JSON.parse(alone.out)]).toEqual([
    0,
    {
      service: 'web',
      ok: true,
      problems: [],
      unseen: expect.stringMatching(/^the other services were not looked at, .*: connecting to nats:/),
    },
  ]);
});

it('a release that waits has been taken: the command says for what, and ends with 0', async () => {
  await ensureTopology(bus);
  const line = (rollout: number) =>
    `release ${rollout} of api begins at 2026-11-22T06:00:00Z, after its cool-down`;
  const releases = bus.follow({ stream: STREAMS.releases, subjects: ['swell.release.api'], from: 1 });
  void (async () => {
    for await (const { sequence: rollout } of releases) {
      const event = {
        id: `api.${rollout}.release-delayed.1`,
        name: 'release-delayed',
        service: 'api',
        rollout,
      };
      const body = encode({ ...event, line: line(rollout) });
      await bus.publish({ subject: eventSubject('api', 'release-delayed'), body, line: 'it waits' });
    }
  })();
  const first = await swell('release', 'api', 'registry.example/api:v2', '--json');
  const { rollout, ...told } = JSON.parse(first.out) as { readonly rollout: number };
  expect([first.code, told]).toEqual([0, { service: 'api', accepted: null, waits: line(rollout) }]);
  expect(await swell('release', 'api', 'registry.example/api:v3')).toEqual({
    code: 0,
    out: `${line(rollout + 1)}\n  swell status api --watch --rollout ${rollout + 1}\n`,
    err: '',
  });
  releases.close();
});

it('whoever reads no further is no failure of ours', async () => {
  const child = spawn(process.execPath, [SWELL_ENTRY, 'help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  const [complaint] = await Promise.all([text(child.stderr), once(child, 'close')]);
  expect([child.exitCode, complaint]).toEqual([141, '']);
});

it('the audit names a rule that somebody broke, and where', async () => {
  await ensureTopology(bus);
  const report = { region: 'eu', node: 'n1', service: 'web', rollout: 1, attempt: 'a1' };
  const subject = healthSubject('eu', 'web', 'n1');
  const running = `sha256:${'1'.repeat(64)}`;
  for (const status of ['healthy', 'failed'])
    await bus.publish({ subject, body: encode({ ...report, id: status, status, running }), line: status });
  await expect
    .poll(async () => (await bus.readLast(STREAMS.log, subject))?.sequence, { timeout: 60_000 })
    .toBeGreaterThan(1);
  const { code, out } = await swell('audit');
  expect(code).toBe(1);
  expect(out).toMatch(/^\d+ entries: \d+ violations?\n/);
  expect(out).toMatch(/\n {2}I8 at \d+: .*a1/);
});

it('several nodes of one name: the region has to be said; and whatever a node says, no terminal is steered', async () => {
  await ensureTopology(bus);
  for (const region of ['eu', 'us']) {
    const body = encode({ region, node: 'n1', agentVersion: '1', services: {} });
    await bus.publish({ subject: nodeKey(region, 'n1'), body, line: 'here' });
  }
  expect((await swell('explain', 'n1')).err).toMatch(
    /^swell: several nodes have that name: write eu\.n1 or us\.n1\n/,
  );
  const asked = bus.subscribe(askSubject('eu', 'n1'));
  await asked.ready;
  void (async () => {
    for await (const { answer } of asked)
      answer?.(encode({ region: 'eu', node: 'n1', services: { web: 'it waits\u001b[2J' } }));
  })();
  expect(await swell('explain', 'eu.n1')).toEqual({
    code: 0,
    out: 'n1 (eu)\n  web: it waits\\u001b[2J\n',
    err: '',
  });
});

it('doctor names a stream that differs, and one that is gone', async () => {
  await ensureTopology(bus);
  const { streams } = bus.manager;
  const { config } = await streams.info(STREAMS.log);
  await streams.update(STREAMS.log, { ...config, max_age: config.max_age / 2 });
  await streams.delete(STREAMS.policies);
  const { code, out } = await swell('doctor', '--monitoring', server.monitoringUrl);
  expect(code).toBe(1);
  expect(out).toContain(
    '✗ SWELL_LOG max_age: 1296000000000000\n    nats/streams/SWELL_LOG.json says 2592000000000000: nats stream edit SWELL_LOG\n',
  );
  expect(out).toContain(
    '✗ KV_swell_policies: missing\n    start a coordinator, which makes it, or: nats stream add --config nats/streams/KV_swell_policies.json\n',
  );
  expect(out).toContain('✗ coordinator: none has ever led, or its lease is gone\n');
  expect(out).toMatch(/✓ fsync of http\S+: always\n/);
});

it.each<[string, readonly string[], RegExp]>([
  ['no such command', ['relaese'], /^swell: there is no command "relaese": swell help lists them\n$/],
  [
    'no service',
    ['release'],
    /^swell: <service> is missing: name one\nusage: swell release <service> <image>/,
  ],
  ['no image', ['release', 'web'], /^swell: <image> is missing/],
  ['a service that cannot be one', ['approve', 'a.b'], /^swell: "a\.b" is no service: /],
  ['an option that is none', ['status', 'web', '--wacht'], /^swell: Unknown option '--wacht'/],
  [
    'a time that is none',
    ['pause', 'web', '--timeout', 'soon'],
    /^swell: --timeout: "soon" is no duration of at most 24 days: write "30s"/,
  ],
  [
    'a timeout of nothing',
    ['status', 'web', '--timeout', '1m'],
    /^swell: --timeout is for --watch: say both/,
  ],
  [
    'to watch everything',
    ['status', '--watch'],
    /^swell: <service> is missing: --watch, --rollout and --scope are of one/,
  ],
  [
    'a rollout that is none',
    ['halt', 'web', '--rollout', 'v2'],
    /^swell: --rollout: "v2" is no number of a rollout/,
  ],
  ['one argument too many', ['history', 'web', 'db'], /^swell: "db" is one argument too many/],
  [
    'a file that is not there',
    ['policy', 'check', 'web', '/no/such.json'],
    /^swell: \/no\/such\.json cannot be read: ENOENT/,
  ],
  ['no verb', ['policy', 'web'], /^swell: say what to do: policy get, policy set or policy check\n/],
  [
    'credentials that are not there',
    ['status', '--creds', '/no/such.creds'],
    /^swell: --creds: ENOENT.*: name a file that can be read\n/,
  ],
  [
    'two ways to log in',
    ['status', '--user', 'a', '--token', 'b'],
    /^swell: --user and --token: give one way to log in, not several\n/,
  ],
  ['a replay of nothing', ['replay', 'web'], /^swell: --rollout is missing: swell history web shows them\n/],
  [
    'a replay without a policy',
    ['replay', 'web', '--rollout', '7'],
    /^swell: --policy is missing: the file of the policy to try\n/,
  ],
  ['nobody to explain', ['explain'], /^swell: <service> or <node> is missing: /],
  ['a time since', ['audit', '--since', 'yesterday'], /^swell: --since: "yesterday" is no time: write "24h"/],
  ['a number since', ['audit', '--since', '5'], /^swell: --since: "5" is no time: write "24h"/],
  ['no address', ['doctor', '--monitoring', 'nats'], /^swell: --monitoring: "nats" is no address/],
])('%s: exit code 1, and what to do', async (_, args, complaint) => {
  expect(await swell(...args)).toEqual({ code: 1, out: '', err: expect.stringMatching(complaint) });
});

it('a server that is not there: exit code 1, and where it was looked for', async () => {
  const { code, err } = await runSwellCommand('nats://127.0.0.1:1', ['status']);
  expect(code).toBe(1);
  expect(err).toMatch(
    /^swell: connecting to nats:\/\/127\.0\.0\.1:1: .*\nIs the server there.* --server says where/,
  );
});

it('who may not in is told so, and an option says who it is in the place of the environment', async () => {
  await using guarded = await startNats({ conf: 'authorization { token: "open sesame" }' });
  const { code, err } = await runSwellCommand(guarded.url, ['status']);
  expect(code).toBe(1);
  expect(err).toMatch(
    /^swell: connecting to .*\nThe server says no: --creds, --nkey, --user or --token say who you are/,
  );
  const token = ['--token', 'open sesame'];
  const environment = { SWELL_NATS_USER: 'somebody', SWELL_NATS_PASSWORD: 'else' };
  const doctor = await runSwellCommand(guarded.url, ['doctor', ...token], { environment });
  expect(doctor.out).toMatch(/^✓ server version: /);
  const variable = { SWELL_NATS_TOKEN: 'open sesame' };
  const again = await runSwellCommand(guarded.url, ['doctor'], { environment: variable });
  expect(again.out).toMatch(/^✓ server version: /);
});

it('help: of everything, and of each command', async () => {
  const { code, out } = await swell('help');
  expect(code).toBe(0);
  for (const word of [
    'release',
    'status',
    'history',
    'approve',
    'abort',
    'nodes',
    'explain',
    'policy',
    'audit',
    'replay',
    'doctor',
  ]) {
    expect(out).toContain(`\n  swell ${word}`);
  }
  expect((await swell('audit', '--help')).out).toMatch(/^usage: swell audit \[--since 24h\] \[--at-rest\]\n/);
  expect((await swell('--version')).out).toMatch(/^swell \d+\.\d+\.\d+\n$/);
});
